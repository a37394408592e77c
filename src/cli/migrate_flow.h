// SPDX-License-Identifier: Apache-2.0
// The migration as a command, for `migrate` and for the drop-in: from migrate.yaml to an outcome.
// What differs between the two is how it is shown and which exit code it has.
#pragma once

#include <string>
#include <variant>

#include "cli/wiring.h"
#include "milvus_upgrade/config/migrate_yaml.h"
#include "milvus_upgrade/migrate/migrator.h"
#include "ui/style.h"
#include "ui/view.h"

namespace mu::cli {

struct MigrateRequest {
  config::MigrateYaml yaml;
  std::string etcd_container;  // "": by the endpoints
  migrate::NewKeys new_keys = migrate::NewKeys::kRefuse;
  Millis patience{60'000};
};

using MigrateOutcome =
    std::variant<migrate::RunOutcome, migrate::BackupFacts, migrate::RollbackOutcome>;

ui::View ViewOf(const MigrateOutcome& outcome, const meta::Scope& scope, const ui::Style& style);

// An error, and whether etcd was written to before it.
struct MigrateFailure {
  Error error;
  bool has_written = false;
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
  template <class Act>
  auto With(migrate::Listener& listener, Act act)
      -> tl::expected<std::decay_t<decltype(*act(std::declval<migrate::Migrator&>()))>,
                      MigrateFailure>;

  Wiring& wiring_;
  MigrateRequest request_;
};

}  // namespace mu::cli
