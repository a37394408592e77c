// SPDX-License-Identifier: Apache-2.0
// Where a run stands, from its plan and its records alone.
#pragma once

#include <string>
#include <vector>

#include "milvus_upgrade/plan/plan.h"
#include "milvus_upgrade/run/journal.h"

namespace mu::run {

// Event of a step that a way back for some components has undone: it is as if it had never been
// entered.
inline constexpr char kUndone[] = "undone";

// Of the way forward; ids in the plan's order.
struct Standing {
  std::vector<std::string> done;
  // Entered, not done, and may have changed something. A step that failed before its effect (a file
  // that someone else had changed) has left nothing to undo.
  std::vector<std::string> touched;
  int hop = 0;               // of the last step that was entered
  bool has_touched = false;  // a step that changes the stack was entered
  bool is_outage_open = false;
};

Standing StandingOf(const plan::Plan& plan, const std::vector<Record>& records);

// What `resume` would do first, in words, by the resume table. `phase` says which way the plan
// goes.
std::string ResumeInWords(const plan::Plan& plan, const std::string& phase,
                          const std::vector<Record>& records);

}  // namespace mu::run
