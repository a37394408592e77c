// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/base/exit_code.h"

namespace mu {
namespace {

constexpr ExitCodeRow kRows[] = {
    {ExitCode::kDone, "done", "done, or nothing to do", "nothing"},
    {ExitCode::kUnexpected, "unexpected",
     "an error that has no code of its own; nothing is hidden: read the last lines",
     "run `milvus-upgrade status`, then report it with the run's journal"},
    {ExitCode::kUsage, "usage", "a flag, argument or input file is invalid; nothing was touched",
     "correct what the message names"},
    {ExitCode::kCheckFailed, "check-failed", "a check failed; nothing was touched",
     "mend the findings, or skip one by its name with --skip-check"},
    {ExitCode::kPathRefused, "path-refused", "this version path is refused; nothing was touched",
     "run `milvus-upgrade versions FROM TO` for a path that works"},
    {ExitCode::kLocked, "locked", "another run holds the lock; nothing was touched",
     "wait for it, or look at it with `milvus-upgrade status`"},
    {ExitCode::kRolledBack, "rolled-back",
     "the upgrade failed and was rolled back: the old version is up",
     "read the report, mend the cause, run the same command again"},
    {ExitCode::kNeedsPerson, "needs-person", "failed, and the service needs a person",
     "follow the printed steps; `milvus-upgrade status` repeats them"},
    {ExitCode::kPaused, "paused", "a wait ran out, or a pause was asked for; resumable",
     "run `milvus-upgrade resume`"},
    {ExitCode::kStalePlan, "stale-plan",
     "the world has moved since the plan was made; nothing was touched", "make a new plan"},
    {ExitCode::kChanges, "changes", "`plan --detailed-exitcode` only: the plan has changes to make",
     "apply the plan"},
    {ExitCode::kTryLater, "try-later",
     "something that passes by itself stood in the way; nothing was touched",
     "run the same command again later"},
    {ExitCode::kInterrupted, "interrupted", "stopped by Ctrl-C (SIGINT); resumable",
     "run `milvus-upgrade resume`"},
    {ExitCode::kTerminated, "terminated", "stopped by SIGTERM or SIGHUP; resumable",
     "run `milvus-upgrade resume`"},
};

}  // namespace

std::span<const ExitCodeRow> ExitCodeTable() { return kRows; }

}  // namespace mu
