// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/edit/standby_edit.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "milvus_upgrade/edit/compose_edit.h"

namespace mu::edit {
namespace {

const std::vector<std::string> kFour = {"rootCoord", "queryCoord", "dataCoord", "indexCoord"};

std::string Edited(const std::string& text, const std::vector<std::string>& sections) {
  const auto splices = EnableStandby("user.yaml", text, sections);
  if (!splices) return splices.error().Text();
  return Apply(text, *splices).value();
}

TEST(EnableStandby, FillsAnEmptyText) {
  const std::string all =
      "rootCoord:\n  enableActiveStandby: true\nqueryCoord:\n  enableActiveStandby: true\n"
      "dataCoord:\n  enableActiveStandby: true\nindexCoord:\n  enableActiveStandby: true\n";
  EXPECT_EQ(Edited("", kFour), all);
  EXPECT_EQ(Edited("# For example enable rest http for milvus proxy\n# proxy:\n", kFour),
            "# For example enable rest http for milvus proxy\n# proxy:\n" + all);
  EXPECT_EQ(Edited("  # no newline at the end", {"rootCoord"}),
            "  # no newline at the end\nrootCoord:\n  enableActiveStandby: true\n");
  EXPECT_EQ(Edited(all, kFour), all);
}

// The script appended a second rootCoord here: the user's settings were shadowed (milvus.md 3.2,
// 5).
TEST(EnableStandby, JoinsASectionThatIsThere) {
  EXPECT_EQ(
      Edited("rootCoord:\n    # keep\n    maxPartitionNum: 64  # why\nproxy:\n    a: 1\n",
             {"rootCoord", "dataCoord"}),
      "rootCoord:\n    # keep\n    enableActiveStandby: true\n    maxPartitionNum: 64  # why\n"
      "proxy:\n    a: 1\ndataCoord:\n  enableActiveStandby: true\n");
}

TEST(EnableStandby, ReadsKeysAsMilvusDoes) {
  EXPECT_EQ(Edited("rootcoord:\n  enableactivestandby: false # off\n", {"rootCoord"}),
            "rootcoord:\n  enableactivestandby: true # off\n");
  EXPECT_EQ(Edited("rootCoord.enableActiveStandby: false\n", {"rootCoord"}),
            "rootCoord.enableActiveStandby: true\n");
  EXPECT_EQ(Edited("rootCoord:\n  enableActiveStandby: \"true\"\n", {"rootCoord"}),
            "rootCoord:\n  enableActiveStandby: \"true\"\n");
}

TEST(EnableStandby, KeepsEveryForm) {
  EXPECT_EQ(Edited("rootCoord:\nproxy: {}\n", {"rootCoord"}),
            "rootCoord:\n  enableActiveStandby: true\nproxy: {}\n");
  EXPECT_EQ(Edited("rootCoord: # nothing\n", {"rootCoord"}),
            "rootCoord: # nothing\n  enableActiveStandby: true\n");
  EXPECT_EQ(Edited("rootCoord: ~\n", {"rootCoord"}), "rootCoord: {enableActiveStandby: true}\n");
  EXPECT_EQ(Edited("rootCoord: {}\n", {"rootCoord"}), "rootCoord: {enableActiveStandby: true}\n");
  EXPECT_EQ(Edited("rootCoord: {a: 1}\n", {"rootCoord"}),
            "rootCoord: {enableActiveStandby: true, a: 1}\n");
  EXPECT_EQ(Edited("{rootCoord: {a: 1}}\n", {"rootCoord", "dataCoord"}),
            "{dataCoord: {enableActiveStandby: true}, rootCoord: {enableActiveStandby: true, a: "
            "1}}\n");
  EXPECT_EQ(Edited("{}\n", {"rootCoord", "dataCoord"}),
            "{rootCoord: {enableActiveStandby: true}, dataCoord: {enableActiveStandby: true}}\n");
  EXPECT_EQ(Edited("rootCoord:\r\n  a: 1\r\n", {"rootCoord", "dataCoord"}),
            "rootCoord:\r\n  enableActiveStandby: true\r\n  a: 1\r\ndataCoord:\r\n  "
            "enableActiveStandby: true\r\n");
  EXPECT_EQ(Edited("  log:\n    level: info\n", {"rootCoord"}),
            "  log:\n    level: info\n  rootCoord:\n    enableActiveStandby: true\n");
}

TEST(EnableStandby, RefusesWhatItCannotChangeAlone) {
  for (const std::string text :
       {"a: &x\n  b: 1\nrootCoord: *x\n", "rootCoord: &x\n  b: 1\ndataCoord: *x\n",
        "rootCoord:\n  a: 1\nrootcoord:\n  b: 1\n", "rootCoord: 3\n", "- a\n"}) {
    const auto splices = EnableStandby("user.yaml", text, {"rootCoord"});
    ASSERT_FALSE(splices) << text;
    EXPECT_EQ(splices.error().code, ErrorCode::kEditRefused) << splices.error().Text();
    EXPECT_NE(splices.error().message.find("user.yaml:"), std::string::npos);
  }
  EXPECT_EQ(EnableStandby("user.yaml", "a: [\n", {"rootCoord"}).error().code,
            ErrorCode::kYamlSyntax);
  EXPECT_EQ(EnableStandby("user.yaml", "a: 1\n...\n", {"rootCoord"}).error().code,
            ErrorCode::kEditProof);
}

}  // namespace
}  // namespace mu::edit
