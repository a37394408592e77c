// SPDX-License-Identifier: Apache-2.0
// Which cluster a kubeconfig leads to, by kubectl's rules for files and contexts
// (kubernetes.io/docs: Organizing Cluster Access), without asking it: status works with the API
// down. Identities are read by kubectl alone.
#pragma once

#include <map>
#include <string>

#include "adapters/kube_proxy.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/kube.h"
#include "milvus_upgrade/ports/files.h"

namespace mu::adapters {

// Context and server; the version is left out. In a pod without a kubeconfig the server is that of
// its service account. Errors: kKubeConfig.
Result<model::KubeCluster> ReadKubeConfig(const KubeAccess& access,
                                          const std::map<std::string, std::string>& environment,
                                          ports::Files& files);

}  // namespace mu::adapters
