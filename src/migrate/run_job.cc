// SPDX-License-Identifier: Apache-2.0
#include "migrate/run_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "migrate/backup_job.h"
#include "migrate/backup_read.h"
#include "migrate/etcd_check.h"
#include "milvus_upgrade/base/text.h"

namespace mu::migrate {
namespace {

constexpr std::pair<Stage, std::string_view> kStages[] = {
    {Stage::kAdding, "adding"},
    {Stage::kFinishing, "finishing"},
    {Stage::kRollingBack, "rolling-back"},
};

const model::KeyValue* Find(const std::vector<model::KeyValue>& kvs, const std::string& key) {
  const auto it = std::lower_bound(
      kvs.begin(), kvs.end(), key,
      [](const model::KeyValue& kv, const std::string& wanted) { return kv.key < wanted; });
  return it != kvs.end() && it->key == key ? &*it : nullptr;
}

RunOutcome OutcomeOf(RunOutcome::Kind kind, const meta::Changes& changes) {
  RunOutcome outcome;
  outcome.kind = kind;
  outcome.added = changes.added.size();
  outcome.replaced = changes.replaced.size();
  outcome.removed = changes.removed.size();
  outcome.summary = changes.summary;
  outcome.losses = changes.losses;
  return outcome;
}

// What etcd would refuse in the middle of a run is refused before it.
Status CheckSizes(const meta::Changes& changes) {
  std::vector<std::string> large;
  for (const auto* part : {&changes.added, &changes.replaced}) {
    for (const auto& [key, value] : *part) {
      if (2 * key.size() + value.size() > kMaxBytes)
        large.push_back(
            fmt::format("{}: {} bytes, more than etcd takes in one request", key, value.size()));
    }
  }
  if (large.empty()) return {};
  return Fail(ErrorCode::kMetaUnconvertible, Join(large, "\n"));
}

}  // namespace

Edit MarkerOf(const meta::Scope& scope, Stage stage, const Options& options) {
  const auto* row = std::find_if(std::begin(kStages), std::end(kStages),
                                 [&](const auto& item) { return item.first == stage; });
  if (row == std::end(kStages)) return {scope.Marker(), std::nullopt, std::nullopt};
  return {scope.Marker(),
          boost::json::serialize(boost::json::object{{"stage", row->second},
                                                     {"source", options.source},
                                                     {"target", options.target},
                                                     {"by", options.who}}),
          std::nullopt};
}

Result<Marker> TakeMarker(const meta::Scope& scope, ScopeKeys* keys) {
  const model::KeyValue* marker = Find(keys->kvs, scope.Marker());
  if (marker == nullptr) return Marker{};
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(marker->value, error);
  const boost::json::value* stage =
      value.is_object() ? value.as_object().if_contains("stage") : nullptr;
  for (const auto& [known, name] : kStages) {
    if (stage != nullptr && stage->is_string() && stage->as_string() == name) {
      const Marker found{known, marker->create_revision};
      keys->kvs.erase(keys->kvs.begin() + (marker - keys->kvs.data()));
      return found;
    }
  }
  return Fail(ErrorCode::kMetaCut,
              fmt::format("{} is of another version of this tool: {}", scope.Marker(),
                          Printable(marker->value)),
              "go on with that version, or roll back from the backup");
}

Status CheckScope(ports::EtcdClient& etcd, Patience& patience, const meta::Scope& scope,
                  const ScopeKeys& keys) {
  if (!keys.kvs.empty()) return {};
  MU_TRY(const std::vector<std::string> roots, RootsIn(etcd, patience));
  return Fail(
      ErrorCode::kMetaWrongScope,
      fmt::format("there is nothing under {} in {}; {}", scope.Prefix(), etcd.Name(),
                  roots.empty() ? "no metadata of Milvus was found under any path of two parts"
                                : "Milvus has its metadata under " + Join(roots, ", ")));
}

Status CheckSessions(ports::EtcdClient& etcd, Patience& patience, const meta::Scope& scope) {
  MU_TRY(const auto live, LiveSessions(etcd, patience, scope));
  if (live.empty()) return {};
  std::vector<std::string> names;
  for (const model::KeyValue& kv : live)
    names.push_back(
        fmt::format("{} ({})", kv.key.substr(scope.Sessions().size()), Printable(kv.value)));
  const ports::PageQuery look{scope.Marker(), "", 0, 0, true};
  MU_TRY(const ports::KeyPage marker, patience.Ask([&] { return etcd.GetPage(look); }));
  return Fail(ErrorCode::kLiveSessions,
              fmt::format("Milvus processes have sessions under {}: {}{}", scope.Sessions(),
                          Join(names, ", "),
                          marker.kvs.empty() ? "" : "; and the metadata is half migrated"),
              marker.kvs.empty()
                  ? "stop them; one that was killed keeps its session for up to a minute"
                  : "stop them and start none: a migration was cut; run it again, or roll back");
}

Status CheckResult(ports::EtcdClient& etcd, Patience& patience, const meta::Scope& scope,
                   const std::map<std::string, std::string>& expected) {
  MU_TRY(ScopeKeys keys, ReadScope(etcd, patience, scope, false));
  std::vector<std::string> wrong;
  std::size_t found = 0;
  for (const model::KeyValue& kv : keys.kvs) {
    if (kv.key == scope.Marker()) continue;
    const auto it = expected.find(kv.key);
    if (it == expected.end() || it->second != kv.value) wrong.push_back(kv.key);
    if (it != expected.end()) ++found;
  }
  if (found != expected.size())
    wrong.push_back(fmt::format("{} keys are missing", expected.size() - found));
  if (wrong.empty()) return {};
  const std::size_t count = wrong.size();
  if (count > 10) wrong.resize(10);
  return Fail(ErrorCode::kMigrationLost,
              fmt::format("etcd does not hold what was written to it; {} keys differ: {}", count,
                          Join(wrong, ", ")));
}

Result<RunJob::Found> RunJob::Look() {
  const meta::Scope& scope = options_.scope;
  Found found;
  MU_TRY(found.keys, ReadScope(etcd_, patience_, scope, false));
  MU_CHECK(CheckScope(etcd_, patience_, scope, found.keys));
  MU_TRY(found.marker, TakeMarker(scope, &found.keys));
  const std::vector<model::KeyValue>& kvs = found.keys.kvs;
  if (found.marker.stage == Stage::kRollingBack)
    return Fail(ErrorCode::kMetaCut, "a rollback of this metadata was cut",
                "run the rollback again to its end, then migrate");
  if (found.marker.stage == Stage::kFinishing) {
    MU_TRY(found.changes, meta::FinishConversion(kvs, scope));
    return found;
  }
  const auto has = [&](const char* part) {
    return std::any_of(kvs.begin(), kvs.end(), [&](const model::KeyValue& kv) {
      return kv.key.starts_with(scope.Prefix() + part);
    });
  };
  if (has("datacoord-meta/s/") && !has("root-coord/collection/"))
    return Fail(ErrorCode::kMetaUnconvertible,
                fmt::format("under {} there are segments and no collection: the metadata is not "
                            "whole",
                            scope.Prefix()),
                "restore it from a backup before anything else");
  const meta::Generation generation = meta::GenerationOf(kvs, scope);
  if (found.marker.stage == Stage::kNone) {
    found.is_done = generation == meta::Generation::k22 || generation == meta::Generation::kEmpty;
    if (found.is_done) return found;
    if (generation == meta::Generation::kMixed)
      return Fail(ErrorCode::kMetaCut,
                  fmt::format("under {} there are keys of 2.1 and of 2.2", scope.Prefix()));
  }
  auto changes = meta::Convert(kvs, scope);
  if (!changes && found.marker.stage == Stage::kAdding)
    changes.error().hint =
        "a migration was cut before and a Milvus 2.1 has written since: roll back from the backup "
        "of that migration with --new-keys keep, then migrate again";
  if (!changes) return Fail(std::move(changes).error());
  found.changes = *std::move(changes);
  MU_CHECK(CheckSizes(found.changes));
  for (const auto& [key, value] : found.changes.added) {
    const model::KeyValue* there = Find(kvs, key);
    if (there == nullptr || there->value == value) continue;
    return Fail(
        ErrorCode::kMetaCut,
        fmt::format("{} is there already, with another value than the migration gives it", key));
  }
  return found;
}

Result<RunOutcome> RunJob::Rehearse() {
  MU_CHECK(CheckEtcd(etcd_, patience_, listener_, Use::kWrite));
  MU_TRY(const auto live, LiveSessions(etcd_, patience_, options_.scope));
  if (!live.empty())
    listener_.Note(
        fmt::format("{} Milvus processes are running: what they change from now on is "
                    "not in this",
                    live.size()));
  MU_TRY(const Found found, Look());
  if (found.marker.stage != Stage::kNone)
    listener_.Note("a migration of this metadata was cut; a run goes on with it");
  if (options_.backup_file.empty()) {
    listener_.Note("cmd.runWithBackup is not true: a run will make no backup");
  } else {
    const std::string folder = options_.backup_file.substr(0, options_.backup_file.rfind('/'));
    MU_TRY(const auto place, files_.Stat(folder.empty() ? "/" : folder));
    if (!place || !place->is_folder)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("there is no folder {} for the backup", folder),
                  "make it, or correct config.backupFilePath");
  }
  return OutcomeOf(found.is_done ? RunOutcome::Kind::kNothingToDo : RunOutcome::Kind::kRehearsed,
                   found.changes);
}

