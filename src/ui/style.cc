// SPDX-License-Identifier: Apache-2.0
#include "ui/style.h"

#include <algorithm>

#include "milvus_upgrade/base/text.h"

namespace mu::ui {
namespace {

// Visible columns: code points outside colour codes.
int WidthOf(std::string_view text) {
  int columns = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\x1b') {
      at = std::min(text.find('m', at), text.size() - 1);
    } else if ((text[at] & 0xC0) != 0x80) {
      ++columns;
    }
  }
  return columns;
}

}  // namespace

std::string Style::Paint(std::string_view code, std::string_view text) const {
  if (!has_color || text.empty()) return std::string(text);
  std::string painted = "\x1b[";
  painted.append(code).append("m").append(text).append("\x1b[0m");
  return painted;
}

std::string Harmless(std::string_view text, const Style& style) {
  if (!style.has_color) return Printable(text);
  std::string clean;
  while (!text.empty()) {
    const std::size_t code = std::min(text.find("\x1b["), text.size());
    const std::size_t end = text.find_first_not_of("0123456789;", std::min(code + 2, text.size()));
    const bool is_color = end != std::string_view::npos && text[end] == 'm';
    clean += Printable(text.substr(0, code));
    text.remove_prefix(code);
    if (text.empty()) break;
    // An escape that is no colour goes to Printable with what follows it, up to the next one.
    const std::size_t used =
        is_color ? end + 1 - code : std::min(text.find("\x1b[", 2), text.size());
    clean += is_color ? std::string(text.substr(0, used)) : Printable(text.substr(0, used));
    text.remove_prefix(used);
  }
  return clean;
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

std::string Entry(std::string_view label, std::string_view text, int column, const Style& style) {
  std::string line(label);
  int columns = WidthOf(label);
  if (columns >= column) {
    line += '\n';
    columns = 0;
  }
  line.append(static_cast<std::size_t>(column - columns), ' ');
  return line + Fold(text, column, style.width) + "\n";
}

}  // namespace mu::ui
