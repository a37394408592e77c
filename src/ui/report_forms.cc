// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "milvus_upgrade/base/table.h"
#include "milvus_upgrade/base/text.h"
#include "ui/report.h"

namespace mu::ui {
namespace {

std::string OutageText(const Report& report) {
  std::string text = report.outage           ? FormatDuration(*report.outage) + " by the journal"
                     : report.is_outage_open ? "not over"
                                             : "none";
  if (report.outage && report.is_outage_open) text += ", and opened again, not over";
  return text + fmt::format(" (predicted {})", FormatDuration(report.planned_outage));
}

std::string ProbeText(const Report::Probe& probe) {
  if (!probe.not_measured.empty()) return "not measured: " + probe.not_measured;
  const std::string label = probe.label + (probe.from.empty() ? "" : ", from " + probe.from);
  const std::string early =
      probe.ended_early.empty() ? "" : "; not seen to the end: " + probe.ended_early;
  if (probe.windows.empty())
    return fmt::format("no failed answer of {} ({}{})", probe.samples, label, early);
  std::vector<std::string> windows;
  for (const Report::Window& window : probe.windows)
    windows.push_back(
        fmt::format("{} to {}", FormatDuration(window.from), FormatDuration(window.to)));
  std::string text = FormatDuration(probe.total) + " without a right answer";
  if (probe.windows.size() > 1) text += ", longest " + FormatDuration(probe.longest);
  if (probe.is_still_open) text += ", still so at the end";
  if (probe.is_partial) text += ", without the time in which the run was cut";
  return text + fmt::format(" ({}; {} of {} failed; {}{})", label, probe.failed, probe.samples,
                            Join(windows, ", "), early);
}

std::string NoReturnText(const Report& report) {
  if (report.is_past_no_return)
    return fmt::format("passed in step {} at {}", report.point_of_no_return,
                       report.past_no_return_at);
  if (report.point_of_no_return.empty()) return "this upgrade has none";
  return fmt::format("step {}, not passed", report.point_of_no_return);
}

std::string BackupText(const Report::Backup& backup) {
  std::string text = fmt::format("{}, {} bytes", backup.path, backup.bytes);
  if (!backup.keys.empty()) text += fmt::format(", {} keys", backup.keys);
  return text + ", SHA-256 " + backup.sha256;
}

std::string ComponentText(const Report::Component& component) {
  std::string text = component.running.empty()
                         ? fmt::format("{} wanted, not proven", component.wanted)
                         : fmt::format("{} ({})", component.running, component.image_id);
  if (!component.pods.empty())
    text += fmt::format(", pods {}, restarts {}", component.pods, component.restarts);
  if (component.took.count() > 0) text += ", took " + FormatDuration(component.took);
  if (component.gap) {
    text += component.gap->count() == 0 ? ", always a ready pod"
                                        : ", no ready pod for " + FormatDuration(*component.gap);
  }
  return text;
}

std::string ExitText(const Report& report) {
  return report.exit_code ? std::to_string(*report.exit_code) : "none: the run was cut";
}

// The facts in the order in which a reader wants them, for text and Markdown alike.
std::vector<std::pair<std::string, std::string>> FactsOf(const Report& report) {
  const bool is_rolling = report.kind == plan::PlanKind::kRolling;
  std::vector<std::pair<std::string, std::string>> facts = {
      {"service", report.service},
      {is_rolling ? "release" : "project", report.instance},
      {is_rolling ? "cluster" : "engine", report.engine},
      {"started", report.started},
      {"last record", report.ended},
      {"took", FormatDuration(report.took)},
      {"exit code", ExitText(report)},
      {"outage", OutageText(report)},
  };
  for (const Report::Probe& probe : report.probes)
    facts.emplace_back(probe.name == "healthz" ? "/healthz" : probe.name, ProbeText(probe));
  facts.emplace_back("point of no return", NoReturnText(report));
  facts.insert(facts.end(), report.migration.begin(), report.migration.end());
  for (const Report::Component& component : report.components)
    facts.emplace_back(component.name, ComponentText(component));
  for (const Report::Backup& backup : report.backups)
    facts.emplace_back("backup", BackupText(backup));
  for (const std::string& what : report.not_backed_up) facts.emplace_back("not backed up", what);
  if (is_rolling) {
    facts.emplace_back("requests", std::to_string(report.requests));
  } else {
    facts.emplace_back("child programs", std::to_string(report.children));
  }
  facts.emplace_back("folder", report.folder);
  if (report.error) {
    facts.emplace_back("error", Printable(report.error->Text()));
    facts.emplace_back("what to do", Printable(report.error->Hint()));
  }
  for (const std::string& what : report.afterwards) facts.emplace_back("afterwards", what);
  if (!report.next.empty()) facts.emplace_back("next", report.next);
  return facts;
}

TextTable StepsOf(const Report& report) {
  const bool is_rolling = report.kind == plan::PlanKind::kRolling;
  TextTable table{
      {"step", "what", "state", "took", is_rolling ? "requests" : "children", "entered"}, {}};
  for (const Report::StepLine& line : report.steps) {
    const bool is_rollback = line.phase == "rollback";
    table.rows.push_back({(is_rollback ? "back: " : "") + line.id, line.title, line.state,
                          line.state == "not started" ? "" : FormatDuration(line.took),
                          line.children == 0 ? "" : std::to_string(line.children),
                          line.attempts < 2 ? "" : fmt::format("{} times", line.attempts)});
  }
  return table;
}

// Where the lines would not fit, the titles go: the ids say the same.
std::vector<std::string> StepLines(const Report& report, int width) {
  TextTable table = StepsOf(report);
  std::vector<std::string> lines = Lines(table.Aligned());
  const bool fits = std::all_of(lines.begin(), lines.end(), [&](const std::string& line) {
    return static_cast<int>(line.size()) + 2 <= width;
  });
  if (fits) return lines;
  table.header.erase(table.header.begin() + 1);
  for (std::vector<std::string>& row : table.rows) row.erase(row.begin() + 1);
  return Lines(table.Aligned());
}

std::string HeadOf(const Report& report) {
  return fmt::format("Run {}: Milvus {} -> {}: {}", report.run, report.from, report.to,
                     report.outcome);
}

boost::json::object JsonOf(const Report& report) {
  boost::json::object json;
  json["run"] = report.run;
  json["folder"] = report.folder;
  json["instance"] = report.instance;
  json["engine"] = report.engine;
  json["from"] = report.from;
  json["to"] = report.to;
  json["outcome"] = report.outcome;
  json["service"] = report.service;
  json["started"] = report.started;
  json["ended"] = report.ended;
  json["took_ms"] = report.took.count();
  json["exit_code"] =
      report.exit_code ? boost::json::value(*report.exit_code) : boost::json::value(nullptr);
  json["planned_outage_ms"] = report.planned_outage.count();
  json["outage_ms"] =
      report.outage ? boost::json::value(report.outage->count()) : boost::json::value(nullptr);
  json["is_outage_open"] = report.is_outage_open;
  boost::json::array probes;
  for (const Report::Probe& probe : report.probes) {
    boost::json::array windows;
    for (const Report::Window& window : probe.windows)
      windows.push_back({{"from_ms", window.from.count()}, {"to_ms", window.to.count()}});
    probes.push_back({{"name", probe.name},
                      {"label", probe.label},
                      {"is_measured", probe.not_measured.empty()},
                      {"not_measured", probe.not_measured},
                      {"from", probe.from},
                      {"ended_early", probe.ended_early},
                      {"samples", probe.samples},
                      {"failed", probe.failed},
                      {"is_still_open", probe.is_still_open},
                      {"is_partial", probe.is_partial},
                      {"total_ms", probe.total.count()},
                      {"longest_ms", probe.longest.count()},
                      {"windows", std::move(windows)}});
  }
  json["probes"] = std::move(probes);
  json["point_of_no_return"] = {{"step", report.point_of_no_return},
                                {"is_past", report.is_past_no_return},
                                {"at", report.past_no_return_at}};
  boost::json::array backups;
  for (const Report::Backup& backup : report.backups)
    backups.push_back({{"step", backup.step},
                       {"path", backup.path},
                       {"bytes", backup.bytes},
                       {"keys", backup.keys},
                       {"sha256", backup.sha256}});
  json["backups"] = std::move(backups);
  boost::json::array migration;
  for (const auto& [part, found] : report.migration)
    migration.push_back({{"part", part}, {"found", found}});
  json["migration"] = std::move(migration);
  boost::json::array components;
  for (const Report::Component& component : report.components)
    components.push_back({{"name", component.name},
                          {"wanted", component.wanted},
                          {"running", component.running},
                          {"image_id", component.image_id},
                          {"pods", component.pods},
                          {"restarts", component.restarts},
                          {"took_ms", component.took.count()},
                          {"gap_ms", component.gap ? boost::json::value(component.gap->count())
                                                   : boost::json::value(nullptr)}});
  json["components"] = std::move(components);
  json["afterwards"] = boost::json::array(report.afterwards.begin(), report.afterwards.end());
  json["requests"] = report.requests;
  json["not_backed_up"] =
      boost::json::array(report.not_backed_up.begin(), report.not_backed_up.end());
  json["children"] = report.children;
  boost::json::array steps;
  for (const Report::StepLine& line : report.steps)
    steps.push_back({{"id", line.id},
                     {"phase", line.phase},
                     {"title", line.title},
                     {"state", line.state},
                     {"took_ms", line.took.count()},
                     {"attempts", line.attempts},
                     {"children", line.children}});
  json["steps"] = std::move(steps);
  if (report.error) {
    json["error"] = {{"id", IdOf(report.error->code)},
                     {"message", Printable(report.error->Text())},
                     {"hint", Printable(report.error->Hint())}};
  } else {
    json["error"] = nullptr;
  }
  json["next"] = report.next;
  return json;
}

}  // namespace

View ReportView(const Report& report, const Style& style) {
  View view;
  const bool is_good = report.outcome == "done" || report.outcome == "failed-untouched";
  view.text = (report.outcome == "done"                             ? style.Good(HeadOf(report))
               : is_good || report.outcome.ends_with("rolled-back") ? style.Warn(HeadOf(report))
                                                                    : style.Bad(HeadOf(report))) +
              "\n";
  for (const auto& [name, value] : FactsOf(report))
    view.text += Entry("  " + name, value, 22, style);
  view.text += "\n";
  for (const std::string& line : StepLines(report, style.width)) view.text += "  " + line + "\n";
  view.json["report"] = JsonOf(report);
  return view;
}

std::string ReportMarkdown(const Report& report) {
  std::string text = "# " + HeadOf(report) + "\n\n";
  TextTable facts{{"", ""}, {}};
  for (const auto& [name, value] : FactsOf(report)) facts.rows.push_back({name, value});
  return text + facts.Markdown() + "\n## Steps\n\n" + StepsOf(report).Markdown();
}

}  // namespace mu::ui
