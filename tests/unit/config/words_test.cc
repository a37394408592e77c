// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "milvus_upgrade/config/keys.h"

namespace mu::config {
namespace {

using Words = std::vector<std::string>;

TEST(SplitWords, FollowsTheQuotingRulesOfPosixShell) {
  const struct {
    std::string text;
    Words words;
  } cases[] = {
      {"check.sh", {"check.sh"}},
      {"  a\t b\nc ", {"a", "b", "c"}},
      {"a 'b c' d", {"a", "b c", "d"}},
      {"a\"b c\"d", {"ab cd"}},
      {"'' \"\"", {"", ""}},
      {"a\\ b", {"a b"}},
      {R"("a\"b\\c\d")", {R"(a"b\c\d)"}},
      {"'a\\b'", {"a\\b"}},
      {"'$HOME' \\$HOME", {"$HOME", "$HOME"}},
      {"curl http://h/?a=1", {"curl", "http://h/?a=1"}},
      {"sh -c 'a | b'", {"sh", "-c", "a | b"}},
      {"", {}},
  };
  for (const auto& c : cases) {
    const auto words = SplitWords(c.text);
    ASSERT_TRUE(words) << c.text;
    EXPECT_EQ(*words, c.words) << c.text;
  }
}

TEST(SplitWords, RefusesWhatOnlyAShellWouldDo) {
  const struct {
    std::string text;
    std::string says;
  } cases[] = {
      {"a | b", "| means something to a shell at column 3"},
      {"a && b", "& means"},
      {"echo $HOME", "$ means"},
      {"echo \"$HOME\"", "$ would be expanded by a shell at column 7"},
      {"echo `id`", "` means"},
      {"a > f", "> means"},
      {"~/check", "~ means"},
      {"a # b", "# means"},
      {"a 'b", "a single quote is not closed at column 3"},
      {"a \"b", "a double quote is not closed at column 3"},
      {"a \\", "nothing follows the backslash at column 3"},
  };
  for (const auto& c : cases) {
    const auto words = SplitWords(c.text);
    ASSERT_FALSE(words) << c.text;
    EXPECT_EQ(words.error().code, ErrorCode::kUsage);
    EXPECT_NE(words.error().message.find(c.says), std::string::npos) << words.error().message;
    EXPECT_FALSE(words.error().hint.empty());
  }
}

}  // namespace
}  // namespace mu::config
