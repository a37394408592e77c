// SPDX-License-Identifier: Apache-2.0
#include "edit/env_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "milvus_upgrade/base/text.h"

namespace mu::edit {
namespace {

constexpr std::string_view kBlank = " \t\r\v\f";

// The closing quote, npos when there is none. A backslash keeps a quote from closing.
std::size_t ClosingQuote(std::string_view bytes, std::size_t open) {
  for (std::size_t at = open + 1; at < bytes.size(); ++at) {
    if (bytes[at] == '\\') {
      ++at;
    } else if (bytes[at] == bytes[open]) {
      return at;
    }
  }
  return std::string_view::npos;
}

// Where an unquoted value ends: before a comment (a # after a blank) and trailing blanks.
std::size_t EndOfPlain(std::string_view bytes, std::size_t begin, std::size_t line_end) {
  std::size_t end = line_end;
  for (std::size_t at = begin; at < line_end; ++at) {
    const bool starts_comment =
        bytes[at] == '#' && (at == begin || kBlank.find(bytes[at - 1]) != std::string_view::npos);
    if (starts_comment) {
      end = at;
      break;
    }
  }
  while (end > begin && kBlank.find(bytes[end - 1]) != std::string_view::npos) --end;
  return end;
}

}  // namespace

Result<std::vector<EnvEntry>> ParseEnvFile(std::string_view path, std::string_view bytes) {
  std::vector<EnvEntry> entries;
  std::size_t at = bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (at < bytes.size()) {
    const std::size_t line_end = std::min(bytes.find('\n', at), bytes.size());
    const std::size_t start = bytes.find_first_not_of(kBlank, at);
    const std::size_t equals =
        start == std::string_view::npos ? start : bytes.find_first_of("=:\n", start);
    const bool is_entry = start < line_end && bytes[start] != '#' && equals < line_end;
    at = line_end + 1;
    if (!is_entry) continue;  // blank, comment, or a name alone, which takes the shell's value
    EnvEntry entry;
    std::string_view name = Trim(bytes.substr(start, equals - start));
    if (name.starts_with("export") && name.size() > 6 &&
        kBlank.find(name[6]) != std::string_view::npos) {
      name = Trim(name.substr(6));
    }
    entry.name = std::string(name);
    entry.line = static_cast<std::size_t>(std::count(
                     bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(start), '\n')) +
                 1;
    const std::size_t value = std::min(bytes.find_first_not_of(kBlank, equals + 1), bytes.size());
    const bool is_quoted = value < line_end && (bytes[value] == '"' || bytes[value] == '\'');
    if (is_quoted) {
      const std::size_t close = ClosingQuote(bytes, value);
      if (close == std::string_view::npos) {
        return Fail(ErrorCode::kInvalidInput,
                    fmt::format("{}:{}: the quote that opens the value of {} is never closed", path,
                                entry.line, Printable(entry.name)),
                    "close the quote");
      }
      entry.begin = value + 1;
      entry.end = close;
      entry.is_expanded = bytes[value] == '"';
      const std::size_t after = std::min(bytes.find('\n', close), bytes.size());
      const std::string_view rest = Trim(bytes.substr(close + 1, after - close - 1));
      entry.is_exact = rest.empty() || rest.front() == '#';
      at = after + 1;
    } else {
      // An empty value starts right behind its sign, not in the comment after it.
      entry.begin = value < line_end && bytes[value] != '#' ? value : equals + 1;
      entry.end = entry.begin == value ? EndOfPlain(bytes, value, line_end) : entry.begin;
      entry.is_expanded = true;
    }
    entry.value = std::string(bytes.substr(entry.begin, entry.end - entry.begin));
    const bool has_escape = entry.value.find('\\') != std::string::npos;
    const bool has_variable = entry.is_expanded && entry.value.find('$') != std::string::npos;
    const bool has_line = entry.value.find('\n') != std::string::npos;
    entry.is_exact = entry.is_exact && !has_escape && !has_variable && !has_line;
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace mu::edit
