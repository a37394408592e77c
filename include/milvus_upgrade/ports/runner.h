// SPDX-License-Identifier: Apache-2.0
// Runner: the one way to start a child program. An interface because tests put a fake or a
// recording one here, and because every child is a journal record.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/base/result.h"

namespace mu::ports {

struct Command {
  std::vector<std::string> argv;  // argv[0] is looked up on PATH; never a shell line
  std::map<std::string, std::string> environment;  // added to ours; secrets go here, never in argv
  std::string working_directory;                   // "": ours
  std::string standard_input;                      // "": /dev/null
  Millis timeout{60'000};
  std::size_t max_output = 64u << 20;  // bytes of stdout; more is an error, not a cut text
  std::string stdout_file;  // when set, stdout goes straight to this file (0600) and is not kept
  bool has_clean_environment = false;  // only `environment`, nothing of ours
  bool joins_stderr = false;           // stderr goes where stdout goes, in the order of writing
  // When set, each line of stdout is handed over as it comes, without its newline, and not kept. A
  // line beyond 64 KiB comes in parts.
  std::function<void(std::string_view line)> on_line;
  // When set, the child works until this says true (asked each 100 ms): its stdin is a pipe that
  // stays open until then and is closed when we die, however we die. `timeout` counts from there.
  std::function<bool()> wants_end;
};

struct CommandResult {
  int exit_code = 0;  // 128+n when ended by signal n
  std::string out;
  std::string err;  // the last 64 KiB
  Millis took{0};
  bool operator==(const CommandResult&) const = default;
};

class Runner {
 public:
  virtual ~Runner() = default;
  // Runs to the end, both pipes drained, in its own process group, with stdin from /dev/null. A
  // non-zero exit is a result, not an error. Errors: kCommandNotFound, kCommandTimeout (the group
  // was killed and reaped), kCommandOutput (too much), kInterrupted (second signal).
  virtual Result<CommandResult> Run(const Command& command) = 0;
};

// Called with each finished child: the journal implements it.
struct CommandRecord {
  std::vector<std::string> argv;  // secrets masked
  int exit_code = 0;
  Millis took{0};
  std::string err_tail;
  std::string failure;  // of the runner itself: not found, timeout
};
using CommandLog = std::function<void(const CommandRecord&)>;

}  // namespace mu::ports
