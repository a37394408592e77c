// SPDX-License-Identifier: Apache-2.0
// The commands that this program gives to itself, where it runs as a helper in a container
// (run/helper_container.h). Not for people: no help, no promise between versions. They speak on
// stdout in lines and end when their stdin does.
//
//   internal probe URL MILLISECONDS    one GET after another; a line each: "1234 ok" or "1234 no",
//                                      the milliseconds being when the answer came, since the start
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/duration.h"

namespace mu::cli {

inline constexpr char kInternal[] = "internal";

int RunInternal(const std::vector<std::string>& arguments);

std::vector<std::string> ProbeArguments(const std::string& url, Millis interval);
struct Sample {
  Millis at{0};
  bool is_right = false;
};
std::optional<Sample> ParseSample(std::string_view line);

}  // namespace mu::cli
