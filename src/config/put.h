// SPDX-License-Identifier: Apache-2.0
// Put: the values of one key from one place, proven by the key's row and put into a Config. Knows
// nothing of where they came from but its name for messages.
#pragma once

#include <string>
#include <vector>

#include "milvus_upgrade/config/keys.h"

namespace mu::config {

// `where`: "--timeout", "MILVUS_UPGRADE_TIMEOUT", "config.yaml:3: timeout". Errors: kUsage, and
// what the row's setter says.
Status Put(const KeyRow& row, const std::vector<std::string>& values, const std::string& where,
           Config& config);

}  // namespace mu::config
