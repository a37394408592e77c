// SPDX-License-Identifier: Apache-2.0
// Reads values out of the JSON of child programs. Total: what is missing or of another type is
// empty, false or 0, since fields come and go between versions of docker, compose and etcdctl.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"

namespace mu::adapters {

namespace json = boost::json;
using JsonPath = std::initializer_list<std::string_view>;

// Errors: kCommandOutput, naming `program` and the beginning of what it printed.
Result<json::value> ParseJson(std::string_view text, std::string_view program);

const json::value* FindJson(const json::value& value, JsonPath path);
std::string JsonText(const json::value& value, JsonPath path);
bool JsonFlag(const json::value& value, JsonPath path);
// From a number or from its text ("9091"). Never by way of a double.
std::int64_t JsonInteger(const json::value& value, JsonPath path);
std::vector<std::string> JsonTexts(const json::value& value, JsonPath path);
std::map<std::string, std::string> JsonTextMap(const json::value& value, JsonPath path);
// The elements of an array, none when it is not one.
const json::array& JsonArray(const json::value& value, JsonPath path);
const json::object& JsonObject(const json::value& value, JsonPath path);

}  // namespace mu::adapters
