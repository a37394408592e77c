// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/wait.h"

#include <gtest/gtest.h>

#include "fakes/hand_clock.h"

namespace mu::run {
namespace {

class Scope : public StepScope {
 public:
  void Waiting(const std::string& observed) override { said.push_back(observed); }
  Status Event(const std::string&, const Evidence&) override { return {}; }
  bool IsInterrupted() override { return is_interrupted; }
  const std::string& RunFolder() const override { return folder_; }
  std::vector<std::string> said;
  bool is_interrupted = false;

 private:
  std::string folder_;
};

class Wait : public testing::Test {
 protected:
  Result<std::string> For(Millis timeout, const std::function<Result<Observation>()>& look) {
    return WaitFor("the gate", timeout, Millis(100), clock_, scope_, look);
  }
  fakes::HandClock clock_;
  Scope scope_;
};

TEST_F(Wait, EndsAtOnceWhenItIsTrue) {
  EXPECT_EQ(*For(Millis(0), [] { return Observation{true, "open"}; }), "open");
  EXPECT_EQ(clock_.Sleeps(), 0);
}

TEST_F(Wait, LooksAgainUntilItIsTrue) {
  EXPECT_EQ(*For(Millis(1000),
                 [&] {
                   return Observation{clock_.Monotonic() >= Millis(250), "shut"};
                 }),
            "shut");
  EXPECT_EQ(clock_.Monotonic(), Millis(300));
  EXPECT_EQ(scope_.said.size(), 3u);
}

TEST_F(Wait, TimesOutWithTheLastValueAndLooksOnceMoreAtTheEnd) {
  int looks = 0;
  const auto result = For(Millis(250), [&] {
    return Observation{false, "look " + std::to_string(++looks)};
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kGateTimeout);
  EXPECT_EQ(result.error().message, "the gate did not come within 250ms; last seen: look 4");
  EXPECT_EQ(clock_.Monotonic(), Millis(250));
}

TEST_F(Wait, AStuckStateEndsIt) {
  const auto result = For(
      Millis(1000), []() -> Result<Observation> { return Fail(ErrorCode::kGateStuck, "dead"); });
  EXPECT_EQ(result.error().code, ErrorCode::kGateStuck);
  EXPECT_EQ(clock_.Sleeps(), 0);
}

TEST_F(Wait, ASignalEndsIt) {
  scope_.is_interrupted = true;
  const auto result = For(Millis(1000), [] { return Observation{false, "shut"}; });
  EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
  EXPECT_NE(result.error().message.find("shut"), std::string::npos);
}

}  // namespace
}  // namespace mu::run
