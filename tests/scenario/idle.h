// SPDX-License-Identifier: Apache-2.0
// What a story in memory has no use for, but its parts ask for.
#pragma once

#include "milvus_upgrade/ports/runner.h"
#include "milvus_upgrade/run/effect.h"

namespace mu::scenario {

class NoRunner : public ports::Runner {
 public:
  Result<ports::CommandResult> Run(const ports::Command& command) override {
    return Fail(ErrorCode::kCommandNotFound, command.argv.front() + " is not in this world");
  }
};

class Silence : public run::Progress {
 public:
  void Tell(const run::ProgressEvent&) override {}
};

}  // namespace mu::scenario
