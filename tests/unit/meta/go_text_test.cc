// SPDX-License-Identifier: Apache-2.0
#include "meta/go_text.h"

#include <gtest/gtest.h>

namespace mu::meta {
namespace {

// The first six were tried in Go (docs/metadata-2.1-to-2.2.md); the rest follows its rule.
TEST(GoFloat, PrintsAsGoDoes) {
  const std::pair<double, const char*> cases[] = {
      {128, "128"},
      {0.5, "0.5"},
      {100000, "100000"},
      {1000000, "1e+06"},
      {1234567, "1.234567e+06"},
      {999999, "999999"},
      {0, "0"},
      {-0.0, "-0"},
      {-7, "-7"},
      {10, "10"},
      {-1500000, "-1.5e+06"},
      {123456.789, "123456.789"},
      {0.0001, "0.0001"},
      {0.00012, "0.00012"},
      {0.00001, "1e-05"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1e21, "1e+21"},
      {1e100, "1e+100"},
      {2.5e-300, "2.5e-300"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {9007199254740993, "9.007199254740992e+15"},
  };
  for (const auto& [number, text] : cases) EXPECT_EQ(GoFloat(number), text);
}

std::map<std::string, std::string> Members(std::string_view json) {
  std::string reason;
  const auto members = GoMembers(json, &reason);
  EXPECT_TRUE(members) << reason;
  return members.value_or(std::map<std::string, std::string>{});
}

TEST(GoMembers, GivesEachMemberAsText) {
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(Members("{}"), Map());
  EXPECT_EQ(Members(R"( {"nlist": 128, "on": true, "off": false, "s": "x\u00e4\"", "n": null} )"),
            (Map{{"nlist", "128"},
                 {"on", "true"},
                 {"off", "false"},
                 {"s", "x\xC3\xA4\""},
                 {"n", "<nil>"}}));
  EXPECT_EQ(Members(R"({"a": [1, "b", [], 2.5e7], "m": {"z": 1, "a": {"q": true}}})"),
            (Map{{"a", "[1 b [] 2.5e+07]"}, {"m", "map[a:map[q:true] z:1]"}}));
}

TEST(GoMembers, TakesTheLastOfOneName) { EXPECT_EQ(Members(R"({"a":1,"a":2})").at("a"), "2"); }

// Boost's own reading of such numbers may be off in the last digit.
TEST(GoMembers, ReadsNumbersExactly) {
  EXPECT_EQ(Members(R"({"a":0.30000000000000004})").at("a"), "0.30000000000000004");
  EXPECT_EQ(Members(R"({"a":123456789012345678})").at("a"), "1.2345678901234568e+17");
  EXPECT_EQ(Members(R"({"a":8.41e-121})").at("a"), "8.41e-121");
  EXPECT_EQ(Members(R"({"a":-0})").at("a"), "-0");
}

TEST(GoMembers, SaysWhyItIsNone) {
  for (const std::string_view bad :
       {"", "{", "{}x", "[1]", "1", "\"a\"", "null", "{a:1}", "{'a':1}", R"({"a":1e999})",
        "{\"a\":\"\xFF\"}", R"({"a":01})"}) {
    std::string reason;
    EXPECT_FALSE(GoMembers(bad, &reason)) << bad;
    EXPECT_NE(reason.find("JSON"), std::string::npos) << bad;
  }
  const std::string deep = "{\"a\":" + std::string(5000, '[');
  std::string reason;
  EXPECT_FALSE(GoMembers(deep, &reason));
}

}  // namespace
}  // namespace mu::meta
