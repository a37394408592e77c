// SPDX-License-Identifier: Apache-2.0
// The conversion of metadata: any keys and values are either refused with words, or give changes
// that are consistent with the keys, that a cut run can finish, and after which nothing is left to
// do. Input: lines of a key below by-dev/meta/, a space, and the value in hexadecimal digits.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/meta/convert.h"

#define MUST(condition)                                                                   \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

namespace {

using Keys = std::map<std::string, std::string>;
const mu::meta::Scope kScope{"by-dev", "meta"};

std::string FromHex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    // What is no digit counts as one, so that a mutation stays an input.
    const std::size_t high = kDigits.find(text[i]) & 0xF;
    const std::size_t low = kDigits.find(text[i + 1]) & 0xF;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::vector<mu::model::KeyValue> Listed(const Keys& keys) {
  std::vector<mu::model::KeyValue> list;
  for (const auto& [key, value] : keys) list.push_back({.key = key, .value = value});
  return list;
}

bool IsEmpty(const mu::Result<mu::meta::Changes>& changes) {
  return changes && changes->added.empty() && changes->replaced.empty() && changes->removed.empty();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Keys keys;
  for (const std::string& line : mu::Lines({reinterpret_cast<const char*>(data), size})) {
    const std::size_t space = line.find(' ');
    if (space != std::string::npos)
      keys["by-dev/meta/" + line.substr(0, space)] = FromHex(line.substr(space + 1));
  }
  const auto changes = Convert(Listed(keys), kScope);
  if (!changes) {
    MUST(changes.error().code == mu::ErrorCode::kMetaUnconvertible);
    MUST(mu::Lines(changes.error().message).size() > 1);
    const auto finish = FinishConversion(Listed(keys), kScope);
    MUST(finish || finish.error().code == mu::ErrorCode::kMetaCut);
    return 0;
  }
  for (const auto& [key, value] : changes->added) MUST(!keys.contains(key));
  for (const auto& [key, value] : changes->replaced) {
    MUST(keys.contains(key) && keys.at(key).size() > value.size());
    MUST(!changes->removed.contains(key));
  }
  for (const std::string& key : changes->removed) MUST(keys.contains(key));

  for (const auto& [key, value] : changes->added) keys[key] = value;
  const auto finish = FinishConversion(Listed(keys), kScope);
  MUST(finish);
  MUST(finish->added.empty());
  MUST(finish->replaced == changes->replaced);
  MUST(finish->removed == changes->removed);

  for (const auto& [key, value] : changes->replaced) keys[key] = value;
  for (const std::string& key : changes->removed) keys.erase(key);
  const auto generation = GenerationOf(Listed(keys), kScope);
  MUST(generation == mu::meta::Generation::k22 || generation == mu::meta::Generation::kEmpty);
  MUST(IsEmpty(Convert(Listed(keys), kScope)));
  MUST(IsEmpty(FinishConversion(Listed(keys), kScope)));
  return 0;
}
