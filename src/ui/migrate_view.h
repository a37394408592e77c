// SPDX-License-Identifier: Apache-2.0
// What `migrate` says: what a run would change or has changed, a backup, a rollback. Pure; each
// ends in one verdict line.
#pragma once

#include "milvus_upgrade/migrate/migrator.h"
#include "ui/style.h"
#include "ui/view.h"

namespace mu::ui {

View MigrationView(const migrate::RunOutcome& outcome, const meta::Scope& scope,
                   const Style& style);
View BackupView(const migrate::BackupFacts& facts, const Style& style);
View RollbackView(const migrate::RollbackOutcome& outcome, const meta::Scope& scope,
                  const Style& style);

}  // namespace mu::ui
