// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/model/etcd.h"

#include <utility>

namespace mu::model {

std::string EndOfPrefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return std::string(1, '\0');
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace mu::model
