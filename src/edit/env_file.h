// SPDX-License-Identifier: Apache-2.0
// A .env file as Compose reads it, with the bytes of each value. Knows which values Compose's
// versions read alike: a value with escapes, or with a variable that they would expand, is marked,
// so that nobody edits it. Never writes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"

namespace mu::edit {

struct EnvEntry {
  std::string name;
  std::string value;      // as between the quotes; exact only when is_exact
  std::size_t line = 0;   // from 1
  std::size_t begin = 0;  // the bytes [begin, end) are the value, quotes and comment not included
  std::size_t end = 0;
  bool is_exact = true;      // false: escapes or variables inside
  bool is_expanded = false;  // variables in it are replaced (not in single quotes)
};

// Errors: kInvalidInput with path:line when a quote is not closed.
Result<std::vector<EnvEntry>> ParseEnvFile(std::string_view path, std::string_view bytes);

}  // namespace mu::edit
