// SPDX-License-Identifier: Apache-2.0
// The target of a rolling run: one release in one namespace of a cluster.
#pragma once

#include <memory>

#include "cli/run_target.h"
#include "milvus_upgrade/ports/kube.h"

namespace mu::cli {

// The way back on the cluster: whether the new version has really run is asked of the pods and of
// the journal, for the point of no return is an event and not a line of the plan.
class KubeWayBack : public run::WayBack {
 public:
  explicit KubeWayBack(ports::Kube& kube) : kube_(kube) {}
  Result<plan::Plan> PlanBack(const run::BackRequest& request) override;

 private:
  ports::Kube& kube_;
};

std::unique_ptr<RunTarget> MakeKubeTarget(Wiring& wiring, const plan::Plan& plan);

}  // namespace mu::cli
