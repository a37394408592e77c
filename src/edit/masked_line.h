// SPDX-License-Identifier: Apache-2.0
// Hides what looks like a secret in a line of a file that is shown to people. Rather hides too
// much: from the value of a secret name to the end of its line, and the lines indented below it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mu::edit {

// Lines of one file, in order, with or without their line ends.
std::vector<std::string> MaskLines(const std::vector<std::string_view>& lines);

}  // namespace mu::edit
