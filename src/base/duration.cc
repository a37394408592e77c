// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/base/duration.h"

#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <utility>

namespace mu {
namespace {

constexpr double kMaxMillis = 1000.0 * 3600 * 1000;

}  // namespace

Result<Millis> ParseDuration(std::string_view text) {
  auto bad = [&](std::string_view why) {
    return Fail(ErrorCode::kUsage, fmt::format("\"{}\" is not a duration: {}", text, why),
                "write a number with its unit, such as 500ms, 90s, 1m30s or 2h");
  };
  if (text.empty()) return bad("it is empty");
  double total = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t start = at;
    while (at < text.size() &&
           (std::isdigit(static_cast<unsigned char>(text[at])) || text[at] == '.'))
      ++at;
    if (at == start) return bad("a number is missing");
    double number = 0;
    try {
      std::size_t used = 0;
      const std::string digits(text.substr(start, at - start));
      number = std::stod(digits, &used);
      if (used != digits.size()) return bad("the number is malformed");
    } catch (const std::exception&) {
      return bad("the number is malformed");
    }
    const std::size_t unit_start = at;
    while (at < text.size() && std::isalpha(static_cast<unsigned char>(text[at]))) ++at;
    const std::string_view unit = text.substr(unit_start, at - unit_start);
    if (unit == "ms") {
      total += number;
    } else if (unit == "s") {
      total += number * 1000;
    } else if (unit == "m") {
      total += number * 60'000;
    } else if (unit == "h") {
      total += number * 3'600'000;
    } else if (unit.empty()) {
      return bad("the unit is missing");
    } else {
      return bad(fmt::format("\"{}\" is not a unit", unit));
    }
    if (total > kMaxMillis) return bad("it is more than 1000 hours");
  }
  return Millis(std::llround(total));
}

std::string FormatDuration(Millis duration) {
  const auto ms = duration.count();
  if (ms < 0) return "-" + FormatDuration(-duration);
  if (ms == 0) return "0s";
  if (ms < 1000) return fmt::format("{}ms", ms);
  if (const auto tenths = (ms + 50) / 100; tenths < 600) {
    if (tenths % 10 == 0) return fmt::format("{}s", tenths / 10);
    return fmt::format("{}.{}s", tenths / 10, tenths % 10);
  }
  const auto seconds = (ms + 500) / 1000;
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds % 3600 / 60);
}

}  // namespace mu
