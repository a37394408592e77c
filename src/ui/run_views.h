// SPDX-License-Identifier: Apache-2.0
// Status of one run and the list of all, from plans and journals; the caller adds what it observed.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "milvus_upgrade/run/run_store.h"
#include "ui/style.h"
#include "ui/view.h"

namespace mu::ui {

// `observed`: name and value of what is so now ("standalone" -> "running, healthy, v2.3.5"), may be
// empty. JSON: {"run", "state", "is_open", "step", ..., "observed": {...}, "resume", "rollback":
// {"is_possible", "to", "steps" or "reason"}, "next"}.
struct ObservedLine {
  std::string name;
  std::string value;
};
// What each of the two commands would do now; "" and nothing where it does not apply.
struct Prospects {
  std::string resume;
  std::optional<plan::Plan> back;
  std::optional<Error> no_way_back;
};
View StatusView(const run::StoredRun& run, const std::vector<ObservedLine>& observed,
                const Prospects& prospects, const Style& style);
// Newest first. JSON: {"runs": [...]}.
View HistoryView(const std::vector<run::StoredRun>& runs, const Style& style);

}  // namespace mu::ui
