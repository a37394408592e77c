// SPDX-License-Identifier: Apache-2.0
#include "ui/plan_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/plan/migration_input.h"
#include "ui/findings_view.h"

namespace mu::ui {
namespace {

std::string Heading(std::string_view title, const Style& style) {
  return "\n" + style.Bold(title) + "\n";
}

std::string Hops(const plan::Plan& plan, const Style& style) {
  std::string text;
  for (const plan::Hop& hop : plan.hops) {
    text += Entry(fmt::format("  {} -> {}", hop.from, hop.to),
                  fmt::format("{} ({}): {}", hop.action, hop.rule, hop.reason), 22, style);
    if (!hop.is_reversible)
      text += Entry("",
                    style.Warn(fmt::format("no way back once {} has started: {}", hop.to,
                                           hop.irreversible_reason)),
                    22, style);
  }
  return text;
}

std::string Steps(const plan::Plan& plan, const Style& style) {
  std::string text;
  int number = 0;
  for (const plan::Step& step : plan.steps) {
    if (step.outage == plan::OutageMark::kOpens) text += style.Warn("  -- outage begins --") + "\n";
    text += Entry(
        fmt::format("  {:2}. {}", ++number, step.id),
        fmt::format("{}: {}{}", plan::RowOf(step.kind).title, Printable(plan::DescribeArgs(step)),
                    step.estimate.count() == 0
                        ? ""
                        : fmt::format(" (about {})", FormatDuration(step.estimate))),
        28, style);
    if (step.id == plan.point_of_no_return)
      text += Entry("", style.Warn("point of no return: when the new version really starts here"),
                    28, style);
    if (!step.cause.empty())
      text += Entry("",
                    style.Faint(step.rule.empty() ? step.cause
                                                  : fmt::format("{} ({})", step.cause, step.rule)),
                    28, style);
    if (step.outage == plan::OutageMark::kCloses) text += style.Warn("  -- outage ends --") + "\n";
  }
  return text;
}

std::string Changes(const plan::Plan& plan, const std::vector<std::string>& diffs,
                    const Style& style) {
  std::string text;
  for (const std::string& diff : diffs) {
    for (const std::string& line : Lines(Printable(diff))) {
      const bool is_head = line.starts_with("---") || line.starts_with("+++");
      text += "  " +
              (is_head                 ? style.Bold(line)
               : line.starts_with("+") ? style.Good(line)
               : line.starts_with("-") ? style.Bad(line)
                                       : line) +
              "\n";
    }
  }
  if (!diffs.empty()) return text;
  for (const plan::Step& step : plan.steps) {
    const auto* replace = std::get_if<plan::ReplaceFile>(&step.args);
    if (replace == nullptr) continue;
    for (const model::Splice& splice : replace->splices)
      text += fmt::format("  {}: byte {}: {} -> {}\n", replace->path, splice.offset,
                          Printable(splice.before), Printable(splice.after));
  }
  return text;
}

// The file that the migration tool gets, where it was derived: as it would have to be written.
std::string DerivedInputOf(const plan::Plan& plan) {
  for (const plan::Step& step : plan.steps) {
    const auto* migrate = std::get_if<plan::MigrateMetadata>(&step.args);
    if (migrate == nullptr || !migrate->migration.migrate_file.empty()) continue;
    const auto yaml = plan::MigrateYamlOf(migrate->migration);
    if (!yaml) continue;
    std::string text;
    for (const std::string& line :
         Lines(config::FormatMigrateYaml(*yaml, config::Secrets::kMasked)))
      text += "  " + line + "\n";
    return text;
  }
  return {};
}

std::string PointOfNoReturn(const plan::Plan& plan) {
  if (plan.point_of_no_return.empty()) return "none: the old version can be put back at any time";
  const bool migrates = std::any_of(
      plan.steps.begin(), plan.steps.end(),
      [](const plan::Step& step) { return step.kind == plan::StepKind::kMigrateMetadata; });
  return fmt::format(
      "step {}, when the new version really starts; until then everything is undone on failure{}",
      plan.point_of_no_return,
      migrates ? "; after it `rollback --from-snapshot --accept-data-loss` is what is left, and "
                 "loses what was written since"
               : "");
}

std::string Probes(const plan::Plan& plan) {
  std::vector<std::string> parts;
  if (!plan.probe_url.empty()) {
    parts.push_back(plan.probe_url + " (answers of /healthz, not of searches)");
  } else if (!plan.probe_inside.url.empty()) {
    parts.push_back(fmt::format(
        "{} from a container of ours on the network {} (answers of /healthz, not of searches)",
        plan.probe_inside.url, plan.probe_inside.network));
  } else {
    parts.push_back("/healthz is not measured" +
                    (plan.probe_reason.empty() ? std::string() : ": " + plan.probe_reason));
  }
  if (!plan.probe_command.empty()) parts.push_back(ShellLine(plan.probe_command));
  return Join(parts, "; ");
}

}  // namespace

View PlanView(const plan::Plan& plan, const std::vector<std::string>& diffs, const Style& style) {
  View view;
  const bool is_rollback = plan.kind == plan::PlanKind::kRollback;
  std::string& text = view.text;
  text += style.Bold(fmt::format("{} {} -> {}", is_rollback ? "Roll back Milvus" : "Upgrade Milvus",
                                 plan.from, plan.to)) +
          "\n";
  const bool is_on_cluster = !plan.kube.server.empty();
  if (is_on_cluster) {
    text += Entry("  release",
                  fmt::format("{} in the namespace {}", plan.instance, plan.kube.name_space), 22,
                  style);
    text += Entry("  cluster", plan.engine, 22, style);
  } else {
    text += Entry("  project", fmt::format("{} in {}", plan.instance, plan.project_directory), 22,
                  style);
    text += Entry("  engine", plan.engine, 22, style);
  }
  text += Hops(plan, style);
  if (!plan.findings.empty())
    text += Heading("Findings", style) + FindingsView(plan.findings, style).text;
  text += Heading(fmt::format("Steps ({})", plan.steps.size()), style) + Steps(plan, style);
  const std::string changes = Changes(plan, diffs, style);
  if (!changes.empty()) text += Heading("Changes of files", style) + changes;
  const std::string migrate_yaml = DerivedInputOf(plan);
  if (!migrate_yaml.empty()) text += Heading("migrate.yaml, as derived", style) + migrate_yaml;
  text += Heading("What to expect", style);
  text += Entry("  outage",
                is_on_cluster && plan.EstimatedOutage() == Millis(0)
                    ? std::string("none of the whole; what a component goes without is measured")
                    : fmt::format("about {}, predicted from measured runs; loading of "
                                  "collections comes on top",
                                  FormatDuration(plan.EstimatedOutage())),
                22, style);
  text += Entry("  measured by", Probes(plan), 22, style);
  text += Entry("  point of no return", PointOfNoReturn(plan), 22, style);
  for (const std::string& what : plan.not_backed_up)
    text += Entry("  not backed up", what, 22, style);
  for (const std::string& note : plan.notes) text += Entry("  note", note, 22, style);
  for (const std::string& what : plan.afterwards) text += Entry("  afterwards", what, 22, style);

  view.json["has_changes"] = plan.HasSteps();
  view.json["from"] = plan.from;
  view.json["to"] = plan.to;
  view.json["estimated_outage_ms"] = plan.EstimatedOutage().count();
  view.json["plan_hash"] = plan::HashOf(plan);
  view.json["plan"] = boost::json::parse(plan::FormatPlan(plan));
  return view;
}

View NothingToDoView(const std::string& from, const std::string& to, const Style& style) {
  View view;
  view.text = style.Good(fmt::format("Nothing to do: Milvus {} runs already.", to)) + "\n";
  view.json["has_changes"] = false;
  view.json["from"] = from;
  view.json["to"] = to;
  return view;
}

}  // namespace mu::ui
