// SPDX-License-Identifier: Apache-2.0
#include "edit/interpolation.h"

#include <gtest/gtest.h>

namespace mu::edit {
namespace {

using Names = std::vector<std::string>;

Names NamesIn(std::string_view value) {
  const auto pieces = ParsePieces(value);
  EXPECT_TRUE(pieces) << value;
  return pieces ? VariablesOf(*pieces) : Names();
}

TEST(Interpolation, FindsNamesInEveryForm) {
  EXPECT_EQ(NamesIn("m:$A-${B}${C:-x}${D-x}${E:?x}${F?x}${G:+x}${H+x}"),
            (Names{"A", "B", "C", "D", "E", "F", "G", "H"}));
  EXPECT_EQ(NamesIn("${A:-m:${B:-${C}}}"), (Names{"A", "B", "C"}));
  EXPECT_EQ(NamesIn("$$A $${B}"), Names());
  EXPECT_EQ(NamesIn("plain:v1"), Names());
}

TEST(Interpolation, KeepsOffsets) {
  const auto pieces = ParsePieces("m:${T:-v1}$$x");
  ASSERT_TRUE(pieces);
  ASSERT_EQ(pieces->size(), 4U);
  EXPECT_EQ((*pieces)[1].begin, 2U);
  EXPECT_EQ((*pieces)[1].end, 10U);
  EXPECT_EQ((*pieces)[1].use, WordUse::kDefaultWhenEmpty);
  ASSERT_EQ((*pieces)[1].word.size(), 1U);
  EXPECT_EQ((*pieces)[1].word[0].begin, 7U);
  EXPECT_EQ((*pieces)[1].word[0].end, 9U);
  EXPECT_EQ((*pieces)[2].kind, Piece::Kind::kDollar);
  EXPECT_EQ((*pieces)[3].begin, 12U);
}

TEST(Interpolation, RefusesWhatComposeRefuses) {
  for (const char* bad : {"$", "${}", "${A", "${A:-x", "$1", "${1}", "${A!x}", "${A:x}", "a$ b"}) {
    EXPECT_FALSE(ParsePieces(bad)) << bad;
  }
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "${A:-";
  EXPECT_FALSE(ParsePieces(deep));
}

TEST(Interpolation, SeesMentionsEvenWhereTheTextDoesNotParse) {
  EXPECT_TRUE(MentionsVariable("$( $TAG", "TAG"));
  EXPECT_TRUE(MentionsVariable("${X:-${TAG:-1}}", "TAG"));
  EXPECT_FALSE(MentionsVariable("$TAGS ${TAG_2} $$TAG TAG", "TAG"));
}

}  // namespace
}  // namespace mu::edit
