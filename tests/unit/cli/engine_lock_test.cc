// SPDX-License-Identifier: Apache-2.0
#include "cli/engine_lock.h"

#include <gtest/gtest.h>

#include "fakes/stage.h"

namespace mu::cli {
namespace {

// The lock of a stack whose holder is `first`, then asked for by `second`.
Status SecondOf(const LockHolder& first, const LockHolder& second) {
  fakes::Stage stage(fakes::kStandaloneFile);
  EngineLock lock(stage.docker, "milvus");
  EXPECT_TRUE(lock.Take(fakes::Stage::kOld, first));
  return lock.Take(fakes::Stage::kOld, second);
}

TEST(EngineLock, IsTakenAgainByItsOwnRunAlone) {
  const LockHolder holder{"run-1", "host-a", "/state/a"};
  EXPECT_TRUE(SecondOf(holder, holder));
  EXPECT_TRUE(SecondOf(holder, {"run-1", "another-name", "/state/a"}));
  const Status other = SecondOf(holder, {"run-2", "host-a", "/state/a"});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kLocked);
  EXPECT_FALSE(SecondOf(holder, {"run-1", "host-a", "/state/b"})) << "the same name by chance";
}

}  // namespace
}  // namespace mu::cli
