// SPDX-License-Identifier: Apache-2.0
#include "adapters/signals.h"

#include <atomic>

namespace mu::adapters {
namespace {

std::atomic<int> count = 0;
std::atomic<int> first = 0;
std::atomic<bool> is_deaf = false;
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

void Note(int number) {
  int none = 0;
  first.compare_exchange_strong(none, number);
  count.fetch_add(1);
}

}  // namespace

Signals::Signals() {
  count = 0;
  first = 0;
  is_deaf = false;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = kSignals[i] == SIGPIPE ? SIG_IGN : Note;
    action.sa_flags = SA_RESTART;
    ::sigaction(kSignals[i], &action, nullptr);
  }
}

Signals::~Signals() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
}

ports::Interrupt Signals::Pending() {
  const int seen = is_deaf ? 0 : count.load();
  return seen == 0   ? ports::Interrupt::kNone
         : seen == 1 ? ports::Interrupt::kFinishStep
                     : ports::Interrupt::kStopNow;
}

int Signals::Signal() { return first; }

void Signals::Ignore() { is_deaf = true; }

}  // namespace mu::adapters
