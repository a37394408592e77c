// SPDX-License-Identifier: Apache-2.0
// What the checks share: making findings, and small questions to Config and Observed. Pure. The id
// of a finding is not given here: RunChecks takes it from the row.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "milvus_upgrade/rules/checks.h"

namespace mu::rules {

using Findings = std::vector<model::Finding>;

inline void Add(Findings& out, model::Severity severity, std::string subject, std::string message,
                std::string cause, std::string fix) {
  out.push_back({"", severity, std::move(subject), std::move(message), std::move(cause),
                 std::move(fix), false});
}
inline void AddError(Findings& out, std::string subject, std::string message, std::string cause,
                     std::string fix) {
  Add(out, model::Severity::kError, std::move(subject), std::move(message), std::move(cause),
      std::move(fix));
}
inline void AddWarning(Findings& out, std::string subject, std::string message, std::string cause,
                       std::string fix) {
  Add(out, model::Severity::kWarning, std::move(subject), std::move(message), std::move(cause),
      std::move(fix));
}
inline void AddInfo(Findings& out, std::string subject, std::string message, std::string cause,
                    std::string fix) {
  Add(out, model::Severity::kInfo, std::move(subject), std::move(message), std::move(cause),
      std::move(fix));
}

// Runs the rows of a table, gives each finding its row's id, marks the skipped ones. Errors: kUsage
// for a name that is no check.
Status CheckNames(const std::vector<std::string>& ids, const std::vector<std::string>& skipped);
template <class Row, class Input>
Result<Findings> RunRows(std::span<const Row> rows, const Input& input) {
  const std::vector<std::string>& skipped = input.config.skipped_checks;
  std::vector<std::string> ids;
  for (const Row& row : rows) ids.emplace_back(row.id);
  MU_CHECK(CheckNames(ids, skipped));
  Findings findings;
  for (const Row& row : rows) {
    const std::size_t first = findings.size();
    row.run(input, findings);
    const bool is_skipped =
        std::find(skipped.begin(), skipped.end(), std::string(row.id)) != skipped.end();
    for (std::size_t i = first; i < findings.size(); ++i) {
      findings[i].id = row.id;
      findings[i].is_skipped = is_skipped;
    }
  }
  return findings;
}

// The version to go to: the end of the path, else --to; nullopt when it cannot be read.
std::optional<model::Version> TargetOf(const CheckInput& in);
// The service of that name in the resolved files, or null.
const model::ComposeService* ServiceOf(const model::Observed& observed, const std::string& service);
// True when major.minor of `version` is at least the given one; a pre-release counts as its minor.
bool IsAtLeastMinor(const model::Version& version, int major, int minor);
// True for `folder` itself and everything below it; "" is below nothing.
bool IsWithin(std::string_view path, std::string_view folder);
std::string WithoutSlash(std::string path);
std::string_view NameOf(model::MessageQueue queue);
// The addresses of a container without the empty ones; empty with the host's network.
std::vector<std::string> AddressesOf(const model::Container& container);
// "172.18.0.4" of "172.18.0.4:21123"; brackets of IPv6 are taken off.
std::string HostOfAddress(const std::string& address);

inline constexpr std::string_view kWorkingDirLabel = "com.docker.compose.project.working_dir";
inline constexpr std::string_view kConfigFilesLabel = "com.docker.compose.project.config_files";
inline constexpr std::string_view kProjectLabel = "com.docker.compose.project";
inline constexpr std::string_view kServiceLabel = "com.docker.compose.service";

// The checks, one row each in checks.cc.
#define MU_CHECKS(name) void name(const CheckInput& in, Findings& out)
// checks_version.cc
MU_CHECKS(CheckVersionKnown);
MU_CHECKS(CheckMixedVersions);
MU_CHECKS(CheckVersionAgreement);
MU_CHECKS(CheckIndexKinds);
MU_CHECKS(CheckRoles);
MU_CHECKS(CheckQueuePin);
MU_CHECKS(CheckQueueChange);
MU_CHECKS(CheckMetastore);
// checks_migration.cc
MU_CHECKS(CheckMetadataEra);
MU_CHECKS(CheckMetadataConversion);
MU_CHECKS(CheckMigrateFile);
MU_CHECKS(CheckMigrateCommand);
MU_CHECKS(CheckMigrateSourceVersion);
MU_CHECKS(CheckMigrateTargetVersion);
MU_CHECKS(CheckMigrateEndpoints);
MU_CHECKS(CheckMigrateRootPath);
MU_CHECKS(CheckMigrateMetaPath);
MU_CHECKS(CheckMigrateAuth);
MU_CHECKS(CheckMigrationImage);
MU_CHECKS(CheckMigrationSibling);
// checks_containers.cc
MU_CHECKS(CheckContainers);
MU_CHECKS(CheckDependencies);
MU_CHECKS(CheckSessionKeys);
MU_CHECKS(CheckForeignSessions);
MU_CHECKS(CheckRestartPolicy);
MU_CHECKS(CheckAutostarters);
MU_CHECKS(CheckStopGrace);
MU_CHECKS(CheckContainerNames);
// checks_drift.cc
MU_CHECKS(CheckDataInContainer);
MU_CHECKS(CheckUnnamedVolumes);
MU_CHECKS(CheckMounts);
MU_CHECKS(CheckWorkingFolder);
MU_CHECKS(CheckProjectFolders);
MU_CHECKS(CheckConfigDrift);
// checks_etcd.cc
MU_CHECKS(CheckEtcdEmbedded);
MU_CHECKS(CheckEtcdExternal);
MU_CHECKS(CheckEtcdReachable);
MU_CHECKS(CheckEtcdAuth);
MU_CHECKS(CheckEtcdAlarms);
MU_CHECKS(CheckEtcdVersion);
MU_CHECKS(CheckEtcdShell);
MU_CHECKS(CheckOtherInstances);
// checks_engine.cc
MU_CHECKS(CheckComposeGeneration);
MU_CHECKS(CheckComposeV1Engine);
MU_CHECKS(CheckImages);
MU_CHECKS(CheckImageArchitecture);
MU_CHECKS(CheckImageDigest);
MU_CHECKS(CheckPullPolicy);
MU_CHECKS(CheckBuild);
// checks_files.cc
MU_CHECKS(CheckFilesReplaceable);
MU_CHECKS(CheckFileLinks);
MU_CHECKS(CheckShellVariables);
MU_CHECKS(CheckFreeDisk);
MU_CHECKS(CheckCiWorkspace);
MU_CHECKS(CheckQueueBackup);
#undef MU_CHECKS

}  // namespace mu::rules
