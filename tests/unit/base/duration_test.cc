// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/base/duration.h"

#include <gtest/gtest.h>

#include <string>

namespace mu {
namespace {

TEST(Duration, ReadsUnits) {
  EXPECT_EQ(ParseDuration("500ms").value(), Millis(500));
  EXPECT_EQ(ParseDuration("90s").value(), Millis(90'000));
  EXPECT_EQ(ParseDuration("1m30s").value(), Millis(90'000));
  EXPECT_EQ(ParseDuration("2h").value(), Millis(7'200'000));
  EXPECT_EQ(ParseDuration("1.5s").value(), Millis(1500));
  EXPECT_EQ(ParseDuration("0s").value(), Millis(0));
  EXPECT_EQ(ParseDuration("1000h").value(), Millis(3'600'000'000));
}

TEST(Duration, RefusesWhatCouldBeMisread) {
  for (const std::string text : {"", "10", "-5s", "s", "5 s", "5d", "1001h", "1.2.3s", ".s", "5s3",
                                 "auto", "1e3s", "5S", "99999999999999999999999999h"}) {
    const auto duration = ParseDuration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, ErrorCode::kUsage) << text;
    EXPECT_NE(duration.error().message.find("\"" + text + "\""), std::string::npos) << text;
  }
}

TEST(Duration, WritesWhatPeopleRead) {
  EXPECT_EQ(FormatDuration(Millis(0)), "0s");
  EXPECT_EQ(FormatDuration(Millis(350)), "350ms");
  EXPECT_EQ(FormatDuration(Millis(12'400)), "12.4s");
  EXPECT_EQ(FormatDuration(Millis(12'000)), "12s");
  EXPECT_EQ(FormatDuration(Millis(90'000)), "1m30s");
  EXPECT_EQ(FormatDuration(Millis(7'500'000)), "2h05m");
  EXPECT_EQ(FormatDuration(Millis(-350)), "-350ms");
}

TEST(Duration, WhatIsWrittenReadsBack) {
  for (const int ms : {1, 350, 999, 1000, 12'400, 59'900, 60'000, 90'000, 3'600'000, 7'500'000}) {
    EXPECT_EQ(ParseDuration(FormatDuration(Millis(ms))).value(), Millis(ms));
  }
}

TEST(Duration, RoundsAcrossAUnit) {
  EXPECT_EQ(FormatDuration(Millis(59'960)), "1m00s");
  EXPECT_EQ(FormatDuration(Millis(12'960)), "13s");
  EXPECT_EQ(FormatDuration(Millis(3'599'700)), "1h00m");
}

}  // namespace
}  // namespace mu
