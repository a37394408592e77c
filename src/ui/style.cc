// SPDX-License-Identifier: Apache-2.0
#include "ui/style.h"

#include <algorithm>

namespace mu::ui {
namespace {

int WidthOf(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string Style::Paint(std::string_view code, std::string_view text) const {
  if (!has_color || text.empty()) return std::string(text);
  std::string painted = "\x1b[";
  painted.append(code).append("m").append(text).append("\x1b[0m");
  return painted;
}

std::string Fold(std::string_view text, int indent, int width) {
  std::string folded;
  int column = indent;
  bool is_start = true;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '\n') {
      folded += '\n';
      folded.append(static_cast<std::size_t>(indent), ' ');
      column = indent;
      is_start = true;
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const int columns = WidthOf(word);
    if (!is_start && column + 1 + columns > width) {
      folded += '\n';
      folded.append(static_cast<std::size_t>(indent), ' ');
      column = indent;
    } else if (!is_start) {
      folded += ' ';
      ++column;
    }
    folded += word;
    column += columns;
    is_start = false;
    at = end < text.size() && text[end] == ' ' ? end + 1 : end;
  }
  return folded;
}

}  // namespace mu::ui
