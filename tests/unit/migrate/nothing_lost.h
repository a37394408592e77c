// SPDX-License-Identifier: Apache-2.0
// What must hold of a migration's keys wherever it was cut.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "unit/meta/real_data.h"

namespace mu::migrate {

using meta::Keys;

// Each key is there in its old or its new form at every instant.
inline void ExpectNothingLost(const Keys& now, const Keys& before, const Keys& after) {
  const auto is = [&](const std::string& key, const Keys& form) {
    const auto it = now.find(key);
    return it != now.end() && it->second == form.at(key);
  };
  bool has_all_new = true;
  for (const auto& [key, value] : after)
    has_all_new = has_all_new && (is(key, after) || (before.contains(key) && is(key, before)));
  for (const auto& [key, value] : before) {
    if (after.contains(key)) {
      EXPECT_TRUE(is(key, before) || is(key, after)) << key;
    } else if (!now.contains(key)) {
      EXPECT_TRUE(has_all_new) << key << " is gone and not all of 2.2 is there";
    }
  }
}

}  // namespace mu::migrate
