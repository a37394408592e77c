// SPDX-License-Identifier: Apache-2.0
// An error is a value: a code of the catalogue to compare, a sentence to read, where it happened,
// what to do next. The catalogue row fixes the exit code and the documentation. Nothing here
// throws.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/exit_code.h"

namespace mu {

// Numbers are printed as MU-<number>; never renumbered, never reused.
enum class ErrorCode : int {
  kInternal = 100,
  kUsage = 101,
  kNoTty = 102,
  kNotInThisBuild = 103,
  kInterrupted = 104,
  kFileRead = 110,
  kFileWrite = 111,
  kFileSync = 112,
  kDiskFull = 113,
  kFileChanged = 114,
  kReadOnly = 115,
  kInvalidInput = 120,
  kYamlSyntax = 121,
  kYamlNoServices = 122,
  kNoMilvusService = 123,
  kMixedVersions = 124,
  kVersionUnknown = 125,
  kEditRefused = 126,
  kEditProof = 127,
  kCommandNotFound = 130,
  kCommandFailed = 131,
  kCommandTimeout = 132,
  kCommandOutput = 133,
  kDockerMissing = 140,
  kDockerDown = 141,
  kDockerDenied = 142,
  kComposeMissing = 143,
  kImageMissing = 144,
  kContainerGone = 145,
  kContainerFailed = 146,
  kContainerStarted = 147,
  kComposeGeneration = 148,
  kComposeFailed = 149,
  kKubectlMissing = 150,
  kKubeConfig = 151,
  kKubeDown = 152,
  kKubeDenied = 153,
  kKubeConflict = 154,
  kKubeGone = 155,
  kKubeRefused = 156,
  kKubeNoDryRun = 157,
  kKubeFailed = 158,
  kNoRelease = 159,
  kEtcdUnreachable = 160,
  kEtcdFailed = 161,
  kSessionForeign = 162,
  kSessionChanged = 163,
  kSnapshotBad = 164,
  kBackupBad = 165,
  kEtcdCompacted = 166,
  kEtcdNoSpace = 167,
  kEtcdNoGateway = 168,
  kCheckFailed = 170,
  kPathRefused = 171,
  kStalePlan = 180,
  kPlanDamaged = 181,
  kLocked = 182,
  kJournalDamaged = 183,
  kJournalNewer = 184,
  kNoSuchRun = 185,
  kDrift = 186,
  kLoopGuard = 187,
  kGateTimeout = 190,
  kGateStuck = 191,
  kVerifyFailed = 192,
  kIrreversible = 193,
  kMetaUnconvertible = 200,
  kMetaWrongScope = 201,
  kMetaCut = 202,
  kMigrationRunning = 203,
  kLiveSessions = 204,
  kMigrationLost = 205,
  kForeignBackup = 206,
  kMigrationFailed = 207,
  kRehearsalFailed = 208,
};

struct ErrorRow {
  ErrorCode code;
  std::string_view name;
  ExitCode exit;           // exit code when it ends a command that has changed nothing yet
  bool can_retry;          // the same command again may succeed without a change by a person
  std::string_view cause;  // documentation: when this is seen
  std::string_view fix;    // documentation, and the hint when the place that failed has none
};

std::span<const ErrorRow> ErrorCatalog();
const ErrorRow& RowOf(ErrorCode code);
std::string IdOf(ErrorCode code);  // "MU-207"

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // what happened and why, one sentence, no final full stop
  std::string hint;     // what to do next; empty: the catalogue's fix
  std::vector<std::string>
      context;  // innermost first: "reading docker-compose.yml", "step files/0"

  bool operator==(const Error&) const = default;
  Error WithContext(std::string where) &&;
  // "MU-110: message (while step files/0: reading docker-compose.yml)", without the hint.
  std::string Text() const;
  std::string_view Hint() const;
};

}  // namespace mu
