// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/model/etcd.h"

#include <gtest/gtest.h>

namespace mu::model {
namespace {

TEST(EndOfPrefix, IsTheFirstKeyAfterAllThatStartWithIt) {
  EXPECT_EQ(EndOfPrefix("by-dev/meta/"), "by-dev/meta0");
  EXPECT_EQ(EndOfPrefix("a"), "b");
  EXPECT_EQ(EndOfPrefix("a\xff\xff"), "b");
  EXPECT_EQ(EndOfPrefix(""), std::string(1, '\0')) << "every key";
  EXPECT_EQ(EndOfPrefix("\xff"), std::string(1, '\0'));
}

}  // namespace
}  // namespace mu::model
