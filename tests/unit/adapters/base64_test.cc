// SPDX-License-Identifier: Apache-2.0
#include "adapters/base64.h"

#include <gtest/gtest.h>

namespace mu::adapters {
namespace {

TEST(Base64, WritesAndReadsTheSameText) {
  const std::pair<std::string, std::string> rows[] = {{"", ""},
                                                      {"a", "YQ=="},
                                                      {"ab", "YWI="},
                                                      {"abc", "YWJj"},
                                                      {std::string("\0\xff\xfe", 3), "AP/+"}};
  for (const auto& [bytes, text] : rows) {
    EXPECT_EQ(Base64Encoded(bytes), text);
    EXPECT_EQ(Base64Decoded(text), bytes);
  }
  EXPECT_FALSE(Base64Decoded("a b"));
  EXPECT_FALSE(Base64Decoded("YQ==YQ=="));
}

TEST(Base64, GivesBackEveryByteAtEveryPlace) {
  std::string bytes;
  for (int i = 0; i < 256 * 3; ++i) {
    bytes += static_cast<char>(i % 256 ^ i / 256);
    EXPECT_EQ(Base64Decoded(Base64Encoded(bytes)), bytes);
  }
}

}  // namespace
}  // namespace mu::adapters