Status RunJob::SaveBackup(const Found& found, RunOutcome* outcome) {
  if (options_.backup_file.empty()) {
    if (!options_.is_backed_up)
      listener_.Note("no backup is made: there will be nothing to roll back to");
    return {};
  }
  MU_TRY(const auto existing, files_.Stat(options_.backup_file));
  if (existing && found.marker.stage != Stage::kNone) {
    MU_TRY(const SavedKeys saved, ReadBackup(files_, options_.scope, options_.backup_file));
    listener_.Note(fmt::format("the backup of the run that was cut is whole ({} keys) and kept: {}",
                               saved.keys.size(), options_.backup_file));
    return {};
  }
  if (found.marker.stage == Stage::kFinishing)
    return Fail(ErrorCode::kBackupBad,
                fmt::format("a run was cut after its backup, and {} is not there: the metadata as "
                            "it was can no longer be read from etcd",
                            options_.backup_file),
                "put the backup of that run there, or set cmd.runWithBackup: false to complete it "
                "without");
  std::set<std::string> ours{options_.scope.Marker()};
  for (const model::KeyValue& kv : found.keys.kvs) {
    if (found.marker.stage == Stage::kAdding && kv.create_revision >= found.marker.since)
      ours.insert(kv.key);
  }
  BackupJob job{etcd_,          files_, patience_, listener_, options_.scope, options_.backup_file,
                std::move(ours)};
  MU_TRY(outcome->backup, job.Save());
  listener_.Note(fmt::format("backup: {} keys, {} bytes, SHA-256 {}, in {}", outcome->backup->keys,
                             outcome->backup->bytes, outcome->backup->sha256,
                             outcome->backup->file));
  return {};
}

