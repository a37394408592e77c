// SPDX-License-Identifier: Apache-2.0
#include "plan/json_archive.h"

namespace mu::plan::json {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

void Write(const boost::json::value& value, int depth, std::string* out) {
  const auto break_line = [&](int to) {
    out->push_back('\n');
    out->append(static_cast<std::size_t>(to) * 2, ' ');
  };
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out->push_back('{');
    bool is_first = true;
    for (const auto& item : *object) {
      if (!is_first) out->push_back(',');
      is_first = false;
      break_line(depth + 1);
      *out += boost::json::serialize(boost::json::string_view(item.key()));
      *out += ": ";
      Write(item.value(), depth + 1, out);
    }
    break_line(depth);
    out->push_back('}');
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    out->push_back('[');
    bool is_first = true;
    for (const boost::json::value& item : *array) {
      if (!is_first) out->push_back(',');
      is_first = false;
      break_line(depth + 1);
      Write(item, depth + 1, out);
    }
    break_line(depth);
    out->push_back(']');
  } else {
    *out += boost::json::serialize(value);
  }
}

}  // namespace

boost::json::value FromText(const std::string& text) {
  if (IsUtf8(text)) return boost::json::value(text);
  std::string hex;
  for (const char c : text) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return boost::json::object{{"hex", hex}};
}

std::optional<std::string> ToText(const boost::json::value& value) {
  if (const auto* text = value.if_string()) return std::string(*text);
  const auto* object = value.if_object();
  if (object == nullptr || object->size() != 1) return std::nullopt;
  const boost::json::value* hex = object->if_contains("hex");
  if (hex == nullptr || !hex->is_string() || hex->get_string().size() % 2 != 0) return std::nullopt;
  std::string bytes;
  const std::string_view digits(hex->get_string());
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = HexDigit(digits[i]);
    const int low = HexDigit(digits[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::string Pretty(const boost::json::value& value) {
  std::string out;
  Write(value, 0, &out);
  out.push_back('\n');
  return out;
}

}  // namespace mu::plan::json
