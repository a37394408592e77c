// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/effects/migrator.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "effects/migrator_container.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/run/helper_container.h"

namespace mu::effects {
namespace {

Result<run::Evidence> RunBuiltin(const EffectPorts& ports, const plan::Migration& migration,
                                 const MigrationTarget& target, run::StepScope& scope) {
  MU_TRY(const auto etcd, ports.etcd_clients.Of(target.etcd_container));
  migrate::Options options;
  options.scope = ScopeOf(migration);
  options.source = migration.source_version;
  options.target = migration.target_version;
  options.is_backed_up = true;
  options.patience = kEtcdPatience;
  options.who = "milvus-upgrade compose of " + migration.project;
  ToldToScope told(scope);
  StepInterrupts interrupts(scope);
  migrate::Migrator migrator(*etcd, ports.files, ports.clock, interrupts, told, options);
  MU_TRY(const migrate::RunOutcome outcome, migrator.Run());
  return run::Evidence{{"engine", "builtin"},
                       {"by", etcd->Name()},
                       {"keys_added", std::to_string(outcome.added)},
                       {"keys_replaced", std::to_string(outcome.replaced)},
                       {"keys_removed", std::to_string(outcome.removed)}};
}

// The lease that our own dead migrator held the lock with, when the record and etcd agree on it.
Result<std::int64_t> OwnLease(const EffectPorts& ports, ports::EtcdClient& etcd,
                              const std::string& lock_key, const std::string& lock_record) {
  MU_TRY(const std::string text, ports.files.Read(lock_record));
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(text, error);
  if (error || !value.is_object()) return 0;
  const auto number = [&](const char* name) -> std::int64_t {
    const boost::json::value* field = value.as_object().if_contains(name);
    return field != nullptr && field->is_int64() ? field->as_int64() : 0;
  };
  MU_TRY(const ports::KeyPage page, etcd.GetPage({lock_key, "", 0, 0, false}));
  if (page.kvs.empty()) return 0;
  const model::KeyValue& kv = page.kvs.front();
  const bool is_same = kv.lease != 0 && kv.lease == number("lease") &&
                       kv.create_revision == number("create_revision");
  return is_same ? kv.lease : 0;
}

}  // namespace

bool IsAboutWeight(const Error& error) {
  return error.message.find("io.weight") != std::string::npos ||
         error.message.find("blkio") != std::string::npos;
}

std::string HelperName(const std::string& purpose, const std::string& project) {
  constexpr std::size_t kMost = 30;
  const std::string name = project.size() <= kMost
                               ? project
                               : project.substr(0, 20) + "-" + Sha256(project).substr(0, 8);
  return fmt::format("milvus-upgrade-{}-{}", purpose, name);
}

void ToldToScope::Progress(const std::string& what, std::size_t done, std::size_t total) {
  scope_.Waiting(total == 0 ? fmt::format("{}: {}", what, done)
                            : fmt::format("{}: {} of {}", what, done, total));
}

meta::Scope ScopeOf(const plan::Migration& migration) {
  return {migration.root_path, migration.meta_path};
}

// Measured (ground.md 4, bench/migration): 50,057 keys take the tool 8 s, and 168 to 447 s with its
// own backup, whose time grows with the square of the keys.
Millis DeadlineOf(std::size_t keys, bool has_tool_backup) {
  const auto count = static_cast<double>(keys);
  double seconds = 60 + count * 0.004;
  if (has_tool_backup) seconds += count * count * 8e-7;
  return Millis(static_cast<std::int64_t>(seconds * 1000));
}

Result<run::Evidence> RunMigration(const EffectPorts& ports, const plan::Migration& migration,
                                   const MigrationTarget& target, std::size_t keys,
                                   const std::string& log, const std::string& lock_record,
                                   run::StepScope& scope) {
  if (migration.engine == plan::MigrationEngine::kBuiltin)
    return RunBuiltin(ports, migration, target, scope);
  return RunInContainer(ports, migration, target, keys, log, lock_record, scope);
}

Status ProveMigratorsDead(const EffectPorts& ports, const plan::Migration& migration,
                          const std::string& lock_record) {
  MU_TRY(const auto ids,
         ports.docker.List({fmt::format("{}={}", run::kMigratorLabel, migration.project)}));
  for (const std::string& id : ids) {
    if (Status killed = ports.docker.Kill(id);
        !killed && killed.error().code != ErrorCode::kContainerGone)
      return killed;
    if (Status removed = ports.docker.Remove(id, true);
        !removed && removed.error().code != ErrorCode::kContainerGone)
      return removed;
  }
  MU_TRY(const auto record, ports.files.Stat(lock_record));
  if (!record) return {};
  MU_TRY(const auto etcd, ports.etcd_clients.Of(migration.etcd_container));
  MU_TRY(const std::int64_t lease,
         OwnLease(ports, *etcd, ScopeOf(migration).MigrationLock(), lock_record));
  if (lease == 0) return {};
  // As before any revocation: only when nothing but the lock hangs on it.
  MU_TRY(const model::Lease held, etcd->ReadLease(lease));
  if (held.keys != std::vector<std::string>{ScopeOf(migration).MigrationLock()}) return {};
  return etcd->RevokeLease(lease);
}

}  // namespace mu::effects
