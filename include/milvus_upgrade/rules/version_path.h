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

// kKubernetesStop: the old pod goes before the new one comes, as asked for with --allow-downtime.
enum class Platform {
  kComposeStandalone = 1,
  kComposeCluster = 2,
  kKubernetes = 3,
  kKubernetesStop = 4
};

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

struct PathQuestion {
  const model::Version& from;
  const model::Version& to;
  Platform platform;
  model::MessageQueue queue;
  bool allows_downgrade;
};

enum class Verdict {
  kNeedInput = 1,          // decided before a path is asked for: a version cannot be read
  kRefuse = 2,             // no way; `action` says what to do instead
  kNoop = 3,               // nothing to do
  kHop = 4,                // first to `via` by this same table, then on
  kMigrate = 5,            // metadata migration, straight to the target
  kMigrateVia = 6,         // metadata migration to `via`, then on
  kImage = 7,              // the image changes
  kRequire = 8,            // goes on, with a requirement that a check holds the user to
  kWarn = 9,               // goes on, with a warning
  kDecidedElsewhere = 10,  // needs facts that a version does not hold; `decided_by` says where
};
std::string_view NameOf(Verdict verdict);

// One row a rule, in the order in which they are asked: the first deciding row that matches wins;
// kRequire and kWarn rows met before it are collected. R0..R24 are milvus.md 7.1; R25 and up close
// gaps in it and stand where they are asked.
struct RuleRow {
  std::string_view id;
  std::string_view when;  // for people
  Verdict verdict;
  std::string_view why;     // one sentence
  std::string_view action;  // what to do; "" when there is nothing
  std::string_view source;
  bool (*matches)(const PathQuestion&);  // null: kNeedInput and kDecidedElsewhere
  std::string_view via;                  // kHop, kMigrateVia: the version
  std::string_view decided_by;  // kNeedInput, kDecidedElsewhere: id of a check, or "rolling"
};
std::span<const RuleRow> RuleTable();

// The latest patch of each minor that this build knows, oldest minor first. A minor that is not
// here is refused (R26): its rules are not known either.
struct LatestPatchRow {
  std::string_view minor;    // "2.2"
  std::string_view version;  // "2.2.16"
  std::string_view source;
};
std::span<const LatestPatchRow> LatestPatchTable();

// Of a Compose stack: one standalone, or roles of their own.
Platform PlatformOf(const model::Observed& observed);

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
struct Reversibility {
  bool is_reversible = false;
  std::string reason;  // with the source
};
// May `from` run again on what `to` has written? Within one minor: yes. Across minors: only where
// the table says so of every minor in between; what nobody has measured or documented is "no".
Reversibility ReversibilityOf(const model::Version& from, const model::Version& to,
                              model::MessageQueue queue);

// How long SIGTERM is worth waiting for, by measurement with inserts in flight and every
// acknowledged row found afterwards (tests/real/stop_table). A row that is not here was not
// measured: full grace, and the lease's time.
struct StopRow {
  std::string_view version;  // "2.2.16", exactly: another patch was not measured
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
