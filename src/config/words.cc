// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "milvus_upgrade/config/keys.h"

namespace mu::config {
namespace {

auto Bad(std::string_view text, std::size_t at, std::string_view why, std::string_view hint) {
  return Fail(ErrorCode::kUsage,
              fmt::format("the command \"{}\" cannot be split into words: {} at column {}", text,
                          why, at + 1),
              std::string(hint));
}

constexpr std::string_view kNoShell =
    "no shell is used: quote the character, or write sh -c '...' if a shell is wanted";

}  // namespace

Result<std::vector<std::string>> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
      continue;
    }
    const bool starts_word = !in_word;
    in_word = true;
    if (c == '\'') {
      const std::size_t end = text.find('\'', at + 1);
      if (end == std::string_view::npos)
        return Bad(text, at, "a single quote is not closed", "close it, or write it as \\'");
      word += text.substr(at + 1, end - at - 1);
      at = end;
    } else if (c == '"') {
      const std::size_t start = at;
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '$' || text[at] == '`')
          return Bad(text, at, fmt::format("{} would be expanded by a shell", text[at]), kNoShell);
        // In double quotes a backslash stays unless it stands before one of these.
        if (text[at] == '\\' && at + 1 < text.size() &&
            std::string_view("$`\"\\").find(text[at + 1]) != std::string_view::npos)
          ++at;
        word += text[at];
      }
      if (at >= text.size())
        return Bad(text, start, "a double quote is not closed", "close it, or write it as \\\"");
    } else if (c == '\\') {
      if (at + 1 >= text.size())
        return Bad(text, at, "nothing follows the backslash", "write it as \\\\");
      word += text[++at];
    } else if (std::string_view("$`|&;<>()").find(c) != std::string_view::npos ||
               (starts_word && (c == '#' || c == '~'))) {
      return Bad(text, at, fmt::format("{} means something to a shell", c), kNoShell);
    } else {
      word += c;
    }
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace mu::config
