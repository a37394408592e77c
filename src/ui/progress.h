// SPDX-License-Identifier: Apache-2.0
// The progress views: the same events as one live line, as lines in a pipe, as JSON lines, as
// folded groups of GitHub Actions, or not at all. They draw on stderr and decide nothing. A view
// may own a thread that only draws (redraw, heartbeat); what it shares with Tell is guarded by one
// mutex.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/run/effect.h"
#include "ui/stream.h"
#include "ui/style.h"

namespace mu::ui {

// Now, monotonic. A parameter so that tests move it by hand.
using Now = std::function<Millis()>;
Millis SteadyNow();

// What a view says of one event; copied, since the drawing thread may outlive the step.
struct Line {
  run::ProgressEvent::Kind kind = run::ProgressEvent::Kind::kNote;
  std::string step;   // id, "" for events of the run
  std::string title;  // of the step's kind
  std::string cause;
  int index = 0;
  int count = 0;
  Millis elapsed{0};
  std::string text;
  std::string hint;
  bool is_heartbeat = false;

  std::string Name() const;  // "[3/12] stop/node", or "" for events of the run
};
Line LineOf(const run::ProgressEvent& event);
// The line in words, without its name: "waiting: querynode exiting (4s)".
std::string SentenceOf(const Line& line);

// Calls `tick` every `period` on a thread of its own until it is destroyed. Signals stay with the
// thread that acts.
class Ticker {
 public:
  Ticker(Millis period, std::function<void()> tick);
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

inline constexpr Millis kHeartbeat{10'000};

// One piece of text for each change of state, and a heartbeat while a step says nothing new.
class LineProgress : public run::Progress {
 public:
  using Draw = std::function<std::string(const Line&)>;  // whole lines, may be ""
  LineProgress(Stream& err, Draw draw, Now now);
  void Tell(const run::ProgressEvent& event) override;
  void Tick();  // from any thread

 private:
  void Put(const Line& line);  // REQUIRES: mutex_ held

  Stream& err_;
  Draw draw_;
  Now now_;
  std::mutex mutex_;
  Line current_;  // of the running step; step "" when none runs
  Millis started_{0};
  Millis last_put_{0};
};

// Finished steps as lines, the running one as a live line that is drawn at most ten times a second.
class TtyProgress : public run::Progress {
 public:
  TtyProgress(Stream& err, Style style, Now now);
  ~TtyProgress() override;
  void Tell(const run::ProgressEvent& event) override;
  void Tick();

 private:
  void Redraw();  // REQUIRES: mutex_ held

  Stream& err_;
  Style style_;
  Now now_;
  std::mutex mutex_;
  Line current_;
  Millis started_{0};
  Millis drawn_{-1'000};
};

LineProgress::Draw PlainDraw(Style style);
LineProgress::Draw JsonDraw();
LineProgress::Draw GithubDraw();

// With the drawing thread. `mode` is resolved: not kAuto.
std::unique_ptr<run::Progress> MakeProgress(config::ProgressMode mode, Stream& err, Style style);

// The first `columns` columns of one line of text; what is cut ends in "...".
std::string Cut(std::string_view text, int columns);

// For workflow commands ("::error title=T::message"), encoded as GitHub's runner decodes them.
std::string GithubMessage(std::string_view text);
std::string GithubProperty(std::string_view text);
// Lines of foreign text that must not be taken for workflow commands.
std::string GithubHarmless(std::string_view text);

}  // namespace mu::ui
