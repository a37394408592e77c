// SPDX-License-Identifier: Apache-2.0
// A change of bytes of one file: made by edit, kept in plans, applied by effects.
#pragma once

#include <cstdint>
#include <string>

namespace mu::model {

struct Splice {
  std::uint64_t offset = 0;  // bytes from the start of the old file
  std::string before;
  std::string after;
  bool operator==(const Splice&) const = default;
};

}  // namespace mu::model
