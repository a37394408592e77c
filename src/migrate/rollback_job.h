// SPDX-License-Identifier: Apache-2.0
// One rollback: the backup is read and judged whole first; then each key is put back, so that at
// every instant it has its old or its new value; then what the migration added is removed; then
// every key is compared with the file. Cut anywhere, it is run again to its end.
#pragma once

#include <map>
#include <string>

#include "migrate/backup_read.h"
#include "migrate/job.h"
#include "migrate/run_job.h"
#include "migrate/scope_reader.h"
#include "milvus_upgrade/migrate/migrator.h"

namespace mu::migrate {

class RollbackJob : private Job {
 public:
  using Job::Job;
  Result<RollbackOutcome> Run();

 private:
  struct Work {
    std::vector<model::KeyValue> now;
    bool was_cut = false;                          // a migration or rollback of ours is under way
    std::vector<const model::KeyValue*> added;     // by the migration
    std::vector<const model::KeyValue*> new_keys;  // by someone else
    // Keys of the backup that are neither as it holds them nor as the migration leaves them.
    std::vector<std::string> changed;
  };
  // `changes`: what a migration of the backup's keys makes of them.
  Result<Work> Look(const SavedKeys& backup, const meta::Changes& changes);
  Status CheckNewKeys(const Work& work) const;
};

}  // namespace mu::migrate
