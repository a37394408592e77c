// SPDX-License-Identifier: Apache-2.0
// Durations as people write and read them: "90s", "1m30s", "500ms", "2h". Units are required, as in
// kubectl and Go: a bare number is refused, since it has been read both as seconds and as
// milliseconds.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "milvus_upgrade/base/result.h"

namespace mu {

using Millis = std::chrono::milliseconds;

// Errors: kUsage when empty, negative, without a unit, with an unknown unit, or beyond 1000 hours.
Result<Millis> ParseDuration(std::string_view text);
// "0s", "350ms", "12.4s", "1m30s", "2h05m".
std::string FormatDuration(Millis duration);

}  // namespace mu
