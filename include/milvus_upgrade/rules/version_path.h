// SPDX-License-Identifier: Apache-2.0
// The version path: which hops lead from one Milvus version to another, and the rule (R0..R24)
// behind each. One table; source milvus.md 7.1 (official upgrade pages, measured facts). Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/observed.h"
#include "milvus_upgrade/model/version.h"

namespace mu::rules {

enum class Platform { kComposeStandalone = 1, kComposeCluster = 2, kKubernetes = 3 };

enum class Action { kNone = 1, kImage = 2, kMetadataMigration = 3, kRefuse = 4 };

struct HopRule {
  model::Version from;
  model::Version to;
  Action action = Action::kImage;
  std::string rule;                 // "R6"
  std::string reason;               // one sentence with the source
  bool is_reversible = true;        // old version can run again after the new one has started
  std::string irreversible_reason;  // from the reversibility table
};

struct VersionPath {
  std::vector<HopRule> hops;              // empty: nothing to do (R2)
  std::vector<std::string> warnings;      // "R17: ..."
  std::vector<std::string> requirements;  // "R15: pin the message queue ..."
  std::string rule;                       // that decided: "R2", "R24", "R6"
};

struct RuleRow {
  std::string_view id;
  std::string_view when;     // for people
  std::string_view verdict;  // REFUSE, IMAGE, HOP, ...
  std::string_view action;   // what the message says to do
  std::string_view source;
};
std::span<const RuleRow> RuleTable();

// Errors: kPathRefused with the rule id in the message and what to do instead.
Result<VersionPath> FindPath(const model::Version& from, const model::Version& to,
                             Platform platform, model::MessageQueue queue, bool allows_downgrade);

struct ReversibilityRow {  // "2.2" -> "2.3" with rocksmq cannot go back (ground.md 3)
  std::string_view from_minor;
  std::string_view to_minor;
  model::MessageQueue queue;  // kUnknown: any
  bool is_reversible;
  std::string_view reason;
  std::string_view source;
};
std::span<const ReversibilityRow> ReversibilityTable();

// How long SIGTERM is worth waiting for, by measurement with inserts in flight and every
// acknowledged row found afterwards (tests/real/stop_table). A row that is not here was not
// measured: full grace, and the lease's time.
struct StopRow {
  std::string_view minor;  // "2.2"
  model::Role role;
  model::MessageQueue queue;
  int term_wait_ms;  // SIGKILL after this: waiting longer cannot help
  bool may_revoke;
  std::string_view source;  // date, runs
};
std::span<const StopRow> StopTable();
const StopRow* FindStopRow(const model::Version& version, model::Role role,
                           model::MessageQueue queue);

}  // namespace mu::rules
