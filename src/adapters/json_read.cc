// SPDX-License-Identifier: Apache-2.0
#include "adapters/json_read.h"

#include <fmt/format.h>

#include <charconv>

#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

std::string TextOf(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_null()) return "";
  return json::serialize(value);
}

}  // namespace

Result<json::value> ParseJson(std::string_view text, std::string_view program) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = 64;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (!error) return value;
  const std::string_view start = Trim(text).substr(0, 80);
  return Fail(ErrorCode::kCommandOutput,
              start.empty() ? fmt::format("{} printed nothing where JSON was expected", program)
                            : fmt::format("{} printed something that is not JSON ({}): {}", program,
                                          error.message(), Printable(start)));
}

const json::value* FindJson(const json::value& value, JsonPath path) {
  const json::value* at = &value;
  for (const std::string_view name : path) {
    if (!at->is_object()) return nullptr;
    at = at->get_object().if_contains(json::string_view(name.data(), name.size()));
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string JsonText(const json::value& value, JsonPath path) {
  const json::value* found = FindJson(value, path);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

bool JsonFlag(const json::value& value, JsonPath path) {
  const json::value* found = FindJson(value, path);
  return found != nullptr && found->is_bool() && found->get_bool();
}

std::int64_t JsonInteger(const json::value& value, JsonPath path) {
  const json::value* found = FindJson(value, path);
  if (found == nullptr) return 0;
  if (found->is_int64()) return found->get_int64();
  if (found->is_uint64()) return static_cast<std::int64_t>(found->get_uint64());
  std::int64_t number = 0;
  if (found->is_string()) {
    const json::string& text = found->get_string();
    std::from_chars(text.data(), text.data() + text.size(), number);
  }
  return number;
}

std::vector<std::string> JsonTexts(const json::value& value, JsonPath path) {
  std::vector<std::string> texts;
  for (const json::value& element : JsonArray(value, path)) texts.push_back(TextOf(element));
  return texts;
}

std::map<std::string, std::string> JsonTextMap(const json::value& value, JsonPath path) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, element] : JsonObject(value, path))
    texts.emplace(std::string(name), TextOf(element));
  return texts;
}

const json::array& JsonArray(const json::value& value, JsonPath path) {
  static const json::array none;
  const json::value* found = FindJson(value, path);
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

const json::object& JsonObject(const json::value& value, JsonPath path) {
  static const json::object none;
  const json::value* found = FindJson(value, path);
  return found != nullptr && found->is_object() ? found->get_object() : none;
}

}  // namespace mu::adapters
