// SPDX-License-Identifier: Apache-2.0
// The target of a compose run: one project on one engine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/engine_lock.h"
#include "cli/probes.h"
#include "cli/run_target.h"

namespace mu::cli {

// The way back on the engine: what has really started is asked of it, for the point of no return is
// an event and not a line of the plan.
class ComposeWayBack : public run::WayBack {
 public:
  explicit ComposeWayBack(ports::Docker& docker) : docker_(docker) {}
  Result<plan::Plan> PlanBack(const run::BackRequest& request) override;

 private:
  ports::Docker& docker_;
};

std::unique_ptr<RunTarget> MakeComposeTarget(Wiring& wiring, const plan::Plan& plan);

}  // namespace mu::cli
