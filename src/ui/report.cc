// SPDX-License-Identifier: Apache-2.0
#include "ui/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/executor.h"
#include "milvus_upgrade/run/standing.h"

namespace mu::ui {
namespace {

using run::Record;
using run::RecordType;

std::string ValueOf(const run::Evidence& evidence, const std::string& key) {
  const auto it = evidence.find(key);
  return it == evidence.end() ? std::string() : it->second;
}

Millis MillisOf(const run::Evidence& evidence, const std::string& key) {
  const std::string text = ValueOf(evidence, key);
  Millis::rep count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return Millis(count);
}

Report::StepLine LineOf(const plan::Step& step, const std::string& phase,
                        const std::vector<Record>& records) {
  Report::StepLine line;
  line.id = step.id;
  line.title = plan::RowOf(step.kind).title;
  line.phase = phase;
  const run::StepState state = run::StateOf(records, phase, step.id);
  line.attempts = state.attempts;
  bool is_skipped = false;
  bool is_interrupted = false;
  for (const Record& record : records) {
    if (record.step != step.id || record.phase != phase) continue;
    if (record.type == RecordType::kFailed)
      is_interrupted = record.error && record.error->code == ErrorCode::kInterrupted;
    if (record.type == RecordType::kCommand) ++line.children;
    if (record.type == RecordType::kDone) is_skipped = record.is_skipped;
    if (record.type == RecordType::kDone || record.type == RecordType::kFailed)
      line.took += record.took;
  }
  switch (state.last) {
    case run::StepState::Last::kNone:
      line.state = "not started";
      break;
    case run::StepState::Last::kIntent:
      line.state = "unfinished";
      break;
    case run::StepState::Last::kFailed:
      line.state = is_interrupted ? "interrupted" : "failed";
      break;
    case run::StepState::Last::kDone:
      line.state = is_skipped ? "skipped" : "done";
      break;
  }
  return line;
}

// Requests to a Kubernetes API are recorded as children are: method and path.
bool IsRequest(const Record& record) {
  return !record.argv.empty() && record.argv.front() == "kube-api";
}

void AddOutage(const std::vector<Record>& records, Report& report) {
  Millis opened{0};
  for (const Record& record : records) {
    if (record.event == "outage-opened" && !report.is_outage_open) {
      opened = record.at;
      report.is_outage_open = true;
    } else if (record.event == "outage-closed" && report.is_outage_open) {
      report.outage = report.outage.value_or(Millis(0)) + (record.at - opened);
      report.is_outage_open = false;
    }
  }
}

// Whether more than one process worked on the run: one that ended is followed by records, or a step
// was entered again without having ended.
bool WasCut(const std::vector<Record>& records) {
  std::string entered;
  for (const Record& record : records) {
    if (record.type == RecordType::kRunEnded && &record != &records.back()) return true;
    if (record.type == RecordType::kIntent) {
      if (record.phase + record.step == entered) return true;
      entered = record.phase + record.step;
    } else if (record.type == RecordType::kDone || record.type == RecordType::kFailed) {
      entered.clear();
    }
  }
  return false;
}

Report::Probe& ProbeOf(Report& report, const std::string& name) {
  for (Report::Probe& probe : report.probes) {
    if (probe.name == name) return probe;
  }
  Report::Probe& probe = report.probes.emplace_back();
  probe.name = name;
  probe.label = name == "healthz" ? "answers of /healthz, not of searches"
                                  : "exit 0 of the command given with --probe-cmd";
  return probe;
}

void AddProbes(const run::StoredRun& run, Report& report) {
  constexpr std::string_view kNotWritten = "the run did not come to the end of its measurement";
  Report::Probe& healthz = ProbeOf(report, "healthz");
  const bool is_planned = !run.plan.probe_url.empty() || !run.plan.probe_inside.url.empty();
  healthz.not_measured = is_planned                      ? std::string(kNotWritten)
                         : run.plan.probe_reason.empty() ? "/healthz is not reachable from here"
                                                         : run.plan.probe_reason;
  if (!run.plan.probe_command.empty()) ProbeOf(report, "probe-cmd").not_measured = kNotWritten;
  for (const Record& record : run.records) {
    if (record.event == "probe-window") {
      Report::Probe& probe = ProbeOf(report, ValueOf(record.evidence, "probe"));
      const Report::Window window{MillisOf(record.evidence, "from_ms"),
                                  MillisOf(record.evidence, "to_ms")};
      probe.windows.push_back(window);
      probe.total += window.to - window.from;
      probe.longest = std::max(probe.longest, window.to - window.from);
    } else if (record.event == "probe-summary") {
      Report::Probe& probe = ProbeOf(report, ValueOf(record.evidence, "probe"));
      probe.not_measured.clear();
      probe.samples = ValueOf(record.evidence, "samples");
      probe.failed = ValueOf(record.evidence, "failed");
      probe.is_still_open = ValueOf(record.evidence, "still_open") == "true";
      probe.is_partial = WasCut(run.records);
      probe.from = ValueOf(record.evidence, "from");
      probe.ended_early = ValueOf(record.evidence, "ended_early");
    } else if (record.event == "probe-not-measured") {
      Report::Probe& probe = ProbeOf(report, ValueOf(record.evidence, "probe"));
      if (probe.samples.empty()) probe.not_measured = ValueOf(record.evidence, "reason");
    }
  }
}

bool IsBackup(const plan::Plan& plan, const std::string& step) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const plan::Step& candidate) {
    return candidate.id == step && (candidate.kind == plan::StepKind::kSaveSnapshot ||
                                    candidate.kind == plan::StepKind::kBackupKeys ||
                                    candidate.kind == plan::StepKind::kBackupQueue);
  });
}

