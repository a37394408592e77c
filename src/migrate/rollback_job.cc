// SPDX-License-Identifier: Apache-2.0
#include "migrate/rollback_job.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "migrate/run_job.h"
#include "migrate/writer.h"
#include "milvus_upgrade/backup/backup_file.h"
#include "milvus_upgrade/base/text.h"

namespace mu::migrate {
namespace {

std::vector<model::KeyValue> AsKeyValues(const std::map<std::string, std::string>& keys) {
  std::vector<model::KeyValue> kvs;
  kvs.reserve(keys.size());
  for (const auto& [key, value] : keys) kvs.push_back({key, value, 0, 0, 0});
  return kvs;
}

}  // namespace

RollbackJob::RollbackJob(ports::EtcdClient& etcd, ports::Files& files, ports::Clock& clock,
                         ports::Interrupts& interrupts, Listener& listener, const Options& options,
                         bool* has_written)
    : etcd_(etcd),
      files_(files),
      interrupts_(interrupts),
      listener_(listener),
      options_(options),
      has_written_(has_written),
      patience_(clock, interrupts, options.patience),
      lock_(etcd, clock, patience_, options.scope, options.who) {}

Result<RollbackJob::Backup> RollbackJob::ReadBackup() {
  const meta::Scope& scope = options_.scope;
  MU_TRY(const auto facts, files_.Stat(options_.backup_file));
  if (!facts)
    return Fail(ErrorCode::kFileRead, fmt::format("{} is not there", options_.backup_file),
                "correct config.backupFilePath");
  if (facts->is_folder)
    return Fail(ErrorCode::kFileRead,
                fmt::format("{} is a folder, not a backup file", options_.backup_file));
  if (facts->bytes == 0)
    return Fail(ErrorCode::kBackupBad, fmt::format("{} is empty", options_.backup_file));
  Backup backup;
  backup::Decoder decoder(
      [&](const backup::Header& header) -> Status {
        if (header.instance == scope.root && header.meta_path == scope.meta) return {};
        return Fail(ErrorCode::kForeignBackup,
                    fmt::format("{} is a backup of {}/{}, and the metadata to roll back is {}/{}",
                                options_.backup_file, Printable(header.instance),
                                Printable(header.meta_path), scope.root, scope.meta));
      },
      [&](backup::Entry entry) -> Status {
        if (!scope.Holds(entry.key)) {
          backup.ignored.push_back(std::move(entry.key));
          return {};
        }
        const auto [it, is_new] = backup.keys.emplace(std::move(entry.key), std::move(entry.value));
        if (is_new) return {};
        return Fail(ErrorCode::kBackupBad,
                    fmt::format("{} holds {} twice", options_.backup_file, it->first));
      });
  MU_CHECK(files_.ReadParts(options_.backup_file,
                            [&](std::string_view part) { return decoder.Feed(part); }));
  MU_CHECK(decoder.Finish());
  switch (meta::GenerationOf(AsKeyValues(backup.keys), scope)) {
    case meta::Generation::k21:
      return backup;
    case meta::Generation::kEmpty:
      return Fail(ErrorCode::kBackupBad,
                  fmt::format("{} holds no metadata of Milvus", options_.backup_file));
    case meta::Generation::k22:
    case meta::Generation::kMixed:
      break;
  }
  return Fail(ErrorCode::kBackupBad,
              fmt::format("{} holds metadata of 2.2, which is nothing to go back to: it was made "
                          "after the migration",
                          options_.backup_file));
}

Result<RollbackJob::Work> RollbackJob::Look(const Backup& backup) {
  ScopeKeys keys;
  MU_TRY(keys, ReadScope(etcd_, patience_, options_.scope, false));
  Work work;
  MU_TRY(const Marker marker, TakeMarker(options_.scope, &keys));
  work.was_cut = marker.stage != Stage::kNone;
  // What the migration adds is known from what it began with. Where that cannot be converted, it
  // cannot have been migrated by us either, and every key is one of someone else.
  std::map<std::string, std::string> added;
  if (auto changes = meta::Convert(AsKeyValues(backup.keys), options_.scope))
    added = std::move(changes->added);
  work.now = std::move(keys.kvs);
  for (const model::KeyValue& kv : work.now) {
    if (!backup.keys.contains(kv.key))
      (added.contains(kv.key) ? work.added : work.new_keys).push_back(&kv);
  }
  return work;
}

Status RollbackJob::CheckNewKeys(const Work& work) const {
  if (work.new_keys.empty() || options_.new_keys != NewKeys::kRefuse) return {};
  std::vector<std::string> names;
  for (const model::KeyValue* kv : work.new_keys) names.push_back("  " + Printable(kv->key));
  const std::size_t count = names.size();
  if (count > 50) {
    names.resize(50);
    names.push_back(fmt::format("  and {} more", count - 50));
  }
  return Fail(
      ErrorCode::kCheckFailed,
      fmt::format("{} keys are neither in the backup nor of the migration: a Milvus that was "
                  "started since has written them\n{}",
                  count, Join(names, "\n")),
      "say what to do with them: --new-keys keep or --new-keys remove");
}

Result<RollbackOutcome> RollbackJob::Run() {
  MU_TRY(const Backup backup, ReadBackup());
  RollbackOutcome outcome;
  outcome.ignored = backup.ignored;
  MU_CHECK(CheckSessions(etcd_, patience_, options_.scope));
  {
    MU_TRY(const Work work, Look(backup));
    MU_CHECK(CheckNewKeys(work));
  }
  MU_CHECK(lock_.Take(listener_));
  MU_CHECK(CheckSessions(etcd_, patience_, options_.scope));
  MU_TRY(const Work work, Look(backup));
  MU_CHECK(CheckNewKeys(work));

  std::map<std::string_view, const model::KeyValue*> now;
  for (const model::KeyValue& kv : work.now) now.emplace(kv.key, &kv);
  std::vector<Edit> restore;
  for (const auto& [key, value] : backup.keys) {
    const auto it = now.find(key);
    if (it == now.end()) {
      restore.push_back({key, value, 0});
    } else if (it->second->value != value) {
      restore.push_back({key, value, it->second->mod_revision});
    }
  }
  std::vector<Edit> remove;
  std::map<std::string, std::string> expected = backup.keys;
  for (const model::KeyValue* kv : work.added)
    remove.push_back({kv->key, std::nullopt, kv->mod_revision});
  for (const model::KeyValue* kv : work.new_keys) {
    if (options_.new_keys == NewKeys::kRemove) {
      remove.push_back({kv->key, std::nullopt, kv->mod_revision});
    } else {
      outcome.kept_new.push_back(kv->key);
      expected.emplace(kv->key, kv->value);
    }
  }
  outcome.restored = restore.size();
  outcome.removed = remove.size();
  if (restore.empty() && remove.empty() && !work.was_cut) return outcome;

  restore.insert(restore.begin(), MarkerOf(options_.scope, Stage::kRollingBack, options_));
  Writer writer(etcd_, lock_, patience_, interrupts_, listener_, options_.scope, has_written_);
  MU_CHECK(writer.Write(std::move(restore), "putting the keys of 2.1 back"));
  MU_CHECK(writer.Write(std::move(remove), "removing the keys of 2.2"));
  MU_CHECK(CheckResult(etcd_, patience_, options_.scope, expected));
  MU_CHECK(writer.Write({MarkerOf(options_.scope, Stage::kNone, options_)}, "ending the rollback"));
  return outcome;
}

}  // namespace mu::migrate
