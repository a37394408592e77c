// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/base/log.h"

#include <gtest/gtest.h>

#include <string>

namespace mu {
namespace {

TEST(Log, GoesToWhomItWasGivenAndIsSilentOtherwise) {
  std::string text;
  LogDebug("before");
  SetVerbose([&](std::string_view lines) { text += lines; });
  LogDebug("docker inspect {} -> 0");
  SetVerbose({});
  LogDebug("after");
  EXPECT_TRUE(text.ends_with(" debug: docker inspect {} -> 0\n")) << text;
  EXPECT_EQ(text.find("before"), std::string::npos);
}

}  // namespace
}  // namespace mu
