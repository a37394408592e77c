// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace mu {
namespace {

// Made at the first call with --verbose: a start without it pays nothing.
std::shared_ptr<spdlog::logger>& Logger() {
  static std::shared_ptr<spdlog::logger> logger;
  return logger;
}

}  // namespace

void SetVerbose(bool is_verbose) {
  if (!is_verbose) {
    Logger().reset();
    return;
  }
  Logger() = std::make_shared<spdlog::logger>("milvus-upgrade",
                                              std::make_shared<spdlog::sinks::stderr_sink_mt>());
  Logger()->set_level(spdlog::level::debug);
  Logger()->set_pattern("%H:%M:%S.%e debug: %v");
}

void LogDebug(std::string_view line) {
  if (Logger()) Logger()->debug("{}", line);
}

}  // namespace mu
