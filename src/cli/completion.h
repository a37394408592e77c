// SPDX-License-Identifier: Apache-2.0
// Completion scripts, made from the command and key tables. Pure.
#pragma once

#include <string>

namespace mu::cli {

std::string BashCompletion();
std::string ZshCompletion();
std::string FishCompletion();

}  // namespace mu::cli
