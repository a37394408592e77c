// SPDX-License-Identifier: Apache-2.0
// What the program does inside, for whoever asks with --verbose: one line each, with the time. Off
// unless asked for; never a result, never something that a user must read. It writes nowhere
// itself: the console has the stream, and knows what else is drawn on it. The only door to spdlog.
#pragma once

#include <functional>
#include <string_view>

namespace mu {

// `sink` takes whole lines with their newline, from any thread; empty turns the log off.
void SetVerbose(std::function<void(std::string_view lines)> sink);
void LogDebug(std::string_view line);

}  // namespace mu
