// SPDX-License-Identifier: Apache-2.0
// What the program does inside, for whoever asks with --verbose: one line on stderr each, with the
// time. Off unless asked for; never a result, never something that a user must read. The only door
// to spdlog.
#pragma once

#include <string_view>

namespace mu {

void SetVerbose(bool is_verbose);
void LogDebug(std::string_view line);

}  // namespace mu
