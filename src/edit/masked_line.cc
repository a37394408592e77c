// SPDX-License-Identifier: Apache-2.0
#include "edit/masked_line.h"

#include <optional>

#include "milvus_upgrade/base/text.h"

namespace mu::edit {
namespace {

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

// Where the value of the first secret name of the line starts: behind `NAME=`, `NAME: `, `"NAME":`,
// `--name=`.
std::optional<std::size_t> SecretValue(std::string_view line) {
  for (std::size_t at = 0; at < line.size();) {
    if (!IsNameByte(line[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < line.size() && IsNameByte(line[end])) ++end;
    std::size_t sign = end;
    while (sign < line.size() && (line[sign] == '"' || line[sign] == '\'' || line[sign] == ' ')) {
      ++sign;
    }
    const bool has_sign = sign < line.size() && (line[sign] == '=' || line[sign] == ':');
    if (has_sign && IsSecretName(line.substr(at, end - at))) return sign + 1;
    at = end;
  }
  return std::nullopt;
}

// `scheme://user:password@host`
std::string MaskUrl(std::string text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const std::size_t at = text.find('@', scheme);
  const std::size_t colon = text.find(':', scheme + 3);
  if (at == std::string::npos || colon == std::string::npos || colon > at) return text;
  if (text.substr(scheme + 3, at - scheme - 3).find_first_of("/ ") != std::string::npos)
    return text;
  return text.replace(colon + 1, at - colon - 1, "***");
}

std::size_t Indent(std::string_view line) {
  const std::size_t indent = line.find_first_not_of(" \t");
  return indent == std::string_view::npos ? line.size() : indent;
}

}  // namespace

std::vector<std::string> MaskLines(const std::vector<std::string_view>& lines) {
  std::vector<std::string> masked;
  masked.reserve(lines.size());
  std::optional<std::size_t> block;  // indent of a secret name whose value is in the lines below
  for (const std::string_view line : lines) {
    const std::size_t text_end = line.find_last_not_of("\r\n");
    const std::string_view text =
        text_end == std::string_view::npos ? std::string_view() : line.substr(0, text_end + 1);
    const std::string line_end(line.substr(text.size()));
    if (block && !Trim(text).empty() && Indent(text) <= *block) block.reset();
    if (block && !Trim(text).empty()) {
      masked.push_back(std::string(text.substr(0, Indent(text))) + "***" + line_end);
      continue;
    }
    const std::optional<std::size_t> value = SecretValue(text);
    if (!value) {
      masked.push_back(MaskUrl(std::string(text)) + line_end);
      continue;
    }
    const std::size_t start = text.find_first_not_of(" \t", *value);
    const bool is_below =
        start == std::string_view::npos || text[start] == '|' || text[start] == '>';
    if (is_below || text[start] == '"' || text[start] == '\'') block = Indent(text);
    masked.push_back(start == std::string_view::npos
                         ? std::string(text) + line_end
                         : std::string(text.substr(0, start)) + "***" + line_end);
  }
  return masked;
}

}  // namespace mu::edit
