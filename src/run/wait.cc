// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/wait.h"

#include <fmt/format.h>

#include <algorithm>

namespace mu::run {

Result<std::string> WaitFor(const std::string& what, Millis timeout, Millis interval,
                            ports::Clock& clock, StepScope& scope,
                            const std::function<Result<Observation>()>& look) {
  const Millis start = clock.Monotonic();
  for (;;) {
    MU_TRY(Observation seen, look());
    if (seen.is_true) return std::move(seen.observed);
    scope.Waiting(seen.observed);
    const Millis left = timeout - (clock.Monotonic() - start);
    if (left <= Millis(0)) {
      return Fail(ErrorCode::kGateTimeout,
                  fmt::format("{} did not come within {}; last seen: {}", what,
                              FormatDuration(timeout), seen.observed));
    }
    if (scope.IsInterrupted()) {
      return Fail(ErrorCode::kInterrupted,
                  fmt::format("stopped by a signal while waiting for {}; last seen: {}", what,
                              seen.observed));
    }
    clock.Sleep(std::min(interval, left));
  }
}

}  // namespace mu::run
