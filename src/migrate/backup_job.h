// SPDX-License-Identifier: Apache-2.0
// The backup of a scope: written in upstream's format page by page, then read back and compared
// with etcd at the same revision.
#pragma once

#include <set>
#include <string>

#include "migrate/patience.h"
#include "milvus_upgrade/migrate/migrator.h"

namespace mu::migrate {

struct BackupJob {
  ports::EtcdClient& etcd;
  ports::Files& files;
  Patience& patience;
  Listener& listener;
  meta::Scope scope;
  std::string file;
  // Keys that a cut migration of ours has added already: not part of the 2.1 metadata.
  std::set<std::string> left_out;

  // Writes and verifies; one that is there already is good where it has every key as it is now.
  // Begins again at a new revision when etcd is compacted meanwhile.
  Result<BackupFacts> Save();
  // Compares an existing file with etcd at `revision`, key by key in one walk. The file must be
  // sorted by key, as ours are. kBackupBad.
  Result<BackupFacts> Verify(std::int64_t revision);

 private:
  Result<BackupFacts> SaveAt(std::int64_t revision);
  Result<BackupFacts> Reuse(bool is_folder);
};

}  // namespace mu::migrate
