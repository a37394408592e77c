// SPDX-License-Identifier: Apache-2.0
#include "meta/go_text.h"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "milvus_upgrade/base/text.h"

namespace mu::meta {
namespace {

using boost::json::error_code;
using boost::json::string_view;

// Collects the events of Boost's parser. Its own numbers are not used: they may be off in the last
// digit, and the text of the number is at hand.
struct Members {
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);

  struct Level {
    bool is_object = false;
    std::string name;  // of the member whose value comes next
    std::map<std::string, std::string> members;
    std::vector<std::string> items;
  };
  std::vector<Level> levels;
  std::string text;  // the parts so far of a string or name
  std::optional<std::map<std::string, std::string>> result;

  bool Value(std::string value) {
    if (levels.empty()) return true;  // a document that is no object: `result` stays empty
    Level& level = levels.back();
    if (level.is_object)
      level.members.insert_or_assign(std::move(level.name), std::move(value));
    else
      level.items.push_back(std::move(value));
    return true;
  }
  bool Part(string_view part) {
    text.append(part.data(), part.size());
    return true;
  }
  bool Number(string_view digits, error_code& ec) {
    double number = 0;
    const char* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, number);
    if (read.ec == std::errc() && read.ptr == end) return Value(GoFloat(number));
    ec = boost::json::error::exponent_overflow;
    return false;
  }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    levels.push_back({true, {}, {}, {}});
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    Level level = std::move(levels.back());
    levels.pop_back();
    if (levels.empty()) {
      result = std::move(level.members);
      return true;
    }
    std::vector<std::string> shown;
    for (const auto& [name, value] : level.members)
      shown.push_back(fmt::format("{}:{}", name, value));
    return Value("map[" + Join(shown, " ") + "]");
  }
  bool on_array_begin(error_code&) {
    levels.emplace_back();
    return true;
  }
  bool on_array_end(std::size_t, error_code&) {
    const Level level = std::move(levels.back());
    levels.pop_back();
    return Value("[" + Join(level.items, " ") + "]");
  }
  bool on_key_part(string_view part, std::size_t, error_code&) { return Part(part); }
  bool on_key(string_view part, std::size_t, error_code&) {
    Part(part);
    levels.back().name = std::exchange(text, {});
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) { return Part(part); }
  bool on_string(string_view part, std::size_t, error_code&) {
    Part(part);
    return Value(std::exchange(text, {}));
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, string_view digits, error_code& ec) { return Number(digits, ec); }
  bool on_uint64(std::uint64_t, string_view digits, error_code& ec) { return Number(digits, ec); }
  bool on_double(double, string_view digits, error_code& ec) { return Number(digits, ec); }
  bool on_bool(bool value, error_code&) { return Value(value ? "true" : "false"); }
  bool on_null(error_code&) { return Value("<nil>"); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }
};

}  // namespace

std::string GoFloat(double number) {
  char buffer[32];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(number),
                                     std::chars_format::scientific);
  // d[.ddd]e+dd
  const std::string_view text(buffer, static_cast<std::size_t>(written.ptr - buffer));
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  int exponent = 0;
  std::from_chars(buffer + e + 2, written.ptr, exponent);
  if (text[e + 1] == '-') exponent = -exponent;

  std::string shown = std::signbit(number) ? "-" : "";
  if (exponent < -4 || exponent >= 6) {
    shown += digits[0];
    if (digits.size() > 1) shown += "." + digits.substr(1);
    return shown + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0) {
    return shown + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return shown + digits + std::string(whole - digits.size(), '0');
  return shown + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::optional<std::map<std::string, std::string>> GoMembers(std::string_view json,
                                                            std::string* reason) {
  boost::json::basic_parser<Members> parser{boost::json::parse_options()};
  error_code error;
  const std::size_t read = parser.write_some(false, json.data(), json.size(), error);
  if (!error && read < json.size()) error = boost::json::error::extra_data;
  if (error) {
    *reason = "is not JSON (" + error.message() + ")";
    return std::nullopt;
  }
  if (!parser.handler().result) *reason = "is JSON but not an object";
  return std::move(parser.handler().result);
}

}  // namespace mu::meta
