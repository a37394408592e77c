// SPDX-License-Identifier: Apache-2.0
// The plan for people: from where to where with each hop's rule, findings, steps with their cause,
// file diffs, predicted outage, point of no return, what is not backed up. Pure.
#pragma once

#include <string>
#include <vector>

#include "milvus_upgrade/plan/plan.h"
#include "ui/style.h"
#include "ui/view.h"

namespace mu::ui {

// `diffs`: one unified diff a file, secrets masked; empty: the plan's own splices are shown.
// JSON: {"plan_hash", "plan": the plan as saved, "estimated_outage_ms", "has_changes"}.
View PlanView(const plan::Plan& plan, const std::vector<std::string>& diffs, const Style& style);

// Nothing to do: the same version again. JSON: {"has_changes": false, "from", "to"}.
View NothingToDoView(const std::string& from, const std::string& to, const Style& style);

}  // namespace mu::ui
