// SPDX-License-Identifier: Apache-2.0
// The program: argv and environment to one command's run function to an exit code. app.cc is the
// only user of CLI11. Errors of the command line appear in the form that was asked for, too.
#pragma once

namespace mu::cli {

// Never throws; the return value is the exit code of the process.
int Main(int argc, char** argv);

}  // namespace mu::cli
