// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/base/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <utility>

namespace mu {
namespace {

class FunctionSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(std::function<void(std::string_view)> take) : take_(std::move(take)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    take_({text.data(), text.size()});
  }
  void flush_() override {}

  std::function<void(std::string_view)> take_;
};

// Made at the first call with --verbose: a start without it pays nothing.
std::shared_ptr<spdlog::logger>& Logger() {
  static std::shared_ptr<spdlog::logger> logger;
  return logger;
}

}  // namespace

void SetVerbose(std::function<void(std::string_view)> sink) {
  if (!sink) {
    Logger().reset();
    return;
  }
  Logger() = std::make_shared<spdlog::logger>("milvus-upgrade",
                                              std::make_shared<FunctionSink>(std::move(sink)));
  Logger()->set_level(spdlog::level::debug);
  Logger()->set_pattern("%H:%M:%S.%e debug: %v");
}

void LogDebug(std::string_view line) {
  if (Logger()) Logger()->debug("{}", line);
}

}  // namespace mu
