// SPDX-License-Identifier: Apache-2.0
#include "ui/run_views.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "milvus_upgrade/base/table.h"
#include "milvus_upgrade/base/text.h"
#include "ui/report.h"

namespace mu::ui {
namespace {

// Where the run stands: the step that was entered last and is not done, else the next one.
const Report::StepLine* StandsAt(const Report& report) {
  const Report::StepLine* next = nullptr;
  bool is_rolling_back = false;
  for (const Report::StepLine& line : report.steps) is_rolling_back |= line.phase == "rollback";
  for (const Report::StepLine& line : report.steps) {
    if (is_rolling_back && line.phase != "rollback") continue;
    if (line.state == "unfinished" || line.state == "failed" || line.state == "interrupted")
      return &line;
    if (line.state == "not started" && next == nullptr) next = &line;
  }
  return next;
}

}  // namespace

View StatusView(const run::StoredRun& run, const std::vector<ObservedLine>& observed,
                const Prospects& prospects, const Style& style) {
  constexpr int kColumn = 22;
  const Report report = MakeReport(run);
  View view;
  view.text = style.Bold(fmt::format("Run {}: Milvus {} -> {}: {}", report.run, report.from,
                                     report.to, report.outcome)) +
              "\n";
  view.text += Entry("  service", report.service, kColumn, style);
  std::size_t done = 0;
  for (const Report::StepLine& line : report.steps)
    done += line.state == "done" || line.state == "skipped" ? 1 : 0;
  view.text +=
      Entry("  steps", fmt::format("{} of {} done", done, report.steps.size()), kColumn, style);
  const Report::StepLine* at = run.IsOpen() || run.is_live ? StandsAt(report) : nullptr;
  if (at != nullptr)
    view.text += Entry("  stands at", fmt::format("{} ({}, {})", at->id, at->title, at->state),
                       kColumn, style);
  if (report.is_past_no_return)
    view.text +=
        Entry("  point of no return", "passed at " + report.past_no_return_at, kColumn, style);
  view.text += Entry("  last record", report.ended, kColumn, style);
  boost::json::object now;
  for (const ObservedLine& line : observed) {
    view.text += Entry("  now: " + line.name, Printable(line.value), kColumn, style);
    now[line.name] = Printable(line.value);
  }
  if (report.error) {
    view.text += Entry("  error", Printable(report.error->Text()), kColumn, style);
    view.text += Entry("  what to do", Printable(report.error->Hint()), kColumn, style);
  }
  if (!prospects.resume.empty()) view.text += Entry("  resume", prospects.resume, kColumn, style);
  boost::json::object back;
  if (prospects.back) {
    boost::json::array steps;
    std::vector<std::string> ids;
    for (const plan::Step& step : prospects.back->steps) {
      ids.push_back(step.id);
      steps.emplace_back(step.id);
    }
    view.text += Entry(
        "  rollback",
        fmt::format("back to {} in {} steps: {}", prospects.back->to, ids.size(), Join(ids, ", ")),
        kColumn, style);
    back = {{"is_possible", true}, {"to", prospects.back->to}, {"steps", std::move(steps)}};
  } else if (prospects.no_way_back) {
    const std::string reason = Printable(prospects.no_way_back->Text());
    view.text += Entry("  rollback", "not possible: " + reason, kColumn, style);
    back = {{"is_possible", false}, {"reason", reason}};
  }
  view.text += Entry("  folder", report.folder, kColumn, style);
  if (!report.next.empty()) view.text += Entry("  next", report.next, kColumn, style);

  view.json["run"] = report.run;
  view.json["folder"] = report.folder;
  view.json["from"] = report.from;
  view.json["to"] = report.to;
  view.json["state"] = report.outcome;
  view.json["is_open"] = run.IsOpen();
  view.json["service"] = report.service;
  view.json["step"] = at == nullptr ? std::string() : at->id;
  view.json["steps_done"] = done;
  view.json["steps"] = report.steps.size();
  view.json["is_past_no_return"] = report.is_past_no_return;
  view.json["last_record"] = report.ended;
  view.json["observed"] = std::move(now);
  if (report.error) {
    view.json["run_error"] = {{"id", IdOf(report.error->code)},
                              {"message", Printable(report.error->Text())},
                              {"hint", Printable(report.error->Hint())}};
  }
  view.json["resume"] = prospects.resume;
  view.json["rollback"] = std::move(back);
  view.json["next"] = report.next;
  return view;
}

View HistoryView(const std::vector<run::StoredRun>& runs, const Style&) {
  View view;
  TextTable table{{"run", "project", "from", "to", "state", "started", "took", "outage"}, {}};
  boost::json::array list;
  for (const run::StoredRun& run : runs) {
    const Report report = MakeReport(run);
    table.rows.push_back({report.run, report.instance, report.from, report.to, report.outcome,
                          report.started, FormatDuration(report.took),
                          report.outage ? FormatDuration(*report.outage) : ""});
    list.push_back({{"run", report.run},
                    {"instance", report.instance},
                    {"from", report.from},
                    {"to", report.to},
                    {"state", report.outcome},
                    {"is_open", run.IsOpen()},
                    {"started", report.started},
                    {"took_ms", report.took.count()},
                    {"outage_ms", report.outage ? boost::json::value(report.outage->count())
                                                : boost::json::value(nullptr)}});
  }
  view.text = runs.empty() ? "no runs\n" : table.Aligned();
  view.json["runs"] = std::move(list);
  return view;
}

}  // namespace mu::ui
