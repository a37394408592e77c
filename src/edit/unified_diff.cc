// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "edit/masked_line.h"
#include "milvus_upgrade/edit/compose_edit.h"

namespace mu::edit {
namespace {

constexpr std::size_t kContext = 3;
// Beyond this many cells the middle is shown as replaced whole; edits of ours are far below.
constexpr std::size_t kMaxCells = std::size_t{4} << 20U;

std::vector<std::string_view> LinesWithEnds(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::size_t size = newline == std::string_view::npos ? text.size() : newline + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

struct Row {
  char sign;         // ' ', '-', '+'
  std::size_t line;  // index in the old file for ' ' and '-', in the new one for '+'
};

// The longest common subsequence of the part between a common head and tail.
std::vector<Row> Compare(const std::vector<std::string_view>& before,
                         const std::vector<std::string_view>& after) {
  std::size_t head = 0;
  while (head < std::min(before.size(), after.size()) && before[head] == after[head]) ++head;
  std::size_t tail = 0;
  while (tail < std::min(before.size(), after.size()) - head &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  const std::size_t rows = before.size() - head - tail;
  const std::size_t columns = after.size() - head - tail;
  const bool is_small = (rows + 1) * (columns + 1) <= kMaxCells;
  std::vector<std::uint32_t> common(is_small ? (rows + 1) * (columns + 1) : 0);
  const auto cell = [&](std::size_t i, std::size_t k) -> std::uint32_t& {
    return common[i * (columns + 1) + k];
  };
  for (std::size_t i = rows; is_small && i-- > 0;) {
    for (std::size_t k = columns; k-- > 0;) {
      cell(i, k) = before[head + i] == after[head + k] ? cell(i + 1, k + 1) + 1
                                                       : std::max(cell(i + 1, k), cell(i, k + 1));
    }
  }
  std::vector<Row> result;
  for (std::size_t i = 0; i < head; ++i) result.push_back({' ', i});
  std::size_t i = 0;
  std::size_t k = 0;
  while (i < rows || k < columns) {
    if (is_small && i < rows && k < columns && before[head + i] == after[head + k]) {
      result.push_back({' ', head + i++});
      ++k;
    } else if (i < rows && (k == columns || !is_small || cell(i + 1, k) >= cell(i, k + 1))) {
      result.push_back({'-', head + i++});
    } else {
      result.push_back({'+', head + k++});
    }
  }
  for (std::size_t line = before.size() - tail; line < before.size(); ++line) {
    result.push_back({' ', line});
  }
  return result;
}

std::string Range(std::size_t first, std::size_t count) {
  if (count == 1) return fmt::format("{}", first + 1);
  return fmt::format("{},{}", count == 0 ? first : first + 1, count);
}

}  // namespace

std::string UnifiedDiff(const std::string& path, std::string_view before, std::string_view after) {
  if (before == after) return "";
  const std::vector<std::string_view> old_lines = LinesWithEnds(before);
  const std::vector<std::string_view> new_lines = LinesWithEnds(after);
  const std::vector<Row> rows = Compare(old_lines, new_lines);
  const std::vector<std::string> old_text = MaskLines(old_lines);
  const std::vector<std::string> new_text = MaskLines(new_lines);
  std::string diff = fmt::format("--- {}\n+++ {}\n", path, path);
  std::size_t old_line = 0;
  std::size_t new_line = 0;
  for (std::size_t at = 0; at < rows.size();) {
    const auto is_change = [](const Row& row) { return row.sign != ' '; };
    const auto next =
        std::find_if(rows.begin() + static_cast<std::ptrdiff_t>(at), rows.end(), is_change);
    if (next == rows.end()) break;
    const std::size_t first = static_cast<std::size_t>(next - rows.begin());
    const std::size_t begin = first - std::min(kContext, first - at);
    std::size_t end = first + 1;  // behind the last change that is near enough
    for (std::size_t i = end; i < rows.size() && i <= end + 2 * kContext; ++i) {
      if (is_change(rows[i])) end = i + 1;
    }
    end = std::min(end + kContext, rows.size());
    old_line += begin - at;
    new_line += begin - at;
    std::string body;
    std::size_t old_count = 0;
    std::size_t new_count = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const Row& row = rows[i];
      const std::string& text = row.sign == '+' ? new_text[row.line] : old_text[row.line];
      body += row.sign + text;
      if (!text.ends_with('\n')) body += "\n\\ No newline at end of file\n";
      old_count += row.sign != '+' ? 1 : 0;
      new_count += row.sign != '-' ? 1 : 0;
    }
    diff += fmt::format("@@ -{} +{} @@\n{}", Range(old_line, old_count), Range(new_line, new_count),
                        body);
    old_line += old_count;
    new_line += new_count;
    at = end;
  }
  return diff;
}

}  // namespace mu::edit
