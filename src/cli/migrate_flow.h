// SPDX-License-Identifier: Apache-2.0
// The migration as a command, for `migrate` and for the drop-in: from migrate.yaml to an outcome.
// What differs between the two is how it is shown and which exit code it has.
#pragma once

#include <string>
#include <variant>

#include "cli/wiring.h"
#include "milvus_upgrade/config/migrate_yaml.h"
#include "milvus_upgrade/migrate/migrator.h"
#include "milvus_upgrade/plan/step.h"
#include "milvus_upgrade/ports/docker.h"
#include "ui/style.h"
#include "ui/view.h"

namespace mu::cli {

struct MigrateRequest {
  config::MigrateYaml yaml;
  std::string file;            // it stands there
  std::string sha256;          // of it
  std::string etcd_container;  // "": by the endpoints
  std::string image;           // of Milvus's own tool; "": this program migrates
  std::string network;         // where that tool reaches etcd; "": the first of etcd's container
  migrate::NewKeys new_keys = migrate::NewKeys::kRefuse;
  Millis patience{60'000};
};

using MigrateOutcome =
    std::variant<migrate::RunOutcome, migrate::BackupFacts, migrate::RollbackOutcome>;

ui::View ViewOf(const MigrateOutcome& outcome, const meta::Scope& scope, const ui::Style& style);

// An error, and whether etcd was written to before it, or was restored after it.
struct MigrateFailure {
  Error error;
  bool has_written = false;
  bool is_restored = false;
  std::string next = {};  // after a write: what to do, where it is not as ever
};

class MigrateFlow {
 public:
  MigrateFlow(Wiring& wiring, MigrateRequest request);
  meta::Scope Scope() const;
  // What a run would do. Writes nothing.
  tl::expected<migrate::RunOutcome, MigrateFailure> Rehearse(migrate::Listener& listener);
  // What cmd.type says.
  tl::expected<MigrateOutcome, MigrateFailure> Do(migrate::Listener& listener);

 private:
  bool IsNothing(migrate::Listener& listener) const;
  // Stands beside the backup while Milvus's own tool is at work, and after it was cut.
  std::string UnfinishedPath() const;
  Result<bool> IsUnfinished();
  // What a cut tool has left goes back to the backup that it began with.
  tl::expected<migrate::RollbackOutcome, MigrateFailure> PutBack(migrate::Listener& listener);
  // A run by Milvus's own tool: backed up by ourselves, judged, and restored where it was not
  // right.
  tl::expected<MigrateOutcome, MigrateFailure> RunByContainer(migrate::Listener& listener);
  plan::Migration MigrationOf() const;
  Result<std::string> NetworkOf(ports::Docker& docker) const;
  Status CheckForContainer(ports::EtcdClient& etcd, migrate::Listener& listener);
  ports::Interrupts& Interrupts();
  template <class Act>
  auto With(migrate::Listener& listener, Act act)
      -> tl::expected<std::decay_t<decltype(*act(std::declval<migrate::Migrator&>()))>,
                      MigrateFailure>;

  Wiring& wiring_;
  MigrateRequest request_;
  ports::Interrupts* interrupts_ = nullptr;  // null: those of the program
};

}  // namespace mu::cli
