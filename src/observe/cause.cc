// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/observe/compose_observer.h"

namespace mu::observe {
namespace {

constexpr int kLogLines = 200;  // the trace of a panicking Go program is some 50
constexpr std::size_t kShown = 5;

// A Go program that panics says why first, and then where it stood: what it says is the news.
std::string TellingLines(const std::string& log) {
  const std::vector<std::string> lines = Split(Trim(log), '\n');
  std::size_t from = lines.size() > kShown ? lines.size() - kShown : 0;
  for (std::size_t i = lines.size(); i-- > 0;) {
    if (!lines[i].starts_with("panic: ") && !lines[i].starts_with("fatal error: ")) continue;
    from = i;
    break;
  }
  std::string told;
  for (std::size_t i = from; i < std::min(from + kShown, lines.size()); ++i)
    told += lines[i] + "\n";
  return told;
}

}  // namespace

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
