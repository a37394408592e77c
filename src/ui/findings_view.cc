// SPDX-License-Identifier: Apache-2.0
#include "ui/findings_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "milvus_upgrade/base/text.h"

namespace mu::ui {
namespace {

constexpr int kColumn = 10;

std::string_view NameOf(model::Severity severity) {
  switch (severity) {
    case model::Severity::kError:
      return "error";
    case model::Severity::kWarning:
      return "warning";
    case model::Severity::kInfo:
      break;
  }
  return "info";
}

std::string LabelOf(const model::Finding& finding, const Style& style) {
  if (finding.is_skipped) return style.Faint("skipped");
  switch (finding.severity) {
    case model::Severity::kError:
      return style.Bad("error");
    case model::Severity::kWarning:
      return style.Warn("warning");
    case model::Severity::kInfo:
      break;
  }
  return "info";
}

std::string Counted(std::size_t n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

}  // namespace

View FindingsView(const std::vector<model::Finding>& findings, const Style& style) {
  std::vector<const model::Finding*> order;
  for (const model::Finding& finding : findings) order.push_back(&finding);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::pair(!a->is_skipped, a->severity) > std::pair(!b->is_skipped, b->severity);
  });

  View view;
  boost::json::array list;
  std::size_t errors = 0;
  std::size_t warnings = 0;
  for (const model::Finding* finding : order) {
    if (!finding->is_skipped && finding->severity == model::Severity::kError) ++errors;
    if (!finding->is_skipped && finding->severity == model::Severity::kWarning) ++warnings;
    const std::string subject =
        finding->subject.empty() ? std::string() : Printable(finding->subject) + ": ";
    view.text += Entry(
        LabelOf(*finding, style),
        fmt::format("{}  {}{}", style.Bold(finding->id), subject, Printable(finding->message)),
        kColumn, style);
    if (!finding->cause.empty())
      view.text += Entry("", "why: " + Printable(finding->cause), kColumn, style);
    if (!finding->fix.empty())
      view.text += Entry("", "fix: " + Printable(finding->fix), kColumn, style);
    list.push_back({{"id", finding->id},
                    {"severity", NameOf(finding->severity)},
                    {"subject", Printable(finding->subject)},
                    {"message", Printable(finding->message)},
                    {"cause", Printable(finding->cause)},
                    {"fix", Printable(finding->fix)},
                    {"is_skipped", finding->is_skipped}});
  }
  view.text += errors + warnings == 0 ? style.Good("no errors, no warnings") + "\n"
                                      : fmt::format("{}, {}\n", Counted(errors, "error"),
                                                    Counted(warnings, "warning"));
  view.json["findings"] = std::move(list);
  view.json["errors"] = errors;
  view.json["warnings"] = warnings;
  return view;
}

}  // namespace mu::ui
