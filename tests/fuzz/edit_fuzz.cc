// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "edit_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mu::fuzz::CheckEdit({reinterpret_cast<const char*>(data), size});
  return 0;
}
