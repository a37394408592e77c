// SPDX-License-Identifier: Apache-2.0
// SIGINT, SIGTERM and SIGHUP as a question that can be asked: the first means finish the step, the
// second stop now. Owns the dispositions of these and of SIGPIPE (ignored) while it lives. One at a
// time in a process.
#pragma once

#include <signal.h>

#include <array>

#include "milvus_upgrade/ports/clock.h"

namespace mu::adapters {

class Signals final : public ports::Interrupts {
 public:
  // A signal that was ignored when we started (nohup, a background job) stays ignored.
  Signals();
  ~Signals() override;
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ports::Interrupt Pending() override;
  int Signal() override;
  // From now on none is pending: what is put back must not be stopped. Signal() stays.
  void Ignore();

 private:
  static constexpr std::array<int, 4> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace mu::adapters
