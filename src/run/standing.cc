// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/standing.h"

#include <fmt/format.h>

#include <algorithm>

#include "milvus_upgrade/run/executor.h"

namespace mu::run {

Standing StandingOf(const plan::Plan& plan, const std::vector<Record>& records) {
  Standing standing;
  for (const plan::Step& step : plan.steps) {
    const StepState state = StateOf(records, "forward", step.id);
    if (state.last == StepState::Last::kNone) continue;
    standing.hop = std::max(standing.hop, step.hop);
    standing.has_touched = standing.has_touched || step.undo != plan::Undo::kNone;
    if (state.last == StepState::Last::kDone) {
      standing.done.push_back(step.id);
    } else if (state.acted) {
      standing.touched.push_back(step.id);
    }
  }
  // Whatever the phase: the way back closes what the way forward has opened.
  for (const Record& record : records) {
    if (record.event == "outage-opened") standing.is_outage_open = true;
    if (record.event == "outage-closed") standing.is_outage_open = false;
  }
  return standing;
}

std::string ResumeInWords(const plan::Plan& plan, const std::string& phase,
                          const std::vector<Record>& records) {
  const std::string way = phase == "rollback" ? "on the way back, " : "";
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const plan::Step& step = plan.steps[i];
    const StepState state = StateOf(records, phase, step.id);
    if (state.last == StepState::Last::kDone) continue;
    const std::string at = fmt::format("{}step {} of {}, {} ({})", way, i + 1, plan.steps.size(),
                                       step.id, plan::RowOf(step.kind).title);
    switch (NextMove(state, step.on_crash)) {
      case Move::kReobserve:
        return "looks whether it is done, and does it again where it is not: " + at;
      case Move::kRestoreThenRetry:
        return "puts back from its backup what was begun, then does it again: " + at;
      case Move::kAsk:
      case Move::kLoopGuard:
        return fmt::format("stops, after {} attempts, at {}", state.attempts, at);
      default:
        return "goes on with " + at;
    }
  }
  return way + "all steps are done: it ends the run";
}

}  // namespace mu::run
