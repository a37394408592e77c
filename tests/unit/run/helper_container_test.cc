// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/helper_container.h"

#include <gtest/gtest.h>

#include "fakes/stage.h"

namespace mu::run {
namespace {

class HelperContainerTest : public testing::Test {
 protected:
  HelperContainerTest() { world_.AddImage("etcd:1", fakes::Program::kEtcd); }
  HelperRequest Request() const {
    return {"milvus", "probe", "net", "etcd:1", "first line\nsecond line\n", {"internal", "probe"}};
  }
  fakes::Fuse fuse_;
  fakes::HandClock clock_;
  fakes::UnsyncedFiles files_{fuse_};
  fakes::FakeWorld world_{fuse_, clock_, files_};
  fakes::FakeDocker docker_{world_};
};

TEST_F(HelperContainerTest, RunsTheProgramOnTheNetworkAndIsGone) {
  auto helper = HelperContainer::Make(docker_, Request());
  ASSERT_TRUE(helper) << helper.error().Text();
  const fakes::FakeContainer* made = world_.Find((*helper)->Name());
  ASSERT_NE(made, nullptr);
  EXPECT_TRUE(made->facts.network_ips.contains("net"));
  EXPECT_EQ(made->facts.labels,
            (std::map<std::string, std::string>{{"milvus-upgrade.helper", "milvus"}}))
      << "no label of Compose: nobody takes it for a service";
  EXPECT_EQ(made->facts.command[1], "internal");
  std::vector<std::string> lines;
  const auto ran = (*helper)->Run(
      docker_, [&](std::string_view line) { lines.emplace_back(line); }, [] { return false; });
  ASSERT_TRUE(ran) << ran.error().Text();
  EXPECT_EQ(lines, (std::vector<std::string>{"first line", "second line"}));
  EXPECT_TRUE(world_.All().empty());
}

TEST_F(HelperContainerTest, IsRemovedWhenItNeverRan) {
  { ASSERT_TRUE(HelperContainer::Make(docker_, Request())); }
  EXPECT_TRUE(world_.All().empty());
}

TEST_F(HelperContainerTest, IsRemovedWhenTheProgramCannotBeCopiedIn) {
  world_.on_call = [](const std::string& name, int) {
    return name.starts_with("copy in") ? fakes::Answer::kHang : fakes::Answer::kTrue;
  };
  EXPECT_FALSE(HelperContainer::Make(docker_, Request()));
  EXPECT_TRUE(world_.All().empty());
}

TEST_F(HelperContainerTest, WhatIsLeftIsFoundByProject) {
  HelperRequest other = Request();
  other.project = "other";
  auto kept = HelperContainer::Make(docker_, other);
  ASSERT_TRUE(kept);
  // As a killed process leaves it.
  ASSERT_TRUE(docker_.CreateHelper(
      {"left", "etcd:1", "net", {"cat"}, {{"milvus-upgrade.helper", "milvus"}}}));
  ASSERT_TRUE(docker_.Start({"left"}));
  ASSERT_TRUE(RemoveLeftHelpers(docker_, "milvus"));
  EXPECT_EQ(world_.Find("left"), nullptr);
  EXPECT_NE(world_.Find((*kept)->Name()), nullptr);
}

}  // namespace
}  // namespace mu::run
