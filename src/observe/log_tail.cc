// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/observe/log_tail.h"

#include <algorithm>
#include <vector>

#include "milvus_upgrade/base/text.h"

namespace mu::observe {

constexpr std::size_t kShown = 5;

std::string TellingLines(std::string_view log) {
  if (Trim(log).empty()) return {};
  const std::vector<std::string> lines = Split(Trim(log), '\n');
  std::size_t from = lines.size() > kShown ? lines.size() - kShown : 0;
  for (std::size_t i = lines.size(); i-- > 0;) {
    if (!lines[i].starts_with("panic: ") && !lines[i].starts_with("fatal error: ")) continue;
    from = i;
    break;
  }
  std::string told;
  for (std::size_t i = from; i < std::min(from + kShown, lines.size()); ++i)
    told += lines[i] + "\n";
  return told;
}

}  // namespace mu::observe
