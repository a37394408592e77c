// SPDX-License-Identifier: Apache-2.0
// The program under the name of Milvus's own tool, `meta-migration -config=FILE`: the same input
// file, backup file and exit codes, so that it can stand in that tool's place in an image. What it
// says is its own, on stdout as there, and always ends in one verdict line.
#pragma once

#include <string>
#include <vector>

namespace mu::cli {

// Whether the program was started under that name.
bool IsDropIn(const std::string& program);
// `arguments` without the program's name. The exit code (ground.md 4): 0 done, or nothing to do; 1
// refused; 2 arguments or a file that cannot be used, and what was cut after the backup; 100 a
// backup or rollback that failed.
int RunDropIn(const std::vector<std::string>& arguments);

}  // namespace mu::cli
