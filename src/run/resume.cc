// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/executor.h"
#include "milvus_upgrade/run/standing.h"

namespace mu::run {

bool IsAway(ErrorCode code) {
  return code == ErrorCode::kDockerDown || code == ErrorCode::kEtcdUnreachable ||
         code == ErrorCode::kKubeDown;
}

namespace {

// An attempt that says nothing against the step: cut by a person, spoiled by an absent engine, or a
// gate that waited in vain and took nothing by it; its cause may be mended after any number of
// them.
bool IsExcused(ErrorCode code) {
  return code == ErrorCode::kInterrupted || code == ErrorCode::kGateTimeout ||
         code == ErrorCode::kGateStuck || IsAway(code);
}

}  // namespace

StepState StateOf(const std::vector<Record>& records, std::string_view phase,
                  std::string_view step_id) {
  StepState state;
  for (const Record& record : records) {
    if (record.step != step_id || record.phase != phase) continue;
    switch (record.type) {
      case RecordType::kIntent:
        // An intent without an end: how far that attempt came is not known.
        state.acted = state.acted || state.last == StepState::Last::kIntent;
        state.last = StepState::Last::kIntent;
        ++state.attempts;
        break;
      case RecordType::kDone:
        state.last = StepState::Last::kDone;
        state.evidence = record.evidence;
        state.acted = true;
        break;
      case RecordType::kFailed:
        state.last = StepState::Last::kFailed;
        state.acted = state.acted || !record.evidence.contains("not_acted");
        if (record.error && IsExcused(record.error->code)) ++state.excused;
        break;
      case RecordType::kEvent:
        if (record.event == kUndone) state = {};
        break;
      default:
        break;
    }
  }
  if (state.last == StepState::Last::kIntent) state.acted = true;
  return state;
}

Move NextMove(const StepState& state, plan::OnCrash on_crash) {
  if (state.last == StepState::Last::kDone) return Move::kCheckDone;
  if (state.attempts - state.excused >= kMaxAttempts) return Move::kLoopGuard;
  if (!state.acted) return Move::kStart;
  switch (on_crash) {
    case plan::OnCrash::kReobserve:
      return Move::kReobserve;
    case plan::OnCrash::kRestoreThenRetry:
      return Move::kRestoreThenRetry;
    case plan::OnCrash::kAsk:
      return Move::kAsk;
  }
  return Move::kAsk;
}

}  // namespace mu::run
