// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/edit/compose_edit.h"

namespace mu::edit {
namespace {

TEST(UnifiedDiff, ShowsThreeLinesAround) {
  EXPECT_EQ(UnifiedDiff("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n"),
            "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n");
}

TEST(UnifiedDiff, TellsOfAMissingFinalNewline) {
  EXPECT_EQ(UnifiedDiff("f", "a\nb", "a\nc"),
            "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n"
            "\\ No newline at end of file\n");
}

TEST(UnifiedDiff, SaysNothingOfEqualTexts) { EXPECT_EQ(UnifiedDiff("f", "a\n", "a\n"), ""); }

TEST(UnifiedDiff, JoinsNearHunksAndSplitsFarOnes) {
  std::string before;
  for (int i = 0; i < 40; ++i) before += std::to_string(i) + "\n";
  std::string after = before;
  after.replace(after.find("\n5\n"), 3, "\nfive\n");
  after.replace(after.find("\n12\n"), 4, "\ntwelve\n");
  after.replace(after.find("\n30\n"), 4, "\nthirty\n");
  const std::string diff = UnifiedDiff("f", before, after);
  EXPECT_NE(diff.find("@@ -3,14 +3,14 @@"), std::string::npos) << diff;
  EXPECT_NE(diff.find("@@ -28,7 +28,7 @@"), std::string::npos) << diff;
}

// A patch program for our own diffs, so that any diff can be proven.
std::string Patched(std::string_view before, const std::string& diff) {
  std::vector<std::string> old_lines;
  for (std::string_view rest = before; !rest.empty();) {
    const std::size_t size = std::min(rest.find('\n'), rest.size() - 1) + 1;
    old_lines.emplace_back(rest.substr(0, size));
    rest.remove_prefix(size);
  }
  std::string after;
  std::size_t at = 0;
  std::vector<std::string> rows = Split(diff, '\n');
  for (std::size_t i = 2; i < rows.size(); ++i) {
    const std::string& row = rows[i];
    if (row.starts_with("@@ -")) {
      const std::size_t first = std::stoul(row.substr(4));
      const bool is_empty = row.find(",0 +") != std::string::npos;
      while (at + (is_empty ? 0 : 1) < first) after += old_lines.at(at++);
    } else if (row.starts_with('\\')) {
      continue;
    } else if (!row.empty()) {
      const bool has_newline = i + 1 >= rows.size() || !rows[i + 1].starts_with('\\');
      const std::string text = row.substr(1) + (has_newline ? "\n" : "");
      if (row[0] != '+') {
        EXPECT_EQ(old_lines.at(at++), text);
      }
      if (row[0] != '-') after += text;
    }
  }
  while (at < old_lines.size()) after += old_lines[at++];
  return after;
}

TEST(UnifiedDiff, PatchesAnyTextIntoAnyOther) {
  std::mt19937 random(7);
  const auto text = [&] {
    std::string lines;
    const std::size_t count = random() % 30;
    for (std::size_t i = 0; i < count; ++i)
      lines += std::string(1, static_cast<char>('a' + random() % 4)) + "\n";
    if (random() % 4 == 0) lines += "end";
    return lines;
  };
  for (int i = 0; i < 2000; ++i) {
    const std::string before = text();
    const std::string after = text();
    ASSERT_EQ(Patched(before, UnifiedDiff("f", before, after)), after) << before << "=>\n" << after;
  }
}

TEST(UnifiedDiff, MasksSecretsOnBothSidesAndAround) {
  const std::string before =
      "MINIO_SECRET_KEY=abc,1\n"
      "  MINIO_ACCESS_KEY: \"def\"\n"
      "  - \"ROOT_PASSWORD=ghi\"\n"
      "export API_TOKEN='jkl'\n"
      "  secretAccessKey: |\n"
      "      mno\n"
      "  url: http://user:pqr@host/\n"
      "TAG=v2.2.16\n"
      "env: {DB_PASSWORD: stu, TAG: 1}\n"
      "command: --token=vwx\n"
      "KEEP=yz\n";
  std::string after = before;
  after.replace(after.find("v2.2.16"), 7, "v2.3.5");
  after.replace(after.find("abc,1"), 5, "abd,1");
  const std::string diff = UnifiedDiff("f", before, after);
  for (const char* secret : {"abc", "abd", "def", "ghi", "jkl", "mno", "pqr", "stu", "vwx"}) {
    EXPECT_EQ(diff.find(secret), std::string::npos) << secret << " in\n" << diff;
  }
  EXPECT_NE(diff.find("-TAG=v2.2.16\n+TAG=v2.3.5\n"), std::string::npos) << diff;
  EXPECT_NE(diff.find("-MINIO_SECRET_KEY=***\n"), std::string::npos) << diff;
  EXPECT_NE(diff.find("KEEP=yz"), std::string::npos) << diff;
}

TEST(Apply, PutsSplicesInOrder) {
  EXPECT_EQ(*Apply("abcdef", {{1, "b", "XX"}, {3, "", "-"}, {4, "ef", ""}}), "aXXc-d");
  EXPECT_EQ(*Apply("abc", {}), "abc");
}

TEST(Apply, RefusesAChangedFile) {
  for (const model::Splice& splice : std::vector<model::Splice>{
           {1, "x", "y"}, {2, "cd", ""}, {9, "", "x"}, {~std::uint64_t{0}, "a", "b"}}) {
    const auto text = Apply("abc", {splice});
    ASSERT_FALSE(text) << splice.offset;
    EXPECT_EQ(text.error().code, ErrorCode::kFileChanged);
  }
  EXPECT_FALSE(Apply("abc", {{1, "b", ""}, {0, "a", ""}}));
  EXPECT_FALSE(Apply("abc", {{0, "ab", ""}, {1, "b", ""}}));
}

}  // namespace
}  // namespace mu::edit