Status RunJob::CheckUnchanged(const Found& found) {
  MU_TRY(const ScopeKeys now, ReadScope(etcd_, patience_, options_.scope, true));
  std::size_t same = 0;
  for (const model::KeyValue& kv : now.kvs) {
    if (kv.key == options_.scope.Marker()) continue;
    const model::KeyValue* read = Find(found.keys.kvs, kv.key);
    if (read == nullptr || read->mod_revision != kv.mod_revision)
      return Fail(
          ErrorCode::kMigrationLost,
          fmt::format("{} was written by someone after it was read; nothing was touched", kv.key));
    ++same;
  }
  if (same == found.keys.kvs.size()) return {};
  return Fail(ErrorCode::kMigrationLost,
              "keys were removed by someone after they were read; nothing was touched");
}

Status RunJob::Apply(const Found& found) {
  Writer writer(etcd_, lock_, patience_, interrupts_, listener_, options_.scope, has_written_);
  const auto seen = [&](const std::string& key) -> std::int64_t {
    const model::KeyValue* there = Find(found.keys.kvs, key);
    return there == nullptr ? 0 : there->mod_revision;
  };
  if (found.marker.stage != Stage::kFinishing) {
    std::vector<Edit> add{MarkerOf(options_.scope, Stage::kAdding, options_)};
    for (const auto& [key, value] : found.changes.added) add.push_back({key, value, 0});
    MU_CHECK(writer.Write(std::move(add), "adding the keys of 2.2"));
  }
  std::vector<Edit> replace{MarkerOf(options_.scope, Stage::kFinishing, options_)};
  for (const auto& [key, value] : found.changes.replaced)
    replace.push_back({key, value, seen(key)});
  MU_CHECK(writer.Write(std::move(replace), "replacing the collections"));
  std::vector<Edit> remove;
  for (const std::string& key : found.changes.removed)
    remove.push_back({key, std::nullopt, seen(key)});
  MU_CHECK(writer.Write(std::move(remove), "removing the keys of 2.1"));

  std::map<std::string, std::string> expected = found.changes.added;
  expected.insert(found.changes.replaced.begin(), found.changes.replaced.end());
  for (const model::KeyValue& kv : found.keys.kvs) {
    if (!found.changes.removed.contains(kv.key)) expected.emplace(kv.key, kv.value);
  }
  MU_CHECK(CheckResult(etcd_, patience_, options_.scope, expected));
  return writer.Write({MarkerOf(options_.scope, Stage::kNone, options_)}, "ending the migration");
}

Result<RunOutcome> RunJob::Run() {
  // Looked at before the lock is taken, so that what is refused leaves no trace.
  MU_CHECK(CheckEtcd(etcd_, patience_, listener_, Use::kWrite));
  MU_CHECK(CheckSessions(etcd_, patience_, options_.scope));
  MU_TRY(Found found, Look());
  if (found.is_done) return OutcomeOf(RunOutcome::Kind::kNothingToDo, found.changes);
  MU_CHECK(lock_.Take(listener_));
  MU_CHECK(CheckSessions(etcd_, patience_, options_.scope));
  // Whoever held the lock before us may have written: then what was found is of the past.
  if (const Status same = CheckUnchanged(found); !same) {
    if (same.error().code != ErrorCode::kMigrationLost) return Fail(same.error());
    MU_TRY(found, Look());
    if (found.is_done) return OutcomeOf(RunOutcome::Kind::kNothingToDo, found.changes);
  }
  RunOutcome outcome = OutcomeOf(found.marker.stage == Stage::kNone ? RunOutcome::Kind::kMigrated
                                                                    : RunOutcome::Kind::kCompleted,
                                 found.changes);
  if (found.marker.stage != Stage::kNone)
    listener_.Note("a migration of this metadata was cut; it is gone on with");
  MU_CHECK(SaveBackup(found, &outcome));
  MU_CHECK(lock_.Keep());
  MU_CHECK(CheckUnchanged(found));
  MU_CHECK(Apply(found));
  return outcome;
}

}  // namespace mu::migrate
