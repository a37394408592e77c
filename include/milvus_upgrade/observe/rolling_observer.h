// SPDX-License-Identifier: Apache-2.0
// Reads a release on Kubernetes once into a model::ObservedRelease. Only reads. What the user may
// not read and the upgrade can do without becomes a fact, so that the checks can say all at once.
#pragma once

#include <string>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/release.h"
#include "milvus_upgrade/ports/kube.h"

namespace mu::observe {

// Errors: those of the port; kNoRelease with the releases that are there.
Result<model::ObservedRelease> ObserveRelease(ports::Kube& kube, const std::string& release);

// The label selector of the release's objects.
std::string SelectorOf(const std::string& release);

// What an upgrade does in the namespace, as rights.
const std::vector<model::KubeRight>& RightsNeeded();

// SHA-256 of the facts that a plan relies on: cluster, release, each Milvus Deployment by uid, hash
// of its template and of its strategy, replicas, paused; each ConfigMap by uid and hash of its
// data; what is unplaced. No resource version is in it: that moves with every change of a status.
std::string FingerprintOf(const model::ObservedRelease& observed);

}  // namespace mu::observe
