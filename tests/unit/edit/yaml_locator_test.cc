// SPDX-License-Identifier: Apache-2.0
#include "edit/yaml_locator.h"

#include <gtest/gtest.h>

#include <chrono>

namespace mu::edit {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";

YamlDocument Parsed(std::string bytes) {
  auto document = YamlDocument::Parse("/f.yml", std::move(bytes));
  EXPECT_TRUE(document) << document.error().Text();
  return std::move(*document);
}

std::string ErrorOf(std::string bytes) {
  const auto document = YamlDocument::Parse("/f.yml", std::move(bytes));
  return document ? "" : document.error().message;
}

// The bytes that RangeOf gives for `key` of the root, "-" when it gives none.
std::string Located(const std::string& bytes, std::string_view key) {
  const YamlDocument document = Parsed(bytes);
  const auto node = document.Find(document.Root(), key);
  EXPECT_TRUE(node && *node);
  const auto range = document.RangeOf(document.Deref(**node));
  return range ? bytes.substr(range->begin, range->end - range->begin) : "-";
}

TEST(YamlLocator, FindsTheBytesOfEachStyle) {
  EXPECT_EQ(Located("a: x:1\n", "a"), "x:1");
  EXPECT_EQ(Located("a: 'x:1'\n", "a"), "x:1");
  EXPECT_EQ(Located("a: \"x:1\"\n", "a"), "x:1");
  EXPECT_EQ(Located("{b: 1, a: x:1}\n", "a"), "x:1");
  EXPECT_EQ(Located("a: >-\n  x:1\n", "a"), "x:1");
  EXPECT_EQ(Located("a: |-   # c\n    x:1\r\nb: 1\n", "a"), "x:1");
  EXPECT_EQ(Located("a: &n x:1\n", "a"), "x:1");
  EXPECT_EQ(Located("a: !!str &n 'x:1'\n", "a"), "x:1");
  EXPECT_EQ(Located("b: &n x:1\na: *n\n", "a"), "x:1");
}

TEST(YamlLocator, FindsTheBytesBehindBomCrlfAndNonAscii) {
  EXPECT_EQ(Located(std::string(kBom) + "a: x:1\n", "a"), "x:1");
  EXPECT_EQ(Located("b: \"\u6d4b\u8bd5\" # \u00e9\r\na: x:1\r\n", "a"), "x:1");
  EXPECT_EQ(Located(std::string(kBom) + "\u6d4b: \u00e9\r\na: x:1", "a"), "x:1");
}

TEST(YamlLocator, GivesNoRangeWhereBytesDoNotSpellTheValue) {
  EXPECT_EQ(Located("a: \"x\\x3a1\"\n", "a"), "-");
  EXPECT_EQ(Located("a: 'x''1'\n", "a"), "-");
  EXPECT_EQ(Located("a: x\n  y\n", "a"), "-");
  EXPECT_EQ(Located("a: \"x\n  y\"\n", "a"), "-");
  EXPECT_EQ(Located("a: >-\n  x\n  y\n", "a"), "-");
  EXPECT_EQ(Located("a: |\n  x:1\n", "a"), "-");
}

TEST(YamlLocator, FollowsMergeKeys) {
  const YamlDocument document = Parsed(
      "x: &x {a: from-x, b: from-x}\n"
      "y: &y {b: from-y, c: from-y}\n"
      "m:\n  <<: [*x, *y]\n  a: own\n");
  const int map = **document.Find(document.Root(), "m");
  const auto value = [&](std::string_view key) {
    return document.At(document.Deref(**document.Find(map, key))).value;
  };
  EXPECT_EQ(value("a"), "own");
  EXPECT_EQ(value("b"), "from-x");
  EXPECT_EQ(value("c"), "from-y");
  EXPECT_FALSE(*document.Find(map, "d"));
  EXPECT_EQ(*document.Keys(map), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(YamlLocator, TellsPlacesInCharacters) {
  const YamlDocument document = Parsed(std::string(kBom) + "\u6d4b: {a: \u00e9, b: 1}\r\nc: 2\r\n");
  const int inner = **document.Find(document.Root(), "\u6d4b");
  EXPECT_EQ(document.PlaceOf(inner), "/f.yml:1:4");
  EXPECT_EQ(document.PlaceOf(**document.Find(inner, "b")), "/f.yml:1:14");
  EXPECT_EQ(document.PlaceOf(**document.Find(document.Root(), "c")), "/f.yml:2:4");
}

TEST(YamlLocator, RefusesDuplicateKeysWithBothLines) {
  EXPECT_EQ(
      ErrorOf("a: 1\nb: 2\n\"a\": 3\n"),
      "/f.yml:3:1: the key \"a\" is written twice, first in line 1; Compose versions disagree "
      "on which one counts");
  EXPECT_NE(ErrorOf("x: &x {}\na:\n  <<: *x\n  <<: *x\n"), "");
}

TEST(YamlLocator, RefusesWhatReadersDisagreeOn) {
  EXPECT_NE(ErrorOf("a: 1\n---\nb: 1\n").find("/f.yml:2:1"), std::string::npos);
  EXPECT_NE(ErrorOf("a: x\x04y\n").find("/f.yml:1:5: a control character"), std::string::npos);
  EXPECT_NE(ErrorOf("a: 1 # \u2028b: 2\n").find("line separator"), std::string::npos);
  EXPECT_NE(ErrorOf("a: \xED\xA0\x80\n").find("not UTF-8"), std::string::npos);
  EXPECT_NE(ErrorOf("a: \xC0\xAF\n").find("not UTF-8"), std::string::npos);
  EXPECT_NE(ErrorOf("a: \xF0\x9F").find("not UTF-8"), std::string::npos);
  EXPECT_EQ(ErrorOf("a: \xF0\x9F\x98\x80\n"), "");
}

TEST(YamlLocator, EndsSoonOnFilesMadeToExplode) {
  const auto started = std::chrono::steady_clock::now();
  EXPECT_NE(ErrorOf(std::string(std::size_t{5} << 20U, 'x')).find("too many"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string(200000, '[')).find("levels of nesting"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string(200000, '{')).find("levels of nesting"), std::string::npos);
  std::string steps;
  for (int i = 0; i < 100000; ++i) steps += "- ";
  EXPECT_NE(ErrorOf(steps).find("levels of nesting"), std::string::npos);
  std::string merges = "m0: &m0 {a: 1}\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*m" + std::to_string(i - 1);
    merges += "m" + std::to_string(i) + ": &m" + std::to_string(i) + " {<<: [" + before + ", " +
              before + "]}\n";
  }
  const YamlDocument bomb = Parsed(merges);
  const int last = **bomb.Find(bomb.Root(), "m20");
  EXPECT_FALSE(bomb.Find(last, "nope"));
  EXPECT_FALSE(bomb.Keys(last));
  EXPECT_FALSE(bomb.Find(**bomb.Find(bomb.Root(), "m39"), "a"));
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
}

TEST(YamlLocator, EndsOnAnchorsThatHoldThemselves) {
  const YamlDocument document = Parsed("a: &a\n  <<: *a\n  b: 1\n");
  const int map = **document.Find(document.Root(), "a");
  EXPECT_TRUE(*document.Find(map, "b"));
  EXPECT_FALSE(document.Find(map, "nope"));
}

}  // namespace
}  // namespace mu::edit
