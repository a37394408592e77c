// SPDX-License-Identifier: Apache-2.0
// One fault anywhere in a whole run: the engine is away for one call, a call hangs, a call says
// "done" and has done nothing, a call has worked and its answer is an error, a file operation
// fails. Between two versions that can go back and forth, a single fault must never leave a stack
// that needs a person: it ends upgraded, as it was, or as it was after one `resume`.
#include <gtest/gtest.h>

#include <algorithm>

#include "scenario/story.h"

namespace mu::scenario {
namespace {

using fakes::Answer;
using fakes::ClusterFile;
using fakes::kStandaloneFile;

// 2.2.15, so that 2.2.16 is a patch that can go back.
std::string OlderPatch(std::string text) {
  const std::string tag = "milvus:v2.2.16";
  for (std::size_t at = 0; (at = text.find(tag, at)) != std::string::npos; at += tag.size())
    text.replace(at, tag.size(), "milvus:v2.2.15");
  return text;
}

struct Stack {
  std::string name;
  std::string file;
};

class Faults : public testing::TestWithParam<Stack> {
 protected:
  void SetUp() override {
    Story story(GetParam().file);
    before_ = Of(story);
    story.Plan("2.2.16");
    plan_ = story.ThePlan();
    story.Begin();
    const int first = story.stage.fuse.Passed();
    story.answer = [this](const std::string& name, int) {
      calls_.push_back(name);
      return Answer::kTrue;
    };
    ASSERT_EQ(story.Go().outcome, "done");
    const auto& names = story.stage.fuse.Names();
    boundaries_.assign(names.begin() + first, names.end());
    done_ = Of(story);
  }

  // The world without the engine-side lock: a fault may hit its removal.
  static std::string Of(Story& story) {
    story.stage.world.RemoveContainer("milvus-upgrade-lock-milvus");
    return story.Describe();
  }

  void MustBeWhole(Story& story, const std::string& what) {
    Ending ending = story.Go();
    std::string told = ending.outcome + (ending.error ? " " + ending.error->Text() : "");
    if (ending.outcome == "needs-person") {
      story.stage.clock.Advance(Millis(5000));
      ending = story.Go();
      told += "; resumed: " + ending.outcome + (ending.error ? " " + ending.error->Text() : "");
    }
    const bool is_back = ending.outcome == "rolled-back" || ending.outcome == "failed-untouched" ||
                         ending.outcome == "refused";
    ASSERT_TRUE(is_back || ending.outcome == "done") << what << ": " << told;
    ASSERT_EQ(Of(story), is_back ? before_ : done_) << what << ": " << told;
  }

  // Number of the first call that changes the stack.
  std::size_t FirstChange() const {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (calls_[i].starts_with("update") || calls_[i].starts_with("stop")) return i + 1;
    }
    ADD_FAILURE() << "no call changes the stack";
    return 1;
  }

  plan::Plan plan_;
  std::string before_;
  std::string done_;
  std::vector<std::string> calls_;
  std::vector<std::string> boundaries_;
};

TEST_P(Faults, OneCallIsRefusedHangsOrLies) {
  ASSERT_GE(calls_.size(), 10U);
  for (const Answer fault : {Answer::kEngineDown, Answer::kHang, Answer::kLie}) {
    for (std::size_t call = 1; call <= calls_.size(); ++call) {
      Story story(GetParam().file);
      story.UsePlan(plan_);
      story.Begin();
      std::size_t number = 0;
      story.answer = [&](const std::string&, int) {
        return ++number == call ? fault : Answer::kTrue;
      };
      MustBeWhole(story, "fault " + std::to_string(static_cast<int>(fault)) + " at [" +
                             calls_[call - 1] + "]");
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(Faults, OneBoundaryAnswersWithAnError) {
  for (std::size_t at = 1; at <= boundaries_.size(); ++at) {
    const std::string& name = boundaries_[at - 1];
    const bool is_sync = name.starts_with("sync");
    const bool is_call = name.starts_with("after ") || name.find('/') == std::string::npos;
    const Error error{is_call   ? ErrorCode::kCommandFailed
                      : is_sync ? ErrorCode::kFileSync
                                : ErrorCode::kDiskFull,
                      "injected",
                      "",
                      {}};
    Story story(GetParam().file);
    story.UsePlan(plan_);
    story.Begin();
    story.stage.fuse.FailAt(static_cast<int>(at), error);
    MustBeWhole(story, "error at [" + name + "]");
    if (HasFatalFailure()) return;
  }
}

// From the first change of the stack to the end, whatever is away and comes back within its
// patience: the run goes on as if nothing had been.
TEST_P(Faults, TheEngineIsAwayFor20SecondsInTheOutage) {
  int tried = 0;
  for (std::size_t call = FirstChange(); call <= calls_.size(); ++call) {
    if (calls_[call - 1].ends_with("milvus-upgrade-lock-milvus")) continue;
    Story story(GetParam().file);
    story.UsePlan(plan_);
    story.Begin();
    std::size_t number = 0;
    story.answer = [&](const std::string&, int) {
      if (++number == call) {
        story.stage.world.SetEngineUp(false);
        story.stage.world.At(story.stage.clock.Monotonic() + Millis(20'000),
                             [&] { story.stage.world.SetEngineUp(true); });
      }
      return Answer::kTrue;
    };
    const Ending ending = story.Go();
    ASSERT_EQ(ending.outcome, "done")
        << calls_[call - 1] << ": " << (ending.error ? ending.error->Text() : "");
    ASSERT_EQ(Of(story), done_) << calls_[call - 1];
    ++tried;
  }
  EXPECT_GE(tried, 4);
}

TEST_P(Faults, EtcdIsAwayFor20SecondsWhileMilvusIsDown) {
  const std::size_t up = static_cast<std::size_t>(
      std::find_if(calls_.begin(), calls_.end(),
                   [](const std::string& name) { return name.starts_with("compose up"); }) -
      calls_.begin());
  ASSERT_LT(up, calls_.size());
  for (std::size_t call = FirstChange(); call <= up; ++call) {
    Story story(GetParam().file);
    story.UsePlan(plan_);
    story.Begin();
    std::size_t number = 0;
    story.answer = [&](const std::string&, int) {
      if (++number == call) {
        story.stage.world.KillContainer("milvus-etcd");
        story.stage.world.At(story.stage.clock.Monotonic() + Millis(20'000),
                             [&] { (void)story.stage.world.StartContainer("milvus-etcd"); });
      }
      return Answer::kTrue;
    };
    const Ending ending = story.Go();
    ASSERT_EQ(ending.outcome, "done")
        << calls_[call - 1] << ": " << (ending.error ? ending.error->Text() : "");
  }
}

INSTANTIATE_TEST_SUITE_P(Stacks, Faults,
                         testing::Values(Stack{"Standalone", OlderPatch(kStandaloneFile)},
                                         Stack{"Cluster", OlderPatch(ClusterFile())}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mu::scenario
