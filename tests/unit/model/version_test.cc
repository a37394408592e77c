// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/model/version.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mu::model {
namespace {

TEST(Version, ReadsWhatMilvusWrites) {
  EXPECT_EQ(ParseVersion("2.2.16").value(), (Version{2, 2, 16, ""}));
  EXPECT_EQ(ParseVersion("v2.2.16").value(), (Version{2, 2, 16, ""}));
  EXPECT_EQ(ParseVersion("2.6.0-rc1").value(), (Version{2, 6, 0, "rc1"}));
  EXPECT_EQ(ParseVersion("2.2.0-pre+dev").value(), (Version{2, 2, 0, "pre"}));
  EXPECT_EQ(ParseVersion("3.0.0-beta.2").value(), (Version{3, 0, 0, "beta.2"}));
}

TEST(Version, RefusesEverythingElse) {
  for (const std::string text :
       {"", "v", "latest", "2.2", "2.2.16.1", "2..16", "02.2.16", "2.2.016", "2.2.16-",
        "2.2.16-gpu", "2.2.0-bugfix-20230112", "2.2.0-rc1..2", " 2.2.16", "2.2.16\n", "2.2.x",
        "-2.2.16", "2.2.20230112", "vv2.2.16", "2.2.0-rc_1"}) {
    const auto version = ParseVersion(text);
    ASSERT_FALSE(version) << text;
    EXPECT_EQ(version.error().code, ErrorCode::kVersionUnknown) << text;
  }
}

TEST(Version, TellsWhatItCouldNotRead) {
  EXPECT_NE(ParseVersion("lat\x1b[31mest").error().message.find("\"latest\""), std::string::npos);
}

TEST(Version, SortsAsPeopleExpect) {
  const std::vector<std::string> ascending = {
      "2.0.0-rc8", "2.0.0-rc10",  "2.0.0",       "2.1.4",     "2.2.0-alpha", "2.2.0-beta",
      "2.2.0-rc1", "2.2.0-rc1.1", "2.2.0-rc1.a", "2.2.0-rc2", "2.2.0",       "2.2.9",
      "2.2.16",    "2.3.0",       "2.10.0",      "3.0.0"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      const Version a = ParseVersion(ascending[i]).value();
      const Version b = ParseVersion(ascending[j]).value();
      EXPECT_EQ(a <=> b, i <=> j) << ascending[i] << " and " << ascending[j];
      EXPECT_EQ(a == b, i == j) << ascending[i] << " and " << ascending[j];
    }
  }
}

TEST(Version, TextReadsBack) {
  for (const std::string text : {"2.2.16", "2.6.0-rc1", "2.0.0-beta.3"}) {
    EXPECT_EQ(ParseVersion(text).value().Text(), text);
  }
}

TEST(VersionOfTag, LeavesTheVariantOut) {
  EXPECT_EQ(VersionOfTag("v2.4.6-gpu").value().Text(), "2.4.6");
  EXPECT_EQ(VersionOfTag("v2.2.0-rc1").value().Text(), "2.2.0-rc1");
  EXPECT_EQ(VersionOfTag("2.3.3-gpu-arm64").value().Text(), "2.3.3");
  EXPECT_EQ(VersionOfTag("v2.2.0-rc1-gpu").value().Text(), "2.2.0-rc1");
}

TEST(VersionOfTag, GuessesNothing) {
  for (const std::string tag :
       {"latest", "", "master-20221031-48f5c600", "v2.2", "gpu", "v2.2.0-bugfix-20230112",
        "v2.3.0-gpu-beta", "2.2.16-20230112-48f5c600"}) {
    const auto version = VersionOfTag(tag);
    ASSERT_FALSE(version) << tag;
    EXPECT_EQ(version.error().code, ErrorCode::kVersionUnknown) << tag;
  }
}

TEST(VariantOfTag, IsTheTailThatANewTagKeeps) {
  EXPECT_EQ(VariantOfTag("v2.4.6-gpu"), "-gpu");
  EXPECT_EQ(VariantOfTag("v2.4.6-gpu-arm64"), "-gpu-arm64");
  EXPECT_EQ(VariantOfTag("v2.4.6-amd64"), "-amd64");
  EXPECT_EQ(VariantOfTag("v2.4.6"), "");
  EXPECT_EQ(VariantOfTag("v2.6.0-rc1"), "");
  EXPECT_EQ(VariantOfTag("latest-gpu"), "-gpu");
  EXPECT_EQ(VariantOfTag(""), "");
}

TEST(TagForVersion, KeepsTheStyleOfTheOldTag) {
  const Version target{2, 3, 5, ""};
  EXPECT_EQ(TagForVersion("v2.2.16", target), "v2.3.5");
  EXPECT_EQ(TagForVersion("2.2.16", target), "2.3.5");
  EXPECT_EQ(TagForVersion("v2.2.16-gpu", target), "v2.3.5-gpu");
  EXPECT_EQ(TagForVersion("2.2.16-gpu-arm64", target), "2.3.5-gpu-arm64");
  EXPECT_EQ(TagForVersion("", target), "v2.3.5");
}

}  // namespace
}  // namespace mu::model
