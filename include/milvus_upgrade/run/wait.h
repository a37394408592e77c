// SPDX-License-Identifier: Apache-2.0
// WaitFor: the level-triggered gate. It reads the state again and again; nothing depends on an
// event arriving and no gate is a sleep.
#pragma once

#include <functional>
#include <string>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/run/effect.h"

namespace mu::run {

struct Observation {
  bool is_true = false;
  std::string observed;  // the current value, for people and for the timeout's message
};

// `look` returns an error when the state can no longer come (stuck): that ends the wait at once,
// with its cause. Errors: kGateTimeout with the last observed value; kInterrupted; what `look`
// returns.
Result<std::string> WaitFor(const std::string& what, Millis timeout, Millis interval,
                            ports::Clock& clock, StepScope& scope,
                            const std::function<Result<Observation>()>& look);

}  // namespace mu::run
