// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/rules/markdown.h"

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/base/table.h"
#include "milvus_upgrade/rules/checks.h"
#include "milvus_upgrade/rules/rolling.h"
#include "milvus_upgrade/rules/version_path.h"
#include "rules/check_support.h"

namespace mu::rules {
namespace {

std::string Text(std::string_view text) { return std::string(text); }

std::string VerdictText(const RuleRow& row) {
  std::string text(NameOf(row.verdict));
  if (row.verdict == Verdict::kHop) text += " to " + Text(row.via);
  if (row.verdict == Verdict::kMigrateVia)
    text = "metadata migration to " + Text(row.via) + ", then on";
  if (!row.decided_by.empty()) text += " (" + Text(row.decided_by) + ")";
  return text;
}

std::string RulesTable() {
  TextTable table{{"id", "when", "verdict", "why", "what to do", "source"}, {}};
  for (const RuleRow& row : RuleTable()) {
    table.rows.push_back({Text(row.id), Text(row.when), VerdictText(row), Text(row.why),
                          Text(row.action), Text(row.source)});
  }
  return table.Markdown();
}

std::string PatchTable() {
  TextTable table{{"minor", "latest patch", "source"}, {}};
  for (const LatestPatchRow& row : LatestPatchTable())
    table.rows.push_back({Text(row.minor), Text(row.version), Text(row.source)});
  return table.Markdown();
}

std::string WaysBackTable() {
  TextTable table{{"from", "to", "queue", "way back", "why", "source"}, {}};
  for (const ReversibilityRow& row : ReversibilityTable()) {
    const bool is_any = row.queue == model::MessageQueue::kUnknown;
    table.rows.push_back({Text(row.from_minor), Text(row.to_minor),
                          is_any ? "any" : Text(NameOf(row.queue)),
                          row.is_reversible ? "yes" : "no", Text(row.reason), Text(row.source)});
  }
  return table.Markdown();
}

std::string StopsTable() {
  TextTable table{{"version", "role", "queue", "SIGKILL after", "leases", "measured"}, {}};
  for (const StopRow& row : StopTable()) {
    table.rows.push_back({Text(row.version), Text(model::NameOf(row.role)), Text(NameOf(row.queue)),
                          FormatDuration(Millis(row.term_wait_ms)),
                          row.may_revoke ? "revoked" : "waited for", Text(row.source)});
  }
  return table.Markdown();
}

std::string RolesText(std::span<const model::Role> roles) {
  std::string text;
  for (const model::Role role : roles)
    text += (text.empty() ? "" : ", ") + Text(model::NameOf(role));
  return text;
}

std::string OrdersTable() {
  TextTable table{{"--order", "release", "first to last", "source"}, {}};
  for (const OrderRow& row : OrderTable()) {
    table.rows.push_back({row.order == config::RollingOrder::kScript ? "script" : "operator",
                          Text(NameOf(row.topology)), RolesText(row.roles), Text(row.source)});
  }
  return table.Markdown();
}

std::string RolloutsTable() {
  TextTable table{{"component", "its old pods", "why", "source"}, {}};
  for (const RolloutRow& row : RolloutTable()) {
    table.rows.push_back({Text(model::NameOf(row.role)),
                          row.waits_for_gone ? "gone before the next" : "gone at the end",
                          Text(row.why), Text(row.source)});
  }
  return table.Markdown();
}

std::string StandbysTable() {
  TextTable table{
      {"component", "from", "enableActiveStandby of", "where that says nothing", "source"}, {}};
  for (const StandbyRow& row : StandbyTable()) {
    table.rows.push_back({Text(model::NameOf(row.role)), row.since.Text(), Text(row.section),
                          row.falls_back_to.empty() ? "off" : "as " + Text(row.falls_back_to),
                          Text(row.source)});
  }
  return table.Markdown();
}

template <class Row>
std::string ChecksTable(std::span<const Row> rows) {
  TextTable table{{"id", "what must be so", "otherwise"}, {}};
  for (const Row& row : rows) table.rows.push_back({Text(row.id), Text(row.title), Text(row.why)});
  return table.Markdown();
}

}  // namespace

std::string RulesMarkdown() {
  std::string text =
      "# Rules\n\n"
      "Made from the tables in `src/rules` (`MU_UPDATE_DOCS=1 test_rules` writes it; a test "
      "compares "
      "it).\n\n"
      "## Version paths\n\n"
      "S is the version that runs, T the wanted one. The rows are asked from top to bottom; the "
      "first "
      "that decides wins. Rows that require or warn are collected on the way, and a hop is found "
      "by "
      "the same table. R0 to R24 are those of the research notes; R25 and up close gaps between "
      "them. "
      "`milvus-upgrade versions S T` prints the path and the rule of each hop.\n\n";
  text += RulesTable();
  text +=
      "\nThe latest patch of each minor that this build knows. Any other minor is refused "
      "(R26).\n\n";
  text += PatchTable();
  text +=
      "\n## Ways back\n\n"
      "Whether the old version can run again on what the new one has written. Within one minor it "
      "can. Across minors it cannot, unless every minor in between has a row here that says so: "
      "what "
      "nobody has measured or documented counts as no. A path that ends before the new container's "
      "first real start can always be taken back.\n\n";
  text += WaysBackTable();
  text +=
      "\n## Stopping\n\n"
      "How long SIGTERM is worth waiting for with `--stop-timeout auto`. Every row was measured "
      "with "
      "inserts in flight, and every acknowledged row was looked for afterwards "
      "(`tests/real/stop_table`). A version, role and queue that is not here gets its full grace "
      "and "
      "its lease's time.\n\n";
  text += StopsTable();
  text +=
      "\n## Rolling\n\n"
      "The order in which the components of a release on Kubernetes are updated. `--order auto` "
      "takes "
      "the first row for the release that has a place for every component. A release with a "
      "component "
      "that has no place is refused.\n\n";
  text += OrdersTable();
  text +=
      "\nWhich old pods must be gone, terminating ones included, before the next component.\n\n";
  text += RolloutsTable();
  text += "\nWhat lets a second process of a coordinator wait for the first instead of dying.\n\n";
  text += StandbysTable();
  text +=
      "\n## Checks\n\n"
      "All run, all findings are shown, nothing is touched. An error stops the upgrade before "
      "anything is changed (exit 3); `--skip-check ID` takes it upon you.\n\n";
  text += ChecksTable(CheckTable());
  text += "\nOf a release on Kubernetes:\n\n";
  text += ChecksTable(RollingCheckTable());
  return text;
}

}  // namespace mu::rules
