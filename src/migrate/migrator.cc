// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/migrate/migrator.h"

#include <utility>

#include "migrate/backup_job.h"
#include "migrate/backup_read.h"
#include "migrate/etcd_check.h"
#include "migrate/rollback_job.h"
#include "migrate/run_job.h"
#include "migrate/scope_reader.h"

namespace mu::migrate {

Migrator::Migrator(ports::EtcdClient& etcd, ports::Files& files, ports::Clock& clock,
                   ports::Interrupts& interrupts, Listener& listener, Options options)
    : etcd_(etcd),
      files_(files),
      clock_(clock),
      interrupts_(interrupts),
      listener_(listener),
      options_(std::move(options)) {}

Result<BackupFacts> Migrator::Backup() {
  Patience patience(clock_, interrupts_, options_.patience);
  MU_CHECK(CheckEtcd(etcd_, patience, listener_, Use::kRead));
  MU_TRY(const ScopeKeys keys, ReadScope(etcd_, patience, options_.scope, true));
  MU_CHECK(CheckScope(etcd_, patience, options_.scope, keys));
  for (const model::KeyValue& kv : keys.kvs) {
    if (kv.key == options_.scope.Marker())
      return Fail(ErrorCode::kMetaCut,
                  "a migration or rollback of this metadata was cut: half of it is no backup",
                  "complete the migration, or roll back, with the backup that it made");
  }
  return BackupJob{etcd_, files_, patience, listener_, options_.scope, options_.backup_file, {}}
      .Save();
}

Result<RunOutcome> Migrator::Rehearse() {
  return RunJob(etcd_, files_, clock_, interrupts_, listener_, options_, &has_written_).Rehearse();
}

Result<RunOutcome> Migrator::Run() {
  return RunJob(etcd_, files_, clock_, interrupts_, listener_, options_, &has_written_).Run();
}

Result<RollbackOutcome> Migrator::Rollback() {
  return RollbackJob(etcd_, files_, clock_, interrupts_, listener_, options_, &has_written_).Run();
}

Result<std::vector<model::KeyValue>> KeysOf(ports::EtcdClient& etcd, ports::Clock& clock,
                                            ports::Interrupts& interrupts, const meta::Scope& scope,
                                            Millis patience) {
  Patience waits(clock, interrupts, patience);
  MU_TRY(ScopeKeys keys, ReadScope(etcd, waits, scope, false));
  return std::move(keys.kvs);
}

Result<std::vector<model::KeyValue>> KeysIn(ports::Files& files, const meta::Scope& scope,
                                            const std::string& backup_file) {
  MU_TRY(const SavedKeys saved, ReadBackup(files, scope, backup_file, Empty::kMayBe));
  return saved.Listed();
}

Result<std::vector<std::string>> SiblingsOf(ports::EtcdClient& etcd, const meta::Scope& scope) {
  std::vector<std::string> siblings;
  const std::string own = scope.root + "/" + scope.meta;
  ports::PageQuery query{own, model::EndOfPrefix(own), 0, 1, true};
  for (;;) {
    MU_TRY(const ports::KeyPage page, etcd.GetPage(query));
    if (page.kvs.empty()) return siblings;
    const std::string& key = page.kvs.front().key;
    if (scope.Holds(key)) {
      query.start = model::EndOfPrefix(scope.Prefix());
      continue;
    }
    const auto slash = key.find('/', scope.root.size() + 1);
    siblings.push_back(key.substr(0, slash));
    query.start =
        slash == std::string::npos ? key + '\0' : model::EndOfPrefix(key.substr(0, slash + 1));
  }
}

}  // namespace mu::migrate
