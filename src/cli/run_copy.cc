// SPDX-License-Identifier: Apache-2.0
#include "cli/run_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/lease_lock.h"
#include "effects/kept_release.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/run/journal.h"

namespace mu::cli {
namespace {

constexpr char kManagedBy[] = "app.kubernetes.io/managed-by";
constexpr char kPlanFile[] = "plan.json";
constexpr char kRollbackFile[] = "rollback.json";
constexpr unsigned kFolderMode = 0700;
constexpr unsigned kFileMode = 0600;

std::string KeptFileOf(const plan::Plan& plan) {
  for (const plan::Step& step : plan.steps) {
    if (const auto* keep = std::get_if<plan::KeepRelease>(&step.args)) return keep->file;
  }
  return {};
}

run::Record RecordOf(run::RecordType type, const std::string& step) {
  run::Record record;
  record.type = type;
  record.step = step;
  return record;
}

// What is done before the first change is done: the copy is made then. Of each change it is open
// how far it came.
std::vector<run::Record> RecordsOf(const plan::Plan& plan) {
  std::vector<run::Record> records;
  run::Record started;
  started.type = run::RecordType::kRunStarted;
  started.evidence = {{"plan_hash", plan::HashOf(plan)},
                      {"tool_version", plan.tool_version},
                      {"format", std::to_string(run::kJournalFormat)}};
  records.push_back(std::move(started));
  bool is_before = true;
  for (const plan::Step& step : plan.steps) {
    const bool changes = step.undo != plan::Undo::kNone;
    is_before = is_before && !changes;
    if (is_before) {
      records.push_back(RecordOf(run::RecordType::kDone, step.id));
    } else if (changes) {
      records.push_back(RecordOf(run::RecordType::kIntent, step.id));
      records.back().attempt = 1;
    }
  }
  for (run::Record& record : records) record.phase = "forward";
  return records;
}

}  // namespace

Result<CopiedRun> CopyOf(ports::Files& files, const LockHolder& holder, const plan::Plan& plan) {
  const std::string folder = holder.state_dir + "/" + holder.run + "/";
  CopiedRun copy{holder, {{kPlanFile, plan::FormatPlan(plan)}}};
  const std::string name = KeptFileOf(plan);
  MU_TRY(const std::string text, files.Read(folder + name));
  MU_TRY(const effects::KeptRelease kept, effects::ParseKept(text));
  copy.files[name] = effects::FormatKept(effects::ByReference(kept, plan));
  // Of the client's answer the hash is enough: it may tell of data.
  MU_TRY(const auto answer, files.Stat(folder + effects::kVerifyBefore));
  if (answer) {
    MU_TRY(const std::string before, files.Read(folder + effects::kVerifyBefore));
    copy.files[effects::kVerifyBeforeHash] = Sha256(before);
  }
  MU_TRY(const auto rollback, files.Stat(folder + kRollbackFile));
  if (rollback) {
    MU_TRY(copy.files[kRollbackFile], files.Read(folder + kRollbackFile));
  }
  return copy;
}

Result<run::StoredRun> StoredRunOf(const CopiedRun& copy) {
  run::StoredRun stored;
  stored.files = {copy.holder.run,
                  copy.holder.state_dir + "/" + copy.holder.run + " of host " + copy.holder.host};
  const auto plan = copy.files.find(kPlanFile);
  if (plan == copy.files.end())
    return Fail(ErrorCode::kPlanDamaged,
                fmt::format("the copy of run {} holds no plan", copy.holder.run));
  MU_TRY(stored.plan, plan::ParsePlan(plan->second));
  const auto rollback = copy.files.find(kRollbackFile);
  if (rollback != copy.files.end()) {
    MU_TRY(stored.rollback, plan::ParsePlan(rollback->second));
  }
  stored.records = RecordsOf(stored.plan);
  return stored;
}

Status Adopt(ports::Files& files, ports::Clock& clock, const run::RunStore& store,
             const CopiedRun& copy) {
  MU_TRY(const run::StoredRun stored, StoredRunOf(copy));
  const run::RunFiles run{copy.holder.run, store.StateDir() + "/" + copy.holder.run};
  MU_CHECK(files.MakeFolders(run.folder, kFolderMode));
  MU_TRY(const auto has_journal, files.Stat(run.JournalPath()));
  if (has_journal) MU_CHECK(files.RemoveTree(run.JournalPath()));
  MU_TRY(const auto journal, run::Journal::Open(files, clock, run.JournalPath()));
  for (const run::Record& record : stored.records) MU_CHECK(journal->Append(record));
  // The plan is the last: a folder without one is no run yet.
  for (const auto& [name, text] : copy.files) {
    if (name != kPlanFile && name.find('/') == std::string::npos)
      MU_CHECK(files.Replace(run.folder + "/" + name, text, kFileMode));
  }
  return files.Replace(run.PlanPath(), copy.files.at(kPlanFile), kFileMode);
}

Status RunCopy::Save(const CopiedRun& run) {
  model::ConfigMap copy;
  copy.meta.name = name_;
  copy.meta.labels = {{kManagedBy, "milvus-upgrade"}};
  copy.meta.annotations = AnnotationsOf(run.holder);
  copy.data = run.files;
  auto created = kube_.Create(copy);
  if (created) {
    saved_ = *std::move(created);
    return {};
  }
  if (created.error().code != ErrorCode::kKubeConflict) return Fail(std::move(created).error());
  MU_TRY(const auto found, kube_.GetConfigMap(name_));
  if (!found) return Fail(std::move(created).error());
  copy.meta.uid = found->meta.uid;
  copy.meta.resource_version = found->meta.resource_version;
  MU_TRY(saved_, kube_.Replace(copy));
  return {};
}

Result<std::optional<CopiedRun>> RunCopy::Load() {
  MU_TRY(const auto found, kube_.GetConfigMap(name_));
  if (!found || HolderOf(found->meta).run.empty()) return std::nullopt;
  return CopiedRun{HolderOf(found->meta), found->data};
}

Status RunCopy::Remove(const std::string& run) {
  std::optional<model::ConfigMap> known = std::exchange(saved_, std::nullopt);
  if (!known) {
    MU_TRY(known, kube_.GetConfigMap(name_));
  }
  if (!known || HolderOf(known->meta).run != run) return {};
  return kube_.DeleteConfigMap(known->meta);
}

}  // namespace mu::cli
