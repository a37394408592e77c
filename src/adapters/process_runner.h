// SPDX-License-Identifier: Apache-2.0
// The only place that starts processes. Usable from several threads at once; owns nothing between
// two calls. Never a shell, never an inherited descriptor, never a child left unreaped.
//
// posix_spawn and not Boost.Process v2: its 1.81 was run and let descriptors above 2 through to the
// child, ran our exit handlers in a child whose exec failed, and left that child a zombie.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/ports/runner.h"

namespace mu::adapters {

class ProcessRunner final : public ports::Runner {
 public:
  // With `interrupts`, a second signal stops a running child (kInterrupted).
  explicit ProcessRunner(ports::Interrupts* interrupts = nullptr) : interrupts_(interrupts) {}
  Result<ports::CommandResult> Run(const ports::Command& command) override;

 private:
  ports::Interrupts* interrupts_;
};

// A child that lives beside us. Its destructor ends it: SIGTERM, SIGKILL after a grace, reaped.
class Companion {
 public:
  virtual ~Companion() = default;
  virtual bool HasEnded() = 0;
  virtual std::string Output() const = 0;  // the end of what it wrote, both streams
};
// Starts it in its own process group, with stdin from /dev/null; the kernel ends it when the thread
// that calls this is gone, however it went. Of `command` only argv and the environment count.
// Errors: kCommandNotFound, kCommandFailed.
Result<std::unique_ptr<Companion>> StartCompanion(const ports::Command& command);

// Tells `log` of each finished child; every secret in argv or stderr is masked before.
class RecordingRunner final : public ports::Runner {
 public:
  RecordingRunner(ports::Runner& inner, ports::CommandLog log,
                  std::vector<std::string> secrets = {})
      : inner_(inner), log_(std::move(log)), secrets_(std::move(secrets)) {}
  Result<ports::CommandResult> Run(const ports::Command& command) override;

 private:
  ports::Runner& inner_;
  ports::CommandLog log_;
  std::vector<std::string> secrets_;
  std::mutex mutex_;  // one record at a time
};

}  // namespace mu::adapters
