// SPDX-License-Identifier: Apache-2.0
// 2.1 to 2.2 over the fake world, with the real metadata of a real 2.1.0: the whole run, and ways
// in which it fails. The power goes in crash_test.cc.
#include <gtest/gtest.h>

#include "scenario/story21.h"

namespace mu::scenario {
namespace {

class Story21 : public Story {
 public:
  Story21() : Story(fakes::StandaloneFile21()) { Make21(*this); }
};

TEST(Migration, EndsWithTheMetadataOf22AndTheNewVersionUp) {
  Story21 story;
  const meta::Keys before = MetadataOf(story);
  story.Plan("2.2.16");
  const Ending ending = story.BeginAndGo();
  ASSERT_EQ(ending.outcome, "done") << ending.error->Text();
  EXPECT_TRUE(MetadataOf(story) == Migrated(before));
  EXPECT_EQ(story.Look("milvus-standalone").image, "milvusdb/milvus:v2.2.16");
}

TEST(Migration, GoesOnToTheNextHop) {
  Story21 story;
  const meta::Keys before = MetadataOf(story);
  story.config.skipped_checks = {"index-kinds"};  // one is of a kind that 2.3 cannot load
  story.Plan("2.3.5");
  const Ending ending = story.BeginAndGo();
  ASSERT_EQ(ending.outcome, "done") << ending.error->Text();
  EXPECT_TRUE(MetadataOf(story) == Migrated(before));
  EXPECT_EQ(story.Look("milvus-standalone").image, "milvusdb/milvus:v2.3.5");
}

TEST(Migration, GoesBackWhereAMilvusRegistersInItsMiddle) {
  Story21 story;
  const meta::Keys before = MetadataOf(story);
  story.Plan("2.2.16");
  int writes = 0;
  story.answer = [&](const std::string& call, int) {
    if (call.starts_with("etcd commit") && ++writes == 3)
      story.stage.world.StartForeign("rootcoord", "2.1.0", "10.0.0.9:53100");
    return fakes::Answer::kTrue;
  };
  story.stage.world.At(story.stage.clock.Monotonic() + Millis(100'000),
                       [&] { story.stage.world.StopForeign(); });
  const Ending ending = story.BeginAndGo();
  EXPECT_EQ(ending.outcome, "rolled-back") << (ending.error ? ending.error->Text() : "");
  EXPECT_TRUE(MetadataOf(story) == before);
  EXPECT_EQ(story.Look("milvus-standalone").image, "milvusdb/milvus:v2.1.0");
}

}  // namespace
}  // namespace mu::scenario
