// SPDX-License-Identifier: Apache-2.0
// The checks: named, pure functions from (Config, Observed, path) to findings. One row a check; all
// run, all are shown.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/model/finding.h"
#include "milvus_upgrade/model/observed.h"
#include "milvus_upgrade/model/release.h"
#include "milvus_upgrade/rules/rolling.h"
#include "milvus_upgrade/rules/version_path.h"

namespace mu::rules {

struct CheckInput {
  const config::Config& config;
  const model::Observed& observed;
  const VersionPath* path =
      nullptr;  // null when there is none (its refusal is reported by the caller)
  // Paths of the files that the plan would replace; null when that is not known (yet): then a file
  // that cannot be replaced is a warning instead of an error.
  const std::vector<std::string>* edited_files = nullptr;
};

struct CheckRow {
  std::string_view id;     // the name for --skip-check, and the id of its findings
  std::string_view title;  // what must be so, for `check` and the reference page
  std::string_view why;    // what would happen otherwise
  void (*run)(const CheckInput&, std::vector<model::Finding>&);
};

// The version that runs: --from, else the first tag, else the first session.
std::optional<model::Version> RunningOf(const CheckInput& in);

std::span<const CheckRow> CheckTable();
// Runs all, marks those named in config.skipped_checks as skipped. Errors: kUsage for a name that
// is no check.
Result<std::vector<model::Finding>> RunChecks(const CheckInput& input);
// The same of a release on Kubernetes.
struct RollingCheckInput {
  const config::Config& config;
  const model::ObservedRelease& observed;
  const VersionPath* path = nullptr;       // as above
  const OrderRow* order = nullptr;         // null when none is known for the release
  const model::ImageRef* image = nullptr;  // null when it is not known
  // Deployment -> why standby cannot be switched on for it.
  const std::map<std::string, std::string>* standby_refused = nullptr;
};
struct RollingCheckRow {
  std::string_view id;
  std::string_view title;
  std::string_view why;
  void (*run)(const RollingCheckInput&, std::vector<model::Finding>&);
};
std::span<const RollingCheckRow> RollingCheckTable();
Result<std::vector<model::Finding>> RunChecks(const RollingCheckInput& input);

// True when an error remains that is not skipped.
bool HasErrors(const std::vector<model::Finding>& findings);

}  // namespace mu::rules
