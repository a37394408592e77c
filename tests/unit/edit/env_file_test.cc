// SPDX-License-Identifier: Apache-2.0
#include "edit/env_file.h"

#include <gtest/gtest.h>

namespace mu::edit {
namespace {

std::string ValueOf(const std::string& bytes, bool* is_exact = nullptr) {
  const auto entries = ParseEnvFile("/.env", bytes);
  EXPECT_TRUE(entries) << bytes;
  if (!entries || entries->empty()) return "(none)";
  const EnvEntry& entry = entries->back();
  EXPECT_EQ(bytes.substr(entry.begin, entry.end - entry.begin), entry.value) << bytes;
  if (is_exact != nullptr) *is_exact = entry.is_exact;
  return entry.name + "|" + entry.value;
}

TEST(EnvFile, ReadsValuesAsComposeDoes) {
  EXPECT_EQ(ValueOf("A=1"), "A|1");
  EXPECT_EQ(ValueOf("A=1\r\n"), "A|1");
  EXPECT_EQ(ValueOf("  export   A = 1 \t# c\n"), "A|1");
  EXPECT_EQ(ValueOf("A=1#c\n"), "A|1#c");
  EXPECT_EQ(ValueOf("A='1 # c' # d\n"), "A|1 # c");
  EXPECT_EQ(ValueOf("A=\"1\"\r\n"), "A|1");
  EXPECT_EQ(ValueOf("A=\n"), "A|");
  EXPECT_EQ(ValueOf("A=  # c\n"), "A|");
  EXPECT_EQ(ValueOf("A=\nB"), "A|");
  EXPECT_EQ(ValueOf("\xEF\xBB\xBF# c\n\nA=1\nB\n# C=2\n"), "A|1");
  EXPECT_EQ(ValueOf("exported=1\n"), "exported|1");
}

TEST(EnvFile, MarksWhatComposeVersionsReadDifferently) {
  for (const char* line : {"A=$B", "A=\"${B}\"", "A=\"x\\ny\"", "A='x'y", "A='x\ny'"}) {
    bool is_exact = true;
    ValueOf(line, &is_exact);
    EXPECT_FALSE(is_exact) << line;
  }
  bool is_exact = false;
  ValueOf("A='$B'", &is_exact);
  EXPECT_TRUE(is_exact);
}

TEST(EnvFile, NamesTheLineOfAnOpenQuote) {
  const auto entries = ParseEnvFile("/.env", "A=1\nB='x\n");
  ASSERT_FALSE(entries);
  EXPECT_EQ(entries.error().message,
            "/.env:2: the quote that opens the value of B is never closed");
}

}  // namespace
}  // namespace mu::edit
