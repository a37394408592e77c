// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/base/log.h"

#include <gtest/gtest.h>

namespace mu {
namespace {

TEST(Log, IsOnStderrWhenAskedForAndSilentOtherwise) {
  testing::internal::CaptureStderr();
  LogDebug("before");
  SetVerbose(true);
  LogDebug("docker inspect {} -> 0");
  SetVerbose(false);
  LogDebug("after");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("debug: docker inspect {} -> 0\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("before"), std::string::npos);
  EXPECT_EQ(text.find("after"), std::string::npos);
}

}  // namespace
}  // namespace mu
