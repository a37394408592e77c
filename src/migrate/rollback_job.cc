// SPDX-License-Identifier: Apache-2.0
#include "migrate/rollback_job.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "migrate/run_job.h"
#include "migrate/writer.h"
#include "milvus_upgrade/base/text.h"

namespace mu::migrate {

Result<RollbackJob::Work> RollbackJob::Look(const SavedKeys& backup, const meta::Changes& changes) {
  const meta::Scope& scope = options_.scope;
  ScopeKeys keys;
  MU_TRY(keys, ReadScope(etcd_, patience_, scope, false));
  Work work;
  const auto marker = TakeMarker(scope, &keys);
  if (!marker && marker.error().code != ErrorCode::kMetaCut) return Fail(marker.error());
  // Whatever was cut, and by which version of this tool: the backup is what it goes back to.
  work.was_cut = !marker || marker->stage != Stage::kNone;
  std::erase_if(keys.kvs, [&](const model::KeyValue& kv) { return kv.key == scope.Marker(); });
  work.now = std::move(keys.kvs);
  std::set<std::string_view> present;
  for (const model::KeyValue& kv : work.now) {
    present.insert(kv.key);
    const auto saved = backup.keys.find(kv.key);
    if (saved == backup.keys.end()) {
      (changes.added.contains(kv.key) ? work.added : work.new_keys).push_back(&kv);
      continue;
    }
    const auto replaced = changes.replaced.find(kv.key);
    const bool is_known = kv.value == saved->second ||
                          (replaced != changes.replaced.end() && kv.value == replaced->second) ||
                          kv.key == scope.SessionCounter();
    if (!is_known) work.changed.push_back(kv.key + " (changed)");
  }
  for (const auto& [key, value] : backup.keys) {
    if (!present.contains(key) && !changes.removed.contains(key))
      work.changed.push_back(key + " (removed)");
  }
  return work;
}

Status RollbackJob::CheckNewKeys(const Work& work) const {
  if (options_.new_keys != NewKeys::kRefuse) return {};
  std::vector<std::string> names;
  for (const model::KeyValue* kv : work.new_keys) names.push_back("  " + Printable(kv->key));
  if (!options_.is_cut_by_tool) {
    for (const std::string& name : work.changed) names.push_back("  " + Printable(name));
  }
  if (names.empty()) return {};
  const std::size_t count = names.size();
  if (count > 50) {
    names.resize(50);
    names.push_back(fmt::format("  and {} more", count - 50));
  }
  return Fail(
      ErrorCode::kCheckFailed,
      fmt::format("{} keys are neither as in the backup nor as the migration leaves them: a "
                  "Milvus that was started since has written\n{}",
                  count, Join(names, "\n")),
      "what was changed or removed will be put back; say what becomes of new keys, if there "
      "are any: --new-keys keep or --new-keys remove");
}

Result<RollbackOutcome> RollbackJob::Run() {
  MU_TRY(const SavedKeys backup, ReadBackup(files_, options_.scope, options_.backup_file));
  if (!backup.has_sha256)
    listener_.Note(fmt::format("there is no {}: damage inside a value of the backup cannot be seen",
                               Sha256FileOf(options_.backup_file)));
  // What the migration does is known from what it began with. Where that cannot be converted, it
  // cannot have been migrated by us either, and every key is one of someone else.
  meta::Changes changes;
  if (auto converted = meta::Convert(backup.Listed(), options_.scope))
    changes = *std::move(converted);
  RollbackOutcome outcome;
  outcome.ignored = backup.ignored;
  MU_CHECK(CheckSessions(etcd_, patience_, options_.scope));
  {
    MU_TRY(const Work work, Look(backup, changes));
    MU_CHECK(CheckNewKeys(work));
  }
  MU_CHECK(lock_.Take(listener_));
  MU_CHECK(CheckSessions(etcd_, patience_, options_.scope));
  MU_TRY(const Work work, Look(backup, changes));
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
  outcome.was_cut = work.was_cut;
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
