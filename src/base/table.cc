// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/base/table.h"

#include <algorithm>

#include "milvus_upgrade/base/text.h"

namespace mu {
namespace {

// Columns of a terminal: code points, which is right for all text that we print.
std::size_t Width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string Cell(const std::vector<std::string>& row, std::size_t column) {
  return column < row.size() ? row[column] : std::string();
}

}  // namespace

std::string TextTable::Aligned() const {
  std::vector<std::size_t> widths(header.size(), 0);
  for (std::size_t c = 0; c < header.size(); ++c) {
    widths[c] = Width(header[c]);
    for (const auto& row : rows) widths[c] = std::max(widths[c], Width(Cell(row, c)));
  }
  std::string text;
  auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t c = 0; c < header.size(); ++c) {
      const std::string cell = Cell(row, c);
      line += cell;
      if (c + 1 < header.size()) line += std::string(widths[c] - Width(cell) + 2, ' ');
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    text += line + "\n";
  };
  add(header);
  for (const auto& row : rows) add(row);
  return text;
}

std::string TextTable::Markdown() const {
  std::string text;
  auto add = [&](const std::vector<std::string>& row) {
    text += "|";
    for (std::size_t c = 0; c < header.size(); ++c) {
      std::string cell = Cell(row, c);
      for (std::size_t at = 0; (at = cell.find('|', at)) != std::string::npos; at += 2)
        cell.insert(at, "\\");
      std::replace(cell.begin(), cell.end(), '\n', ' ');
      text += " " + cell + " |";
    }
    text += "\n";
  };
  add(header);
  text += "|";
  for (std::size_t c = 0; c < header.size(); ++c) text += " --- |";
  text += "\n";
  for (const auto& row : rows) add(row);
  return text;
}

}  // namespace mu
