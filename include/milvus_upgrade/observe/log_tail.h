// SPDX-License-Identifier: Apache-2.0
// What is shown of the log of a program that has ended, wherever it ran.
#pragma once

#include <string>
#include <string_view>

namespace mu::observe {

// How many lines to ask for: the trace of a panicking Go program is some 50.
inline constexpr int kLogLines = 200;

// The few lines that tell why, each ended: the last ones; of a Go program that panicked what it
// says first, not where it stood. "" of an empty log.
std::string TellingLines(std::string_view log);

}  // namespace mu::observe
