// SPDX-License-Identifier: Apache-2.0
// What real servers and the real migration tool wrote (tests/data/milvus-2.1-to-2.2/), as keys.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/meta/convert.h"

namespace mu::meta {

inline const Scope kScope{"by-dev", "meta"};
using Keys = std::map<std::string, std::string>;

inline std::string FromBase64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;
    bits = bits << 6 | static_cast<unsigned>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

// `name`: etcd-2.1.jsonl or etcd-2.2.jsonl.
inline Keys RealKeys(const std::string& name) {
  std::ifstream file(std::string(MU_TEST_DATA) + "/milvus-2.1-to-2.2/" + name);
  EXPECT_TRUE(file) << name;
  Keys keys;
  for (std::string line; std::getline(file, line);) {
    const boost::json::value row = boost::json::parse(line);
    keys[row.at("key").as_string().c_str()] = FromBase64(row.at("value_b64").as_string());
  }
  return keys;
}

inline std::vector<model::KeyValue> Listed(const Keys& keys) {
  std::vector<model::KeyValue> list;
  for (const auto& [key, value] : keys) list.push_back({.key = key, .value = value});
  return list;
}
inline Keys Mapped(const std::vector<model::KeyValue>& list) {
  Keys keys;
  for (const model::KeyValue& kv : list) keys[kv.key] = kv.value;
  return keys;
}

inline Result<Changes> Convert(const Keys& keys) { return Convert(Listed(keys), kScope); }
inline Result<Changes> Finish(const Keys& keys) { return FinishConversion(Listed(keys), kScope); }
inline Generation GenerationOf(const Keys& keys) { return GenerationOf(Listed(keys), kScope); }

inline void Apply(const Changes& changes, Keys* keys) {
  for (const auto& [key, value] : changes.added) (*keys)[key] = value;
  for (const auto& [key, value] : changes.replaced) (*keys)[key] = value;
  for (const std::string& key : changes.removed) keys->erase(key);
}

}  // namespace mu::meta