void AddBackups(const run::StoredRun& run, Report& report) {
  for (const Record& record : run.records) {
    if (record.type != RecordType::kDone || !IsBackup(run.plan, record.step)) continue;
    const auto known =
        std::find_if(report.backups.begin(), report.backups.end(),
                     [&](const Report::Backup& backup) { return backup.step == record.step; });
    Report::Backup& backup = known == report.backups.end() ? report.backups.emplace_back() : *known;
    backup = {record.step, ValueOf(record.evidence, "file"), ValueOf(record.evidence, "sha256"),
              ValueOf(record.evidence, "bytes"), ValueOf(record.evidence, "keys")};
  }
}

std::string_view MigrationPartOf(plan::StepKind kind) {
  switch (kind) {
    case plan::StepKind::kRehearseMigration:
      return "rehearsal";
    case plan::StepKind::kMigrateMetadata:
      return "migration";
    case plan::StepKind::kConfirmMigration:
      return "confirmed";
    case plan::StepKind::kRestoreMetadata:
      return "restored";
    default:
      return "";
  }
}

void AddMigration(const plan::Plan& plan, const std::vector<Record>& records, Report& report) {
  bool has_migration = false;
  bool is_rehearsed = false;
  for (const plan::Step& step : plan.steps) {
    const std::string_view part = MigrationPartOf(step.kind);
    has_migration = has_migration || step.kind == plan::StepKind::kMigrateMetadata;
    is_rehearsed = is_rehearsed || step.kind == plan::StepKind::kRehearseMigration;
    if (part.empty()) continue;
    for (const Record& record : records) {
      if (record.type != RecordType::kDone || record.step != step.id) continue;
      std::vector<std::string> facts;
      for (const auto& [name, value] : record.evidence) {
        std::string words = name;
        std::replace(words.begin(), words.end(), '_', ' ');
        facts.push_back(words + " " + Printable(value));
      }
      report.migration.emplace_back(part, Join(facts, ", "));
    }
  }
  if (has_migration && !is_rehearsed)
    report.migration.emplace_back("rehearsal", "none, as asked for with --no-rehearsal");
}

// The point of no return is the new version's first real start in the step that the plan names.
void AddNoReturn(const run::StoredRun& run, Report& report) {
  report.point_of_no_return = run.plan.point_of_no_return;
  for (const Record& record : run.records) {
    const bool is_past = record.event == "first-start" && !report.point_of_no_return.empty() &&
                         record.step == report.point_of_no_return;
    if (!is_past || report.is_past_no_return) continue;
    report.is_past_no_return = true;
    report.past_no_return_at = record.time;
  }
}

// Each rolled Deployment: what it should run by its patch, what it runs by its gate. A later way
// back has the last word.
void AddComponents(const plan::Plan& plan, const std::string& phase,
                   const std::vector<Record>& records, Report& report) {
  for (const plan::Step& step : plan.steps) {
    const auto* wait = std::get_if<plan::WaitRollout>(&step.args);
    if (wait == nullptr || wait->deployments.size() != 1 || step.id.ends_with("/all")) continue;
    const std::string name = step.id.substr(step.id.rfind('/') + 1);
    const auto known = std::find_if(report.components.begin(), report.components.end(),
                                    [&](const Report::Component& one) { return one.name == name; });
    Report::Component& component =
        known == report.components.end() ? report.components.emplace_back() : *known;
    component.name = name;
    component.wanted = wait->deployments.front().image;
    component.running.clear();
    for (const Record& record : records) {
      const bool is_mine = record.step == step.id || record.step.ends_with("roll/" + name);
      if (record.phase != phase || !is_mine) continue;
      if (record.event == run::kUndone && record.step == step.id)
        component.running = ValueOf(record.evidence, "image");
      if (record.type == RecordType::kDone || record.type == RecordType::kFailed)
        component.took += record.took;
      if (record.type != RecordType::kDone || record.step != step.id) continue;
      component.running = ValueOf(record.evidence, "image");
      component.image_id = ValueOf(record.evidence, "image_id");
      component.pods = ValueOf(record.evidence, "pods");
      component.restarts = ValueOf(record.evidence, "restarts");
      component.gap = component.gap.value_or(Millis(0)) + MillisOf(record.evidence, "gap_ms");
    }
  }
}

