// SPDX-License-Identifier: Apache-2.0
// One run of the migration: look, convert, back up, add, replace, remove, compare. What a cut run
// left is told by its marker in etcd, and gone on with.
#pragma once

#include <map>
#include <string>

#include "migrate/job.h"
#include "migrate/scope_reader.h"
#include "migrate/writer.h"
#include "milvus_upgrade/meta/convert.h"
#include "milvus_upgrade/migrate/migrator.h"

namespace mu::migrate {

// How far a cut migration came, as its marker says.
enum class Stage { kNone = 0, kAdding = 1, kFinishing = 2, kRollingBack = 3 };

struct Marker {
  Stage stage = Stage::kNone;
  std::int64_t since = 0;  // the revision that it was made at, by the cut run's first transaction
};
// The marker taken out of `keys`. kMetaCut: one that cannot be read.
Result<Marker> TakeMarker(const meta::Scope& scope, ScopeKeys* keys);
Edit MarkerOf(const meta::Scope& scope, Stage stage, const Options& options);

// kMetaWrongScope, with the roots that exist, when `keys` are empty.
Status CheckScope(ports::EtcdClient& etcd, Patience& patience, const meta::Scope& scope,
                  const ScopeKeys& keys);
// kLiveSessions, with all of them.
Status CheckSessions(ports::EtcdClient& etcd, Patience& patience, const meta::Scope& scope);
// That etcd has exactly `expected` in the scope (and the marker, perhaps). kMigrationLost, with
// the first differences.
Status CheckResult(ports::EtcdClient& etcd, Patience& patience, const meta::Scope& scope,
                   const std::map<std::string, std::string>& expected);

class RunJob : private Job {
 public:
  using Job::Job;
  Result<RunOutcome> Rehearse();
  Result<RunOutcome> Run();

 private:
  struct Found {
    ScopeKeys keys;  // without the marker
    Marker marker;
    bool is_done = false;  // nothing to convert
    meta::Changes changes;
  };
  Result<Found> Look();
  Status SaveBackup(const Found& found, RunOutcome* outcome);
  Status Apply(const Found& found);
  // Every key is as it was when it was read.
  Status CheckUnchanged(const Found& found);
};

}  // namespace mu::migrate
