// SPDX-License-Identifier: Apache-2.0
// 2.1 to 2.2 over the fake world, with the real metadata of a real 2.1.0: the whole run, ways in
// which it fails, and the power going at every boundary of it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "scenario/story.h"
#include "unit/meta/real_data.h"

namespace mu::scenario {
namespace {

using fakes::PowerCut;
using Keep = fakes::UnsyncedFiles::Keep;

class Story21 : public Story {
 public:
  Story21() : Story(fakes::StandaloneFile21()) {
    config.migration_engine = config::MigrationEngine::kBuiltin;
    config.rehearses = false;  // there is no second etcd in this world
    stage.PutMetadata(meta::RealKeys("etcd-2.1.jsonl"));
  }

  meta::Keys Metadata() {
    meta::Keys keys;
    for (const auto& [key, kv] : stage.world.Etcd().Keys()) {
      if (meta::kScope.Holds(key) && !key.starts_with(meta::kScope.Sessions()))
        keys[key] = kv.value;
    }
    return keys;
  }
};

meta::Keys Migrated(meta::Keys keys) {
  const auto changes = meta::Convert(keys);
  EXPECT_TRUE(changes) << changes.error().Text();
  meta::Apply(*changes, &keys);
  return keys;
}

TEST(Migration, EndsWithTheMetadataOf22AndTheNewVersionUp) {
  Story21 story;
  const meta::Keys before = story.Metadata();
  story.Plan("2.2.16");
  const Ending ending = story.BeginAndGo();
  ASSERT_EQ(ending.outcome, "done") << ending.error->Text();
  EXPECT_TRUE(story.Metadata() == Migrated(before));
  EXPECT_EQ(story.Look("milvus-standalone").image, "milvusdb/milvus:v2.2.16");
}

TEST(Migration, GoesOnToTheNextHop) {
  Story21 story;
  const meta::Keys before = story.Metadata();
  story.config.skipped_checks = {"index-kinds"};  // one is of a kind that 2.3 cannot load
  story.Plan("2.3.5");
  const Ending ending = story.BeginAndGo();
  ASSERT_EQ(ending.outcome, "done") << ending.error->Text();
  EXPECT_TRUE(story.Metadata() == Migrated(before));
  EXPECT_EQ(story.Look("milvus-standalone").image, "milvusdb/milvus:v2.3.5");
}

TEST(Migration, GoesBackWhereAMilvusRegistersInItsMiddle) {
  Story21 story;
  const meta::Keys before = story.Metadata();
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
  EXPECT_TRUE(story.Metadata() == before);
  EXPECT_EQ(story.Look("milvus-standalone").image, "milvusdb/milvus:v2.1.0");
}

// Wherever the power goes: the run that is gone on with ends in 2.2, a migration that was cut
// restored from its backup and made anew.
TEST(Migration, EverySinglePointEndsWhole) {
  std::string done;
  std::size_t boundaries = 0;
  plan::Plan plan;
  {
    Story21 story;
    story.Plan("2.2.16");
    plan = story.ThePlan();
    story.Begin();
    const int first = story.stage.fuse.Passed();
    ASSERT_EQ(story.Go().outcome, "done");
    boundaries = story.stage.fuse.Names().size() - static_cast<std::size_t>(first);
    done = story.Describe();
  }
  std::vector<Keep> keeps = {Keep::kNothing};
  if (std::getenv("MU_LONG") != nullptr) keeps = {Keep::kNothing, Keep::kHalf, Keep::kAll};
  for (const Keep keep : keeps) {
    for (std::size_t cut = 1; cut <= boundaries; ++cut) {
      Story21 story;
      story.UsePlan(plan);
      story.Begin();
      story.stage.fuse.CutAt(static_cast<int>(cut));
      std::string where;
      try {
        (void)story.Go();
        ADD_FAILURE() << "boundary " << cut << " was not reached";
      } catch (const PowerCut& power) {
        where = power.name;
        story.PowerOn(keep);
      }
      const Ending ending = story.Go();
      EXPECT_EQ(ending.outcome, "done")
          << "after a cut at " << where << ": " << (ending.error ? ending.error->Text() : "");
      EXPECT_TRUE(story.Describe() == done) << "after a cut at " << where;
      if (HasFailure()) return;
    }
  }
  std::cout << boundaries << " boundaries\n";
}

}  // namespace
}  // namespace mu::scenario
