// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/rules/version_path.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace mu::rules {
namespace {

using model::MessageQueue;
using model::Version;

constexpr Platform kStandalone = Platform::kComposeStandalone;
constexpr Platform kCluster = Platform::kComposeCluster;
constexpr Platform kKube = Platform::kKubernetes;

Version V(std::string_view text) { return model::ParseVersion(text).value(); }

// "2.1.4>2.2.16 migrate R7; 2.2.16>2.3.5 image R24", or "refused R1".
std::string PathText(std::string_view from, std::string_view to, Platform platform = kStandalone,
                     MessageQueue queue = MessageQueue::kRocksmq, bool allows_downgrade = false) {
  const auto path = FindPath(V(from), V(to), platform, queue, allows_downgrade);
  if (!path) {
    EXPECT_EQ(path.error().code, ErrorCode::kPathRefused);
    EXPECT_FALSE(path.error().hint.empty()) << path.error().message;
    return "refused " + path.error().message.substr(0, path.error().message.find(':'));
  }
  if (path->hops.empty()) return "nothing " + path->rule;
  std::string text;
  for (const HopRule& hop : path->hops) {
    if (!text.empty()) text += "; ";
    text += hop.from.Text() + ">" + hop.to.Text() +
            (hop.action == Action::kImage ? " image " : " migrate ") + hop.rule;
  }
  return text;
}

struct Case {
  std::string from, to, want;
  Platform platform = kStandalone;
  MessageQueue queue = MessageQueue::kRocksmq;
  bool allows_downgrade = false;
};

TEST(FindPath, EachRule) {
  const std::vector<Case> cases = {
      {"2.3.5", "2.2.16", "refused R1"},
      {"2.3.5", "2.2.16", "refused R1", kStandalone, MessageQueue::kRocksmq, true},
      {"2.2.16", "2.2.3", "refused R1"},
      {"2.2.16", "2.2.3", "2.2.16>2.2.3 image R24", kStandalone, MessageQueue::kRocksmq, true},
      {"2.3.5", "2.3.5-rc1", "refused R1"},
      {"2.2.16", "2.2.16", "nothing R2"},
      {"1.1.1", "2.2.16", "refused R25"},
      {"2.2.16", "9.9.9", "refused R26"},
      {"2.9.0", "3.0.0", "refused R26"},
      {"2.0.0-rc8", "2.0.2", "refused R3"},
      {"2.0.0-rc8", "2.2.16", "refused R3"},
      {"2.6.0-rc1", "2.6.22", "refused R4"},
      {"2.5.27", "2.6.0-rc1", "refused R4"},
      {"2.1.4", "2.2.0-rc1", "refused R27"},
      {"2.2.0-rc1", "2.2.16", "refused R27"},
      {"2.0.2", "2.2.16", "2.0.2>2.1.4 image R5; 2.1.4>2.2.16 migrate R6"},
      {"2.0.2", "2.3.5", "2.0.2>2.1.4 image R5; 2.1.4>2.2.16 migrate R7; 2.2.16>2.3.5 image R24"},
      {"2.1.0", "2.2.0", "2.1.0>2.2.0 migrate R6"},
      {"2.1.0", "2.2.16", "2.1.0>2.2.16 migrate R6", kCluster, MessageQueue::kPulsar},
      {"2.1.0", "2.3.5", "2.1.0>2.2.16 migrate R7; 2.2.16>2.3.5 image R24"},
      {"2.1.4", "2.6.22",
       "2.1.4>2.2.16 migrate R7; 2.2.16>2.5.27 image R9; 2.5.27>2.6.22 image R24"},
      {"2.0.0", "2.0.2", "2.0.0>2.0.2 image R8"},
      {"2.0.2", "2.1.4", "2.0.2>2.1.4 image R8"},
      {"2.1.0", "2.1.4", "2.1.0>2.1.4 image R24"},
      {"2.4.0", "2.6.1", "2.4.0>2.5.27 image R9; 2.5.27>2.6.1 image R24"},
      {"2.5.15", "2.6.1", "2.5.15>2.5.27 image R9; 2.5.27>2.6.1 image R24"},
      {"2.5.16", "2.6.1", "2.5.16>2.6.1 image R24"},
      {"2.5.16", "2.6.1", "refused R11", kKube, MessageQueue::kPulsar},
      {"2.4.0", "2.6.1", "refused R11", kKube, MessageQueue::kPulsar},
      {"2.5.16", "2.6.1", "refused R12", kCluster, MessageQueue::kKafka},
      {"2.2.16", "2.6.1", "refused R12", kCluster, MessageQueue::kKafka},
      {"2.6.1", "2.6.22", "refused R12", kCluster, MessageQueue::kKafka},
      {"2.6.5", "3.0.0", "2.6.5>2.6.20 image R13; 2.6.20>3.0.0 image R24"},
      {"2.6.20", "3.0.0", "2.6.20>3.0.0 image R24"},
      {"2.5.16", "3.0.0", "2.5.16>2.6.20 image R13; 2.6.20>3.0.0 image R24"},
      {"2.3.5", "3.0.0", "2.3.5>2.5.27 image R9; 2.5.27>2.6.20 image R13; 2.6.20>3.0.0 image R24"},
      {"2.2.2", "2.2.16", "refused R18", kKube, MessageQueue::kPulsar},
      {"2.2.3", "2.2.16", "refused R19", kKube, MessageQueue::kRocksmq},
      {"2.2.3", "2.2.16", "2.2.3>2.2.16 image R23", kKube, MessageQueue::kPulsar},
      {"2.6.1", "2.6.22", "2.6.1>2.6.22 image R28", kKube, MessageQueue::kPulsar},
      {"2.5.16", "2.6.1", "refused R11", Platform::kKubernetesStop},
      {"2.2.3", "2.2.16", "2.2.3>2.2.16 image R24", Platform::kKubernetesStop},
      {"2.2.16", "2.3.5", "2.2.16>2.3.5 image R24"},
      {"2.2.16", "2.3.5", "2.2.16>2.3.5 image R24", kCluster, MessageQueue::kKafka},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(PathText(c.from, c.to, c.platform, c.queue, c.allows_downgrade), c.want)
        << c.from << " to " << c.to;
  }
}

TEST(FindPath, WarnsWhenMinorsAreSkipped) {
  const auto near = FindPath(V("2.2.16"), V("2.3.5"), kStandalone, MessageQueue::kRocksmq, false);
  EXPECT_TRUE(near->warnings.empty());
  const auto far = FindPath(V("2.2.16"), V("2.4.23"), kStandalone, MessageQueue::kRocksmq, false);
  ASSERT_EQ(far->warnings.size(), 1U);
  EXPECT_EQ(far->warnings[0].substr(0, 24), "R17: 2.2.16 to 2.4.23: o");
  // 2.6 and 3.0 are neighbours; the leg that skips is the one that is named.
  const auto legs = FindPath(V("2.3.5"), V("3.0.0"), kStandalone, MessageQueue::kRocksmq, false);
  ASSERT_EQ(legs->warnings.size(), 1U);
  EXPECT_EQ(legs->warnings[0].substr(0, 23), "R17: 2.3.5 to 2.5.27: o");
}

TEST(FindPath, RequiresThePinOnceForStandaloneOnly) {
  const auto pinned = FindPath(V("2.3.5"), V("3.0.0"), kStandalone, MessageQueue::kRocksmq, false);
  ASSERT_EQ(pinned->requirements.size(), 1U);
  EXPECT_EQ(pinned->requirements[0].substr(0, 12), "R15: pin the");
  EXPECT_TRUE(FindPath(V("2.2.16"), V("2.5.27"), kStandalone, MessageQueue::kRocksmq, false)
                  ->requirements.empty());
  EXPECT_TRUE(FindPath(V("2.6.1"), V("2.6.22"), kStandalone, MessageQueue::kRocksmq, false)
                  ->requirements.empty());
}

TEST(FindPath, ARefusalOnTheWaySaysHowFarTheWayIsOpen) {
  const auto path = FindPath(V("2.4.0"), V("2.6.1"), kKube, MessageQueue::kPulsar, false);
  ASSERT_FALSE(path);
  EXPECT_NE(path.error().message.find("2.5.27 to 2.6.1 is refused"), std::string::npos);
  EXPECT_NE(path.error().hint.find("--to 2.5.27"), std::string::npos);
}

TEST(FindPath, AnAllowedDowngradeIsSaid) {
  const auto path = FindPath(V("2.2.16"), V("2.2.3"), kStandalone, MessageQueue::kRocksmq, true);
  ASSERT_TRUE(path);
  ASSERT_EQ(path->warnings.size(), 1U);
  EXPECT_EQ(path->warnings[0].substr(0, 3), "R1:");
}

// Over every pair of a grid of versions, platforms and queues.
TEST(FindPath, Properties) {
  std::vector<Version> versions;
  for (const LatestPatchRow& row : LatestPatchTable()) {
    versions.push_back(V(row.version));
    for (const char* patch : {".0", ".3", ".0-rc1", ".99"})
      versions.push_back(V(std::string(row.minor) + patch));
  }
  for (const char* text : {"1.1.0", "2.5.15", "2.5.16", "2.6.19", "2.6.20", "4.0.0"})
    versions.push_back(V(text));
  int paths = 0;
  int refusals = 0;
  for (const Version& from : versions) {
    for (const Version& to : versions) {
      for (const Platform platform : {kStandalone, kCluster, kKube}) {
        for (const MessageQueue queue : {MessageQueue::kRocksmq, MessageQueue::kKafka}) {
          SCOPED_TRACE(from.Text() + " to " + to.Text());
          const auto path = FindPath(from, to, platform, queue, false);
          if (!path) {
            ++refusals;
            EXPECT_EQ(path.error().code, ErrorCode::kPathRefused);
            EXPECT_EQ(path.error().message[0], 'R');
            EXPECT_FALSE(path.error().hint.empty());
            continue;
          }
          ++paths;
          EXPECT_FALSE(path->rule.empty());
          if (from == to) {
            EXPECT_TRUE(path->hops.empty());
            continue;
          }
          ASSERT_FALSE(path->hops.empty());
          Version at = from;
          for (const HopRule& hop : path->hops) {
            EXPECT_EQ(hop.from, at);
            EXPECT_LT(hop.from, hop.to);
            EXPECT_FALSE(hop.reason.empty());
            EXPECT_EQ(hop.is_reversible, hop.irreversible_reason.empty());
            // Metadata of 2.1 is never given to a later server, nor migrated anywhere but to 2.2.
            const bool crosses = hop.from.minor <= 1 && hop.from.major == 2 &&
                                 (hop.to.major > 2 || hop.to.minor >= 2);
            EXPECT_EQ(hop.action == Action::kMetadataMigration, crosses);
            if (crosses) {
              EXPECT_EQ(hop.to.minor, 2);
            }
            const auto alone = FindPath(hop.from, hop.to, platform, queue, false);
            ASSERT_TRUE(alone) << alone.error().message;
            ASSERT_EQ(alone->hops.size(), 1U);
            EXPECT_EQ(alone->hops[0].action, hop.action);
            at = hop.to;
          }
          EXPECT_EQ(at, to);
        }
      }
    }
  }
  EXPECT_GT(paths, 1000);
  EXPECT_GT(refusals, 1000);
}

TEST(RuleTable, HoldsR0ToR24OnceEachWithASource) {
  std::set<std::string> ids;
  for (const RuleRow& row : RuleTable()) {
    EXPECT_TRUE(ids.insert(std::string(row.id)).second) << row.id;
    EXPECT_FALSE(row.when.empty()) << row.id;
    EXPECT_FALSE(row.why.empty()) << row.id;
    EXPECT_FALSE(row.source.empty()) << row.id;
    EXPECT_FALSE(NameOf(row.verdict).empty()) << row.id;
    const bool has_via = row.verdict == Verdict::kHop || row.verdict == Verdict::kMigrateVia;
    EXPECT_EQ(has_via, !row.via.empty()) << row.id;
    if (has_via) {
      EXPECT_TRUE(model::ParseVersion(row.via)) << row.id;
    }
    EXPECT_EQ(row.matches == nullptr,
              row.verdict == Verdict::kNeedInput || row.verdict == Verdict::kDecidedElsewhere)
        << row.id;
    if (row.matches == nullptr) {
      EXPECT_FALSE(row.decided_by.empty()) << row.id;
    }
    if (row.verdict == Verdict::kRefuse) {
      EXPECT_FALSE(row.action.empty()) << row.id;
    }
  }
  for (int i = 0; i <= 24; ++i) EXPECT_TRUE(ids.contains("R" + std::to_string(i))) << i;
}

TEST(LatestPatchTable, IsOrderedAndBelongsToItsMinor) {
  Version before{};
  for (const LatestPatchRow& row : LatestPatchTable()) {
    const Version latest = V(row.version);
    EXPECT_LT(before, latest);
    EXPECT_EQ(std::to_string(latest.major) + "." + std::to_string(latest.minor), row.minor);
    EXPECT_FALSE(row.source.empty());
    before = latest;
  }
}

TEST(Reversibility, FollowsTheTable) {
  const auto back = [](std::string_view from, std::string_view to, MessageQueue queue) {
    return ReversibilityOf(V(from), V(to), queue);
  };
  EXPECT_TRUE(back("2.2.3", "2.2.16", MessageQueue::kRocksmq).is_reversible);
  const Reversibility rocksmq = back("2.2.16", "2.3.5", MessageQueue::kRocksmq);
  EXPECT_FALSE(rocksmq.is_reversible);
  EXPECT_NE(rocksmq.reason.find("Column families"), std::string::npos);
  // A pair with a bad minor in between has that minor's reason.
  EXPECT_EQ(back("2.2.16", "2.5.27", MessageQueue::kRocksmq).reason, rocksmq.reason);
  const Reversibility unmeasured = back("2.4.0", "2.5.27", MessageQueue::kPulsar);
  EXPECT_FALSE(unmeasured.is_reversible);
  EXPECT_NE(unmeasured.reason.find("nobody has measured"), std::string::npos);
  EXPECT_FALSE(back("2.1.4", "2.2.16", MessageQueue::kPulsar).is_reversible);
  EXPECT_FALSE(back("1.1.0", "9.0.0", MessageQueue::kPulsar).is_reversible);
}

TEST(Reversibility, RowsAreNeighboursWithSources) {
  for (const ReversibilityRow& row : ReversibilityTable()) {
    EXPECT_FALSE(row.source.empty());
    bool is_neighbour = false;
    std::string_view before;
    for (const LatestPatchRow& minor : LatestPatchTable()) {
      if (before == row.from_minor && minor.minor == row.to_minor) is_neighbour = true;
      before = minor.minor;
    }
    EXPECT_TRUE(is_neighbour) << row.from_minor << " " << row.to_minor;
  }
}

}  // namespace
}  // namespace mu::rules
