// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/base/text.h"

#include <gtest/gtest.h>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/table.h"

namespace mu {
namespace {

using Words = std::vector<std::string>;

TEST(Text, SplitsAndJoins) {
  EXPECT_EQ(Split("a,,b", ','), (Words{"a", "", "b"}));
  EXPECT_EQ(Split("", ','), (Words{""}));
  EXPECT_EQ(Join({"a", "", "b"}, ","), "a,,b");
  EXPECT_EQ(Join({}, ","), "");
}

TEST(Text, LinesOfAllSystems) {
  EXPECT_EQ(Lines("a\r\nb\n\nc"), (Words{"a", "b", "", "c"}));
  EXPECT_EQ(Lines("a\n"), (Words{"a"}));
  EXPECT_EQ(Lines(""), Words{});
}

TEST(Text, TrimsAndTails) {
  EXPECT_EQ(Trim(" \t a b \n"), "a b");
  EXPECT_EQ(Trim("  "), "");
  EXPECT_EQ(Tail("a\nb\nc\n", 2), "b\nc");
  EXPECT_EQ(Tail("a", 5), "a");
}

TEST(Printable, TakesOutEscapesAndControls) {
  EXPECT_EQ(Printable("\x1b[31mred\x1b[0m"), "red");
  EXPECT_EQ(Printable("a\x07"
                      "b\x7f"
                      "c\rd\te\n"),
            "abcd\te\n");
  EXPECT_EQ(Printable("cut \x1b["), "cut ");
  EXPECT_EQ(Printable("cut \x1b"), "cut ");
}

TEST(Printable, KeepsUtf8AndMarksWhatIsNot) {
  EXPECT_EQ(Printable("\u00e4\u20ac\U0001F600"), "\u00e4\u20ac\U0001F600");
  EXPECT_EQ(Printable("a\xff"
                      "b"),
            "a\uFFFD"
            "b");
  EXPECT_EQ(Printable("\xe2\x82"), "\uFFFD\uFFFD");            // cut short
  EXPECT_EQ(Printable("\xc0\xaf"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
}

TEST(Redact, HidesEverySecretEverywhere) {
  EXPECT_EQ(Redact("p=hunter2 q=hunter2", {"hunter2", ""}), "p=*** q=***");
  EXPECT_EQ(Redact("a*b", {"*"}), "a***b");
}

TEST(IsSecretName, KnowsTheCustomaryNames) {
  for (const std::string name :
       {"ETCD_PASSWORD", "MINIO_SECRET_KEY", "api_token", "MINIO_ACCESS_KEY", "MYSQL_ROOT_PASSWD",
        "AWS_CREDENTIALS", "TLS_PRIVATE_KEY"}) {
    EXPECT_TRUE(IsSecretName(name)) << name;
  }
  for (const std::string name : {"ETCD_ENDPOINTS", "MILVUS_TAG", "KEY", "PASS"}) {
    EXPECT_FALSE(IsSecretName(name)) << name;
  }
}

TEST(ShellLine, CanBePasted) {
  EXPECT_EQ(ShellLine({"docker", "exec", "a b", "", "it's", "$HOME", "x=1"}),
            "docker exec 'a b' '' 'it'\\''s' '$HOME' x=1");
}

TEST(Nearest, FindsTheSlipAndNotTheStranger) {
  EXPECT_EQ(Nearest("statsu", {"status", "report"}), "status");
  EXPECT_EQ(Nearest("resum", {"report", "resume"}), "resume");
  EXPECT_EQ(Nearest("xylophone", {"status", "report"}), "");
}

TEST(TextTable, AlignsByCodePoints) {
  const TextTable table{{"name", "state"}, {{"m\u00fc", "up"}, {"longer", ""}, {"x"}}};
  EXPECT_EQ(table.Aligned(), "name    state\nm\u00fc      up\nlonger\nx\n");
}

TEST(TextTable, EscapesForMarkdown) {
  const TextTable table{{"a", "b"}, {{"x|y", "one\ntwo"}}};
  EXPECT_EQ(table.Markdown(), "| a | b |\n| --- | --- |\n| x\\|y | one two |\n");
}

// The vectors of FIPS 180-2.
TEST(Sha256, IsTheStandardOne) {
  EXPECT_EQ(Sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256Stream stream;
  stream.Update("a");
  stream.Update("");
  stream.Update("bc");
  EXPECT_EQ(stream.Finish(), Sha256("abc"));
}

}  // namespace
}  // namespace mu
