// SPDX-License-Identifier: Apache-2.0
// The exit codes of the program: one table, from which --help, the man page and docs/exit-codes.md
// are made. Numbers are a contract with CI jobs: never renumbered, never reused.
#pragma once

#include <span>
#include <string_view>

namespace mu {

enum class ExitCode : int {
  kDone = 0,
  kUnexpected = 1,
  kUsage = 2,
  kCheckFailed = 3,
  kPathRefused = 4,
  kLocked = 5,
  kRolledBack = 6,
  kNeedsPerson = 7,
  kPaused = 8,
  kStalePlan = 9,
  kChanges = 10,
  kTryLater = 75,
  kInterrupted = 130,
  kTerminated = 143,
};

struct ExitCodeRow {
  ExitCode code;
  std::string_view name;
  std::string_view meaning;
  std::string_view next;  // what a person or a CI job does about it
};

std::span<const ExitCodeRow> ExitCodeTable();

}  // namespace mu
