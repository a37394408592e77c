// SPDX-License-Identifier: Apache-2.0
#include "ui/progress.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <thread>

#include "milvus_upgrade/base/text.h"

namespace mu::ui {
namespace {

using Kind = run::ProgressEvent::Kind;

class QuietProgress : public run::Progress {
 public:
  void Tell(const run::ProgressEvent&) override {}
};

// A view together with the thread that makes it move. The ticker is destroyed first.
template <class Drawn>
class Ticked : public run::Progress {
 public:
  template <class... Args>
  explicit Ticked(Millis period, Args&&... args)
      : drawn_(std::forward<Args>(args)...), ticker_(period, [this] { drawn_.Tick(); }) {}
  void Tell(const run::ProgressEvent& event) override { drawn_.Tell(event); }

 private:
  Drawn drawn_;
  Ticker ticker_;
};

}  // namespace

Millis SteadyNow() {
  return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch());
}

struct Ticker::State {
  std::mutex mutex;
  std::condition_variable wake;
  bool is_over = false;
  std::thread thread;
};

Ticker::Ticker(Millis period, std::function<void()> tick) : state_(std::make_unique<State>()) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  state_->thread = std::thread([state = state_.get(), period, tick = std::move(tick)] {
    std::unique_lock lock(state->mutex);
    while (!state->wake.wait_for(lock, period, [&] { return state->is_over; })) tick();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Ticker::~Ticker() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_over = true;
  }
  state_->wake.notify_all();
  state_->thread.join();
}

std::string Line::Name() const {
  return step.empty() ? std::string() : fmt::format("[{}/{}] {}", index, count, step);
}

Line LineOf(const run::ProgressEvent& event) {
  Line line;
  line.kind = event.kind;
  if (event.step != nullptr) {
    line.step = Printable(event.step->id);
    line.title = plan::RowOf(event.step->kind).title;
    line.cause = Printable(event.step->cause);
  }
  line.index = event.index;
  line.count = event.count;
  line.elapsed = event.elapsed;
  line.text = Printable(event.text);
  line.hint = Printable(event.hint);
  return line;
}

std::string SentenceOf(const Line& line) {
  const auto with = [](std::string_view head, const std::string& text) {
    return text.empty() ? std::string(head) : fmt::format("{}: {}", head, text);
  };
  switch (line.kind) {
    case Kind::kStepStarted:
      return line.title;
    case Kind::kWaiting:
      return fmt::format("{} ({})",
                         line.text.empty() ? std::string("working") : "waiting: " + line.text,
                         FormatDuration(line.elapsed));
    case Kind::kStepDone:
      return fmt::format("done in {}", FormatDuration(line.elapsed));
    case Kind::kStepSkipped:
      return "skipped: it is already so";
    case Kind::kStepFailed:
      return with("failed", line.text);
    case Kind::kStepInterrupted:
      return with("interrupted", line.text);
    case Kind::kRunStarted:
      return with("run started", line.text);
    case Kind::kOutageOpened:
      return "outage begins";
    case Kind::kOutageClosed:
      return "outage ends";
    case Kind::kPointOfNoReturn:
      return with("point of no return passed", line.text);
    case Kind::kRollbackStarted:
      return with("going back to the old version", line.text);
    case Kind::kRunEnded:
      return with("run ended", line.text);
    case Kind::kNote:
      break;
  }
  return line.text;
}

std::unique_ptr<run::Progress> MakeProgress(config::ProgressMode mode, Stream& err, Style style) {
  using config::ProgressMode;
  switch (mode) {
    case ProgressMode::kQuiet:
      return std::make_unique<QuietProgress>();
    case ProgressMode::kTty:
      return std::make_unique<Ticked<TtyProgress>>(Millis(200), err, style, SteadyNow);
    case ProgressMode::kJson:
      return std::make_unique<Ticked<LineProgress>>(Millis(1'000), err, JsonDraw(), SteadyNow);
    case ProgressMode::kGithub:
      return std::make_unique<Ticked<LineProgress>>(Millis(1'000), err, GithubDraw(), SteadyNow);
    case ProgressMode::kAuto:
    case ProgressMode::kPlain:
      break;
  }
  return std::make_unique<Ticked<LineProgress>>(Millis(1'000), err, PlainDraw(style), SteadyNow);
}

}  // namespace mu::ui
