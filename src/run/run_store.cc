// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/run_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/standing.h"

namespace mu::run {
namespace {

constexpr unsigned kFolderMode = 0700;
constexpr unsigned kFileMode = 0600;
constexpr std::size_t kRoom = 1 << 18;  // the plan of the way back and copies of small files

// "2026-11-25T12:00:00.123Z" -> "20261125-120000".
std::string Stamp(const std::string& wall_time) {
  std::string digits;
  for (const char c : wall_time) {
    if (c >= '0' && c <= '9') digits += c;
  }
  digits.resize(14, '0');
  return digits.substr(0, 8) + "-" + digits.substr(8);
}

// "20261125-120000" -> "20261125-120001": an id sorts, it is no clock.
std::string NextStamp(const std::string& stamp) {
  const std::size_t dash = stamp.find('-');
  return stamp.substr(0, dash + 1) + fmt::format("{:06}", std::stol(stamp.substr(dash + 1)) + 1);
}

std::string ValueOf(const Evidence& evidence, const std::string& name) {
  const auto it = evidence.find(name);
  return it == evidence.end() ? std::string() : it->second;
}

}  // namespace

std::string StoredRun::EndState() const {
  if (is_abandoned) return "abandoned";
  if (damage) return "damaged";
  if (records.empty() || records.back().type != RecordType::kRunEnded)
    return is_live ? "running" : "unfinished";
  const auto outcome = records.back().evidence.find("outcome");
  return outcome == records.back().evidence.end() ? "unfinished" : outcome->second;
}

bool StoredRun::HasTouched() const {
  if (rollback) return true;
  return StandingOf(plan, records).has_touched;
}

// A run that was cut before it touched anything holds nobody up: its backups age, so it is never
// gone on with.
bool StoredRun::IsOpen() const {
  if (is_abandoned) return false;
  if (damage) return true;
  const std::string state = EndState();
  if (state == "done" || state == "rolled-back" || state == "failed-untouched") return false;
  return HasTouched();
}

RunStore::RunStore(ports::Files& files, ports::Clock& clock, std::string state_dir)
    : files_(files), clock_(clock), state_dir_(std::move(state_dir)) {}

Result<std::unique_ptr<ports::FileLock>> RunStore::Lock(const std::string& holder) {
  MU_CHECK(files_.MakeFolders(state_dir_, kFolderMode));
  const std::string ignore = state_dir_ + "/.gitignore";
  MU_TRY(const auto facts, files_.Stat(ignore));
  if (!facts) MU_CHECK(files_.Replace(ignore, "*\n", kFileMode));
  return files_.Lock(state_dir_ + "/lock", holder);
}

Result<RunFiles> RunStore::Create(const plan::Plan& plan) {
  // Two machines may begin the same plan in the same second, and a lock is known by its run.
  const std::string chance = fmt::format("{} {}", plan::HashOf(plan), std::random_device()());
  std::string stamp = Stamp(clock_.WallTime());
  MU_TRY(const std::vector<std::string> ids, Ids());
  // The clock may have been set back, and the newest run is the one that sorts last.
  if (!ids.empty()) stamp = std::max(stamp, ids.back().substr(0, stamp.size()));
  RunFiles run;
  for (int salt = 0; run.id.empty(); ++salt) {
    const std::string id =
        fmt::format("{}-{}", stamp, Sha256(fmt::format("{} {}", chance, salt)).substr(0, 4));
    MU_TRY(const auto taken, files_.Stat(state_dir_ + "/" + id));
    // Within one second, the later run must sort later.
    if (taken || (!ids.empty() && id <= ids.back() && ids.back().starts_with(stamp))) {
      if (salt % 10'000 == 9'999) stamp = NextStamp(stamp);
      continue;
    }
    run.id = id;
  }
  run.folder = state_dir_ + "/" + run.id;
  for (const char* folder : {"", "/files", "/backup", "/logs"})
    MU_CHECK(files_.MakeFolders(run.folder + folder, kFolderMode));
  MU_CHECK(files_.Create(run.RoomPath(), std::string(kRoom, ' '), kFileMode));
  MU_CHECK(files_.Create(run.PlanPath(), FormatPlan(plan), kFileMode));
  return run;
}

Result<bool> RunStore::IsLive(const StoredRun& run) {
  if (run.EndState() != "unfinished") return false;
  MU_TRY(const bool is_held, files_.IsLocked(state_dir_ + "/lock"));
  if (!is_held || run.IsOpen()) return is_held;
  MU_TRY(const std::vector<std::string> ids, Ids());
  return !ids.empty() && ids.back() == run.files.id;
}

Status RunStore::SaveRollback(const RunFiles& run, const plan::Plan& rollback) {
  MU_CHECK(files_.Replace(run.RollbackPath(), FormatPlan(rollback), kFileMode));
  // One that was given up is open again: cut on its way back, it is not left there.
  MU_TRY(const auto abandoned, files_.Stat(run.AbandonedPath()));
  return abandoned ? files_.RemoveTree(run.AbandonedPath()) : Status();
}

Status RunStore::DropRollback(const RunFiles& run) { return files_.RemoveTree(run.RollbackPath()); }

Result<bool> RunStore::GiveRoom(const RunFiles& run) {
  MU_TRY(const auto facts, files_.Stat(run.RoomPath()));
  if (!facts) return false;
  MU_CHECK(files_.RemoveTree(run.RoomPath()));
  return true;
}

Status RunStore::Abandon(const RunFiles& run, const std::string& why) {
  return files_.Replace(run.AbandonedPath(), why + "\n", kFileMode);
}

Status RunStore::Remove(const RunFiles& run) {
  // The plan goes first: a folder without one is no run, wherever a cut leaves the rest.
  MU_CHECK(files_.RemoveTree(run.PlanPath()));
  return files_.RemoveTree(run.folder);
}

Result<std::vector<std::string>> RunStore::Ids() {
  MU_TRY(const auto facts, files_.Stat(state_dir_));
  if (!facts) return std::vector<std::string>();
  MU_TRY(const std::vector<std::string> names, files_.List(state_dir_));
  std::vector<std::string> ids;
  for (const std::string& name : names) {
    // A folder without a plan never became a run: it was cut while it was made.
    MU_TRY(const auto plan_file, files_.Stat(state_dir_ + "/" + name + "/plan.json"));
    if (plan_file) ids.push_back(name);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<StoredRun> RunStore::Load(const std::string& id) {
  StoredRun run;
  run.files = {id, state_dir_ + "/" + id};
  MU_TRY(const auto facts, files_.Stat(run.files.PlanPath()));
  if (!facts)
    return Fail(ErrorCode::kNoSuchRun, fmt::format("there is no run {} in {}", id, state_dir_));
  const auto damaged = [&](Error error, const std::string& path) {
    if (!run.damage) run.damage = std::move(error).WithContext("reading " + path);
  };
  MU_TRY(const std::string plan_text, files_.Read(run.files.PlanPath()));
  std::string hash;
  auto plan = plan::ParsePlan(plan_text, &hash);
  plan ? void(run.plan = *std::move(plan)) : damaged(std::move(plan).error(), run.files.PlanPath());

  MU_TRY(const auto abandoned, files_.Stat(run.files.AbandonedPath()));
  run.is_abandoned = abandoned.has_value();

  MU_TRY(const auto has_rollback, files_.Stat(run.files.RollbackPath()));
  if (has_rollback) {
    MU_TRY(const std::string text, files_.Read(run.files.RollbackPath()));
    auto rollback = plan::ParsePlan(text);
    rollback ? void(run.rollback = *std::move(rollback))
             : damaged(std::move(rollback).error(), run.files.RollbackPath());
  }
  MU_TRY(const auto has_journal, files_.Stat(run.files.JournalPath()));
  if (has_journal) {
    MU_TRY(const std::string bytes, files_.Read(run.files.JournalPath()));
    auto contents = ParseJournal(bytes);
    contents ? void(run.records = std::move(contents->records))
             : damaged(std::move(contents).error(), run.files.JournalPath());
  }
  if (!run.damage && !run.records.empty() && run.records.front().type == RecordType::kRunStarted &&
      ValueOf(run.records.front().evidence, "plan_hash") != hash)
    damaged(Error{ErrorCode::kPlanDamaged,
                  "it is not the plan that the journal was begun with: their hashes differ",
                  "",
                  {}},
            run.files.PlanPath());
  return run;
}

Result<std::vector<StoredRun>> RunStore::NewestFirst() {
  MU_TRY(const std::vector<std::string> ids, Ids());
  std::vector<StoredRun> runs;
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    MU_TRY(runs.emplace_back(), Load(*id));
  }
  return runs;
}

Result<StoredRun> RunStore::Find(const std::string& id_or_prefix) {
  MU_TRY(const std::vector<std::string> ids, Ids());
  if (ids.empty()) return Fail(ErrorCode::kNoSuchRun, "there is no run in " + state_dir_);
  if (id_or_prefix.empty()) return Load(ids.back());
  std::vector<std::string> found;
  for (const std::string& id : ids) {
    if (id == id_or_prefix) return Load(id);
    if (id.starts_with(id_or_prefix)) found.push_back(id);
  }
  if (found.size() == 1) return Load(found.front());
  if (found.empty()) {
    return Fail(ErrorCode::kNoSuchRun,
                fmt::format("no run in {} begins with \"{}\"", state_dir_, id_or_prefix));
  }
  return Fail(ErrorCode::kNoSuchRun, fmt::format("\"{}\" is the beginning of several runs: {}",
                                                 id_or_prefix, Join(found, ", ")));
}

}  // namespace mu::run
