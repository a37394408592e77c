// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/observe/compose_observer.h"
#include "milvus_upgrade/observe/log_tail.h"

namespace mu::observe {

std::string CauseOf(const model::Container& container, ports::Docker& docker) {
  std::string cause;
  if (container.is_oom_killed) {
    cause = "the kernel killed it for lack of memory (OOM)";
  } else if (!container.error.empty()) {
    cause = Printable(container.error);
  } else if (container.status == "exited" || container.status == "dead") {
    cause = fmt::format("it ended with exit code {}", container.exit_code);
  } else if (container.status == "restarting" || container.restart_count > 0) {
    cause = fmt::format("it ended and was restarted {} times", container.restart_count);
    // While it runs again the engine shows 0.
    if (!container.IsRunning()) cause += fmt::format(", last exit code {}", container.exit_code);
  } else if (container.health.status == "unhealthy") {
    cause = fmt::format("its health check fails: {}",
                        std::string(Trim(Printable(container.health.last_output))));
  } else {
    return cause;
  }
  if (container.HasEverStarted()) {
    if (const auto logs = docker.Logs(container.name, kLogLines); logs && !Trim(*logs).empty()) {
      cause += "; last log lines:\n" + TellingLines(*logs);
    }
  }
  return cause;
}

}  // namespace mu::observe
