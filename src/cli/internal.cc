// SPDX-License-Identifier: Apache-2.0
#include "cli/internal.h"

#include <fmt/format.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <charconv>
#include <chrono>

#include "cli/probes.h"
#include "cli/wiring.h"
#include "milvus_upgrade/base/exit_code.h"

namespace mu::cli {
namespace {

constexpr char kProbe[] = "probe";

// Waits; false when stdin has ended: whoever started us is gone or wants no more.
bool Wait(Millis duration) {
  pollfd watched{STDIN_FILENO, POLLIN, 0};
  if (::poll(&watched, 1, static_cast<int>(duration.count())) <= 0) return true;
  char ignored[256];
  return ::read(STDIN_FILENO, ignored, sizeof ignored) > 0;
}

int Probe(const std::string& url, Millis interval) {
  // While its container is stopped the engine does not answer for the name at all; the usual 5 s
  // and two attempts would hide the moment in which it is back.
  ::setenv("RES_OPTIONS", "timeout:1 attempts:1 ndots:0", 1);
  Wiring wiring;
  const auto start = std::chrono::steady_clock::now();
  do {
    const auto answer = wiring.Http().Get(url, kProbeTimeout);
    const auto at =
        std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - start).count();
    const std::string line =
        fmt::format("{} {}\n", at, answer && answer->status == 200 ? "ok" : "no");
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) break;
  } while (Wait(interval));
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace

std::vector<std::string> ProbeArguments(const std::string& url, Millis interval) {
  return {kInternal, kProbe, url, std::to_string(interval.count())};
}

std::optional<Sample> ParseSample(std::string_view line) {
  Millis::rep at = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), at);
  if (error != std::errc()) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (line != " ok" && line != " no") return std::nullopt;
  return Sample{Millis(at), line == " ok"};
}

int RunInternal(const std::vector<std::string>& arguments) {
  Millis::rep interval = 0;
  if (arguments.size() == 4 && arguments[1] == kProbe) {
    const std::string& text = arguments[3];
    std::from_chars(text.data(), text.data() + text.size(), interval);
  }
  if (interval <= 0) return static_cast<int>(ExitCode::kUsage);
  return Probe(arguments[2], Millis(interval));
}

}  // namespace mu::cli
