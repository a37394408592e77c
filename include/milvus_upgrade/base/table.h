// SPDX-License-Identifier: Apache-2.0
// A table of text cells as aligned columns (terminal) or Markdown. Values only; who draws it
// decides where.
#pragma once

#include <string>
#include <vector>

namespace mu {

struct TextTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;

  std::string Aligned() const;
  std::string Markdown() const;
};

}  // namespace mu
