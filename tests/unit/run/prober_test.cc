// SPDX-License-Identifier: Apache-2.0
// The prober's windows, of answers that a test gives: its own clock is real, so bounds are wide.
#include "milvus_upgrade/run/prober.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace mu::run {
namespace {

Millis Number(const Record& record, const std::string& key) {
  return Millis(std::stoll(record.evidence.at(key)));
}

void SleepFor(int millis) { std::this_thread::sleep_for(std::chrono::milliseconds(millis)); }

// Tells a story of a source at once, then waits for the end.
Source Tells(std::vector<std::pair<int, bool>> story, std::atomic<bool>* told) {
  return [story = std::move(story), told](const Answered& answered,
                                          const std::function<bool()>& is_over) -> Status {
    for (const auto& [at, is_right] : story) answered(is_right, Millis(at));
    *told = true;
    while (!is_over()) SleepFor(1);
    return {};
  };
}

TEST(Prober, MeasuresASourceByItsOwnClock) {
  Prober prober;
  std::atomic<bool> told = false;
  // Its clock has run for an hour; all its answers arrive in one moment.
  const int hour = 3'600'000;
  prober.Listen("healthz", "a container",
                Tells({{hour, true},
                       {hour + 50, true},
                       {hour + 100, false},
                       {hour + 900, false},
                       {hour + 1'000, true},
                       {hour + 1'050, true}},
                      &told));
  while (!told) SleepFor(1);
  prober.Stop();
  const std::vector<Record> events = prober.Events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].event, "probe-window");
  EXPECT_EQ(Number(events[0], "to_ms") - Number(events[0], "from_ms"), Millis(950));
  // The last answer has arrived the soonest after it was given: it says where the clock stands.
  EXPECT_LT(Number(events[0], "to_ms"), Millis(5'000));
  const Evidence& summary = events[1].evidence;
  EXPECT_EQ(events[1].event, "probe-summary");
  EXPECT_EQ(summary.at("from"), "a container");
  EXPECT_EQ(summary.at("samples"), "6");
  EXPECT_EQ(summary.at("failed"), "2");
  EXPECT_EQ(summary.at("total_ms"), "950");
  EXPECT_EQ(summary.at("still_open"), "false");
  EXPECT_FALSE(summary.contains("ended_early"));
}

TEST(Prober, KeepsAWindowOpenToTheEndOfTheMeasurement) {
  Prober prober;
  std::atomic<bool> told = false;
  prober.Listen("healthz", "a container", Tells({{0, true}, {50, false}}, &told));
  while (!told) SleepFor(1);
  SleepFor(300);
  prober.Stop();
  const std::vector<Record> events = prober.Events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_GE(Number(events[0], "to_ms") - Number(events[0], "from_ms"), Millis(300));
  EXPECT_EQ(events[1].evidence.at("still_open"), "true");
}

TEST(Prober, SaysUntilWhenASourceThatEndedHasSeen) {
  Prober prober;
  std::atomic<bool> has_ended = false;
  prober.Listen("healthz", "a container", [&](const Answered& answered, const auto&) -> Status {
    answered(true, Millis(0));
    answered(false, Millis(50));
    answered(false, Millis(80));
    has_ended = true;
    return Fail(ErrorCode::kContainerFailed, "the engine went away");
  });
  while (!has_ended) SleepFor(1);
  SleepFor(100);
  prober.Stop();
  const std::vector<Record> events = prober.Events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(Number(events[0], "to_ms") - Number(events[0], "from_ms"), Millis(80));
  EXPECT_EQ(events[1].evidence.at("ended_early"), "the engine went away");
}

TEST(Prober, SaysWhyASourceGaveNoAnswer) {
  Prober prober;
  std::atomic<bool> has_ended = false;
  prober.Listen("healthz", "a container", [&](const auto&, const auto&) -> Status {
    has_ended = true;
    return Fail(ErrorCode::kContainerFailed, "exec format error");
  });
  while (!has_ended) SleepFor(1);
  SleepFor(100);
  prober.Stop();
  const std::vector<Record> events = prober.Events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].event, "probe-not-measured");
  EXPECT_EQ(events[0].evidence.at("reason"), "a container: exec format error");
}

TEST(Prober, MeasuresAProbeOfItsOwn) {
  Prober prober;
  std::atomic<bool> is_right = true;
  prober.Start("healthz", Millis(5), [&] { return is_right.load(); });
  SleepFor(50);
  is_right = false;
  SleepFor(200);
  is_right = true;
  SleepFor(50);
  prober.Stop();
  const std::vector<Record> events = prober.Events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_GE(Number(events[0], "to_ms") - Number(events[0], "from_ms"), Millis(190));
  EXPECT_FALSE(events[1].evidence.contains("from"));
}

}  // namespace
}  // namespace mu::run