std::string ServiceOf(const Report& report) {
  if (report.outcome == "done")
    return fmt::format("Milvus {} is up and passed all gates", report.to);
  if (report.outcome == "rolled-back")
    return fmt::format("Milvus {} was put back and is up", report.from);
  if (report.outcome == "partly-rolled-back")
    return fmt::format("Milvus {} is up, and {} where that was put back", report.to, report.from);
  if (report.outcome == "failed-untouched")
    return fmt::format("Milvus {} was not touched", report.from);
  if (report.outcome == "damaged")
    return "not known: the plan or the journal of this run is damaged";
  if (report.is_outage_open) return "down, or not proven to be up, since the outage began";
  if (report.outage) return "up when the outage was closed; the run is not over";
  return fmt::format("Milvus {} was not stopped", report.from);
}

std::string NextOf(const Report& report, const plan::Plan& plan) {
  const bool is_rolling = plan.kind == plan::PlanKind::kRolling;
  const std::string release =
      is_rolling ? fmt::format(" -n {} -i {}", plan.kube.name_space, plan.instance) : "";
  if (report.outcome == "done" || report.outcome == "damaged" || report.outcome == "running")
    return {};
  if (report.outcome == "rolled-back" || report.outcome == "failed-untouched")
    return is_rolling ? fmt::format("milvus-upgrade rolling{} -t {}", release, plan.to)
                      : fmt::format("milvus-upgrade compose --to {}", report.to);
  return fmt::format("milvus-upgrade resume{} {}", release, report.run);
}

std::optional<Error> ErrorOf(const run::StoredRun& run, const std::string& outcome) {
  if (run.damage) return run.damage;
  if (outcome == "done") return std::nullopt;
  std::optional<Error> error;
  for (const Record& record : run.records) {
    // What made the run go back is the cause; what came after it is not. A signal is the cause only
    // where it was the end.
    if (record.type != RecordType::kFailed || !record.error) continue;
    if (record.error->code == ErrorCode::kInterrupted && outcome != "interrupted") continue;
    if (outcome == "rolled-back" && record.phase != "forward") continue;
    error = record.error;
  }
  return error;
}

}  // namespace

Report MakeReport(const run::StoredRun& run) {
  Report report;
  report.run = run.files.id;
  report.folder = run.files.folder;
  report.kind = run.plan.kind;
  report.instance = run.plan.instance;
  report.engine = run.plan.engine;
  report.from = run.plan.from;
  report.to = run.plan.to;
  report.outcome = run.EndState();
  if (!run.records.empty()) {
    report.started = run.records.front().time;
    report.ended = run.records.back().time;
    report.took = run.records.back().at - run.records.front().at;
    if (run.records.back().type == RecordType::kRunEnded)
      report.exit_code = run.records.back().exit_code;
  }
  for (const plan::Step& step : run.plan.steps)
    report.steps.push_back(LineOf(step, "forward", run.records));
  if (run.rollback) {
    for (const plan::Step& step : run.rollback->steps)
      report.steps.push_back(LineOf(step, "rollback", run.records));
  }
  report.planned_outage = run.plan.EstimatedOutage();
  AddOutage(run.records, report);
  if (report.kind == plan::PlanKind::kRolling) {
    AddComponents(run.plan, "forward", run.records, report);
    if (run.rollback) AddComponents(*run.rollback, "rollback", run.records, report);
    if (report.outcome == "done") report.afterwards = run.plan.afterwards;
  } else {
    AddProbes(run, report);
  }
  AddNoReturn(run, report);
  AddBackups(run, report);
  AddMigration(run.plan, run.records, report);
  if (run.rollback) AddMigration(*run.rollback, run.records, report);
  report.not_backed_up = run.plan.not_backed_up;
  for (const Record& record : run.records) {
    if (record.type != RecordType::kCommand) continue;
    ++(IsRequest(record) ? report.requests : report.children);
  }
  report.error = ErrorOf(run, report.outcome);
  report.service = ServiceOf(report);
  report.next = NextOf(report, run.plan);
  return report;
}

}  // namespace mu::ui
