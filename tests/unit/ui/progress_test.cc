// SPDX-License-Identifier: Apache-2.0
#include "ui/progress.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <thread>

#include "milvus_upgrade/base/text.h"
#include "unit/ui/pipe.h"

namespace mu::ui {
namespace {

using Kind = run::ProgressEvent::Kind;

struct Scene {
  Millis now{0};
  plan::Step step;
  Scene() {
    step.id = "stop/node";
    step.kind = plan::StepKind::kStopContainers;
  }
  run::ProgressEvent Event(Kind kind, std::string text = {}, std::string hint = {}) const {
    run::ProgressEvent event;
    event.kind = kind;
    event.step = &step;
    event.index = 3;
    event.count = 12;
    event.elapsed = Millis(4'200);
    event.text = std::move(text);
    event.hint = std::move(hint);
    return event;
  }
};

run::ProgressEvent RunEvent(Kind kind, std::string text = {}) {
  run::ProgressEvent event;
  event.kind = kind;
  event.text = std::move(text);
  return event;
}

TEST(PlainProgress, WritesOneLineForEachChangeOfState) {
  Scene scene;
  Pipe pipe;
  Stream err(pipe.In());
  LineProgress progress(err, PlainDraw({}), [&] { return scene.now; });
  progress.Tell(RunEvent(Kind::kOutageOpened));
  progress.Tell(scene.Event(Kind::kStepStarted));
  for (int i = 0; i < 50; ++i) progress.Tell(scene.Event(Kind::kWaiting, "querynode running"));
  progress.Tell(scene.Event(Kind::kWaiting, "querynode exited"));
  progress.Tell(scene.Event(Kind::kStepDone));
  const std::string title(plan::RowOf(scene.step.kind).title);
  EXPECT_EQ(pipe.Text(),
            "outage begins\n"
            "[3/12] stop/node " +
                title +
                "\n"
                "[3/12] stop/node waiting: querynode running (4.2s)\n"
                "[3/12] stop/node waiting: querynode exited (4.2s)\n"
                "[3/12] stop/node done in 4.2s\n");
}

TEST(PlainProgress, BeatsEachTenSecondsWhileAStepIsSilent) {
  Scene scene;
  Pipe pipe;
  Stream err(pipe.In());
  LineProgress progress(err, PlainDraw({}), [&] { return scene.now; });
  progress.Tell(scene.Event(Kind::kStepStarted));
  pipe.Text();
  for (int second = 1; second <= 25; ++second) {
    scene.now = Millis(1'000 * second);
    progress.Tick();
  }
  EXPECT_EQ(pipe.Text(), "[3/12] stop/node working (10s)\n[3/12] stop/node working (20s)\n");
  progress.Tell(scene.Event(Kind::kWaiting, "x"));
  progress.Tell(scene.Event(Kind::kStepDone));
  pipe.Text();
  scene.now = Millis(100'000);
  progress.Tick();
  EXPECT_EQ(pipe.Text(), "");
}

TEST(PlainProgress, StripsEscapesOfChildren) {
  Scene scene;
  Pipe pipe;
  Stream err(pipe.In());
  LineProgress progress(err, PlainDraw({}), [&] { return scene.now; });
  progress.Tell(scene.Event(Kind::kStepFailed, "\x1b]0;title\x07no\nspace", "free \x1b[2Jsome"));
  const std::string text = pipe.Text();
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("\n    space\n    free some\n"), std::string::npos) << text;
}

TEST(Progress, AGateThatASignalEndsIsNoFailure) {
  for (const auto& [draw, wanted] :
       {std::pair{PlainDraw({}), "[3/12] stop/node interrupted: stopped by a signal\n"},
        std::pair{GithubDraw(), "interrupted: stopped by a signal\n::endgroup::\n"}}) {
    Scene scene;
    Pipe pipe;
    Stream err(pipe.In());
    LineProgress progress(err, draw, [&] { return scene.now; });
    progress.Tell(scene.Event(Kind::kStepInterrupted, "stopped by a signal"));
    EXPECT_EQ(pipe.Text(), wanted);
  }
}

TEST(JsonProgress, WritesOneObjectALine) {
  Scene scene;
  Pipe pipe;
  Stream err(pipe.In());
  LineProgress progress(err, JsonDraw(), [&] { return scene.now; });
  progress.Tell(scene.Event(Kind::kStepStarted));
  progress.Tell(scene.Event(Kind::kStepFailed, "two\nlines", "hint"));
  progress.Tell(RunEvent(Kind::kRunEnded, "failed"));
  const auto lines = Lines(pipe.Text());
  ASSERT_EQ(lines.size(), 3u);
  const auto failed = boost::json::parse(lines[1]).as_object();
  EXPECT_EQ(failed.at("schema_version").as_int64(), 1);
  EXPECT_EQ(failed.at("event").as_string(), "step-failed");
  EXPECT_EQ(failed.at("step").as_string(), "stop/node");
  EXPECT_EQ(failed.at("text").as_string(), "two\nlines");
  EXPECT_EQ(failed.at("elapsed_ms").as_int64(), 4'200);
  EXPECT_FALSE(boost::json::parse(lines[2]).as_object().contains("step"));
}

TEST(GithubProgress, FoldsStepsAndEscapesCommands) {
  Scene scene;
  Pipe pipe;
  Stream err(pipe.In());
  LineProgress progress(err, GithubDraw(), [&] { return scene.now; });
  progress.Tell(scene.Event(Kind::kStepStarted));
  progress.Tell(scene.Event(Kind::kWaiting, "x\n::error::forged\n##[error]forged"));
  progress.Tell(scene.Event(Kind::kStepFailed, "100%\nfull", "a:b,c"));
  const std::string title(plan::RowOf(scene.step.kind).title);
  EXPECT_EQ(pipe.Text(), "::group::[3/12] stop/node " + title +
                             "\n"
                             "waiting: x\n|     ::error::forged\n    ## [error]forged (4.2s)\n"
                             "::endgroup::\n"
                             "::error title=stop/node::100%25%0Afull%0Aa:b,c\n");
  EXPECT_EQ(GithubProperty("a:b,c%"), "a%3Ab%2Cc%25");
}

TEST(TtyProgress, KeepsOneLiveLineWithinTheWidth) {
  Scene scene;
  Pty pty(40);
  Stream err(pty.Terminal());
  {
    TtyProgress progress(err, {}, [&] { return scene.now; });
    progress.Tell(scene.Event(Kind::kStepStarted));
    pty.Text();
    scene.now = Millis(5'000);
    progress.Tell(scene.Event(Kind::kWaiting, "querynode is running and has been for ages"));
    const std::string live = pty.Text();
    EXPECT_EQ(live, "\r\x1b[K[3/12] stop/node  5s  querynode is r...");
    err.Write("a note\n");
    EXPECT_EQ(pty.Text(), "\r\x1b[Ka note\r\n" + live.substr(4));
    progress.Tell(scene.Event(Kind::kStepDone));
    EXPECT_EQ(pty.Text(), "\r\x1b[K[3/12] stop/node  done in 4.2s\r\n");
  }
}

TEST(TtyProgress, DrawsAtMostTenTimesASecond) {
  Scene scene;
  Pty pty(80);
  Stream err(pty.Terminal());
  TtyProgress progress(err, {}, [&] { return scene.now; });
  progress.Tell(scene.Event(Kind::kStepStarted));
  pty.Text();
  for (int ms = 1; ms <= 1'000; ++ms) {
    scene.now = Millis(ms);
    progress.Tell(scene.Event(Kind::kWaiting, std::to_string(ms)));
  }
  const std::string text = pty.Text();
  std::size_t draws = 0;
  for (std::size_t at = 0; (at = text.find("\x1b[K", at)) != std::string::npos; ++at) ++draws;
  EXPECT_GE(draws, 9u);
  EXPECT_LE(draws, 10u);
}

TEST(TtyProgress, RemovesTheLiveLineAtItsEnd) {
  Scene scene;
  Pty pty(80);
  Stream err(pty.Terminal());
  {
    TtyProgress progress(err, {}, [&] { return scene.now; });
    progress.Tell(scene.Event(Kind::kStepStarted));
    pty.Text();
  }
  EXPECT_EQ(pty.Text(), "\r\x1b[K");
}

TEST(Cut, CountsCodePointsAndNeverSplitsOne) {
  EXPECT_EQ(Cut("abc", 3), "abc");
  EXPECT_EQ(Cut("abcd", 3), "...");
  EXPECT_EQ(Cut("äöüßäö", 5), "äö...");
  EXPECT_EQ(Cut("a\nb\tc", 9), "a b c");
  EXPECT_EQ(Cut("abc", 0), "");
  EXPECT_EQ(Cut("abcdef", 2), "..");
}

TEST(Ticker, TicksUntilItIsDestroyed) {
  std::atomic<int> ticks{0};
  {
    const Ticker ticker(Millis(1), [&] { ++ticks; });
    while (ticks < 3) std::this_thread::yield();
  }
  const int after = ticks;
  std::this_thread::yield();
  EXPECT_EQ(ticks, after);
}

TEST(Fold, BreaksAtSpacesAndKeepsLongWords) {
  EXPECT_EQ(Fold("aa bb cc", 0, 5), "aa bb\ncc");
  EXPECT_EQ(Fold("aa bb cc", 2, 7), "aa bb\n  cc");
  EXPECT_EQ(Fold("/a/very/long/path x", 0, 5), "/a/very/long/path\nx");
  EXPECT_EQ(Fold("a\nb", 2, 80), "a\n  b");
  EXPECT_EQ(Fold("", 2, 80), "");
}

TEST(Entry, PutsTheTextBesideOrBelowItsLabel) {
  Style style;
  style.width = 12;
  EXPECT_EQ(Entry("ab", "c d e f g h", 4, style), "ab  c d e f\n    g h\n");
  EXPECT_EQ(Entry("\x1b[1mab\x1b[0m", "c", 4, style), "\x1b[1mab\x1b[0m  c\n");
  EXPECT_EQ(Entry("abcd", "e", 4, style), "abcd\n    e\n");
}

}  // namespace
}  // namespace mu::ui
