// SPDX-License-Identifier: Apache-2.0
// The file of KeepRelease: what a Deployment is put back to. It may hold secrets, as the Deployment
// does: 0600, in the run folder only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/kube.h"
#include "milvus_upgrade/plan/plan.h"

namespace mu::effects {

// What the client's check answered before, of a run folder; where only the run's copy is there, its
// SHA-256.
inline constexpr char kVerifyBefore[] = "verify-before.out";
inline constexpr char kVerifyBeforeHash[] = "verify-before.sha256";

inline constexpr char kVersionLabel[] = "app.kubernetes.io/version";

struct KeptDeployment {
  std::string uid;
  std::string template_json;  // "": by reference, as below
  std::string strategy_json;
  std::optional<std::string> version = {};  // its label; nullopt when it has none
  // Without the template: what the patch has changed in it, and the hash that proves it back.
  std::string container = {};
  std::string image = {};
  std::string template_hash = {};

  std::string TemplateHash() const;  // of the template, wherever it is
  bool operator==(const KeptDeployment&) const = default;
};
using KeptRelease = std::map<std::string, KeptDeployment>;  // by name

KeptDeployment Keep(const model::Deployment& deployment);
// Without the templates, and so without the secrets that they may hold: for a place that more
// people read than the Deployments.
KeptRelease ByReference(const KeptRelease& kept, const plan::Plan& plan);
std::string FormatKept(const KeptRelease& kept);
// Errors: kBackupBad.
Result<KeptRelease> ParseKept(std::string_view text);

}  // namespace mu::effects
