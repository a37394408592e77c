// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/prober.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace mu::run {
namespace {

// Answers of one probe folded to windows: from the end of the last right answer to the end of the
// next one.
struct Fold {
  std::string name;
  std::string from;             // where a source asks; "": here
  std::optional<Millis> zero;   // of the source's clock, on ours
  std::optional<Millis> ended;  // a source that ended before it was told to
  std::string why_ended;
  std::uint64_t samples = 0;
  std::uint64_t failed = 0;
  std::optional<Millis> last_right;
  std::optional<Millis> open_since;
  std::vector<std::pair<Millis, Millis>> windows;

  void Add(bool is_right, Millis now) {
    ++samples;
    if (!is_right) {
      ++failed;
      if (!open_since) open_since = last_right.value_or(now);
      return;
    }
    if (open_since) windows.emplace_back(*open_since, now);
    open_since.reset();
    last_right = now;
  }
};

Record EventOf(std::string name, Evidence evidence) {
  Record record;
  record.type = RecordType::kEvent;
  record.event = std::move(name);
  record.evidence = std::move(evidence);
  return record;
}

}  // namespace

struct Prober::State {
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  std::mutex mutex;
  std::condition_variable wake;
  bool is_stopping = false;
  std::deque<Fold> folds;  // a deque: threads keep references
  std::vector<std::thread> threads;
  Millis ended{0};

  Millis Now() const {
    return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - start);
  }
};

Prober::Prober() : state_(std::make_unique<State>()) {}

Prober::~Prober() { Stop(); }

void Prober::Start(const std::string& name, Millis interval, Probe probe) {
  State* state = state_.get();
  Fold* fold = nullptr;
  {
    const std::lock_guard lock(state->mutex);
    fold = &state->folds.emplace_back();
    fold->name = name;
  }
  state->threads.emplace_back([state, fold, interval, probe = std::move(probe)] {
    for (;;) {
      const bool is_right = probe();
      std::unique_lock lock(state->mutex);
      if (state->is_stopping) return;  // an answer cut short by the end says nothing
      fold->Add(is_right, state->Now());
      if (state->wake.wait_for(lock, interval, [&] { return state->is_stopping; })) return;
    }
  });
}

void Prober::Listen(const std::string& name, const std::string& from, Source source) {
  State* state = state_.get();
  Fold* fold = nullptr;
  {
    const std::lock_guard lock(state->mutex);
    fold = &state->folds.emplace_back();
    fold->name = name;
    fold->from = from;
  }
  state->threads.emplace_back([state, fold, source = std::move(source)] {
    Millis last{0};
    const auto answered = [&](bool is_right, Millis at) {
      const std::lock_guard lock(state->mutex);
      if (state->is_stopping) return;
      const Millis zero = state->Now() - at;
      fold->zero = std::min(fold->zero.value_or(zero), zero);
      fold->Add(is_right, at);
      last = at;
    };
    const auto is_over = [state] {
      const std::lock_guard lock(state->mutex);
      return state->is_stopping;
    };
    const Status done = source(answered, is_over);
    const std::lock_guard lock(state->mutex);
    if (state->is_stopping) return;
    fold->ended = last;
    fold->why_ended = done ? "it ended by itself" : done.error().message;
  });
}

void Prober::Stop() {
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->is_stopping) state_->ended = state_->Now();
    state_->is_stopping = true;
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

std::vector<Record> Prober::Events() const {
  std::vector<Record> events;
  for (const Fold& fold : state_->folds) {
    const Millis zero = fold.zero.value_or(Millis(0));
    if (!fold.from.empty() && fold.samples == 0) {
      events.push_back(EventOf(
          "probe-not-measured",
          {{"probe", fold.name},
           {"reason", fold.from + (fold.ended ? ": " + fold.why_ended : " gave no answer")}}));
      continue;
    }
    std::vector<std::pair<Millis, Millis>> windows = fold.windows;
    if (fold.open_since) {
      windows.emplace_back(*fold.open_since, fold.ended.value_or(state_->ended - zero));
    }
    Millis total{0};
    Millis longest{0};
    for (const auto& [from, to] : windows) {
      total += to - from;
      longest = std::max(longest, to - from);
      events.push_back(EventOf("probe-window", {{"probe", fold.name},
                                                {"from_ms", std::to_string((zero + from).count())},
                                                {"to_ms", std::to_string((zero + to).count())}}));
    }
    Evidence summary = {{"probe", fold.name},
                        {"samples", std::to_string(fold.samples)},
                        {"failed", std::to_string(fold.failed)},
                        {"windows", std::to_string(windows.size())},
                        {"total_ms", std::to_string(total.count())},
                        {"longest_ms", std::to_string(longest.count())},
                        {"still_open", fold.open_since ? "true" : "false"}};
    if (!fold.from.empty()) summary["from"] = fold.from;
    if (fold.ended) summary["ended_early"] = fold.why_ended;
    events.push_back(EventOf("probe-summary", std::move(summary)));
  }
  return events;
}

}  // namespace mu::run
