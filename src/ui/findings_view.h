// SPDX-License-Identifier: Apache-2.0
// Findings: errors first, each with its id (the name for --skip-check), what is so, why it matters
// and what to do. Pure.
#pragma once

#include <vector>

#include "milvus_upgrade/model/finding.h"
#include "ui/style.h"
#include "ui/view.h"

namespace mu::ui {

// JSON: {"findings": [{"id","severity","subject","message","cause","fix","is_skipped"}],
// "errors", "warnings"}.
View FindingsView(const std::vector<model::Finding>& findings, const Style& style);

}  // namespace mu::ui
