// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/rules/migration.h"

#include <gtest/gtest.h>

#include "unit/rules/observed_samples.h"

namespace mu::rules {
namespace {

TEST(Migration, ItsHopIsFoundOnEachWayThatHasOne) {
  for (const char* to : {"2.2.16", "2.3.5"}) {
    const auto path = FindPath({2, 1, 0, ""}, *model::ParseVersion(to),
                               Platform::kComposeStandalone, model::MessageQueue::kRocksmq, false);
    ASSERT_TRUE(path) << to;
    const HopRule* hop = MigrationHopOf(*path);
    ASSERT_NE(hop, nullptr) << to;
    EXPECT_EQ(hop->to.Text(), "2.2.16");
  }
  const auto path = FindPath({2, 2, 16, ""}, {2, 3, 5, ""}, Platform::kComposeStandalone,
                             model::MessageQueue::kRocksmq, false);
  EXPECT_EQ(MigrationHopOf(*path), nullptr);
}

TEST(Migration, TellsClientsByNameWhatChanges) {
  model::Observed observed = samples::StandaloneOf21();
  model::MetadataFacts& metadata = observed.migration.metadata;
  metadata.collections = {
      {"a", {{"v", "_default_idx", "_default_idx_101", "IVF_FLAT", "L2"}}, 2, 200},
      {"b", {{"v", "mine", "mine", "ANNOY", "L2"}}, 0, 0},
      {"c", {{"w", "_default_idx", "_default_idx_102", "BIN_FLAT", "JACCARD"}}, 1, 1},
      {"d", {{"w", "own", "own", "BIN_FLAT", "HAMMING"}}, 0, 0},
      {"e", {}, 0, 0},
  };
  metadata.needs_load = {{"e", "it has no index"}};
  metadata.losses = {"one key with fields that are not known: k"};
  const std::vector<std::string> expected = {
      "indexes without a name of their own are called otherwise: a.v (_default_idx_101), "
      "c.w (_default_idx_102)",
      "e is released and must be loaded again: it has no index",
      "rows of dropped partitions, which 2.1 may still return, are gone: a (200 rows in 2 "
      "segments), c (1 row in 1 segment)",
      "ANNOY answers with the square root of the distance where the metric is L2, and refuses "
      "search_k=-1: b.v",
      "BIN_FLAT with JACCARD was seen on 2.2.16 not to find rows of indexed segments, cause "
      "unknown: compare its searches before and after: c.w",
      "one key with fields that are not known: k",
  };
  EXPECT_EQ(ClientChanges(observed), expected);
  EXPECT_TRUE(ClientChanges(samples::HealthyStandalone()).empty());
}

}  // namespace
}  // namespace mu::rules
