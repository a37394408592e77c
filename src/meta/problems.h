// SPDX-License-Identifier: Apache-2.0
// What the conversion says of single keys: why they cannot be converted, and what is lost with
// them. Collected over all keys, told at the end.
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/base/text.h"

namespace mu::meta {

constexpr std::string_view kMalformedKey = "it is not a key as Milvus 2.1 writes it";

// What cannot be done, by key, all at once.
class Problems {
 public:
  void Add(std::string_view key, std::string_view reason) {
    std::string& reasons = reasons_[std::string(key)];
    reasons += (reasons.empty() ? "" : "; ") + std::string(reason);
  }
  bool IsEmpty() const { return reasons_.empty(); }
  tl::unexpected<Error> Failure(ErrorCode code, std::string_view what) const {
    std::string text =
        fmt::format("{} {} {}:", reasons_.size(), reasons_.size() == 1 ? "key" : "keys", what);
    for (const auto& [key, reason] : reasons_)
      text += fmt::format("\n  {}: {}", Printable(key), Printable(reason));
    return Fail(code, std::move(text));
  }

 private:
  std::map<std::string, std::string> reasons_;
};

// What 2.2's form cannot hold, one sentence for each kind of loss.
class Losses {
 public:
  void Add(std::string_view what, std::string_view key) {
    Loss& loss = losses_[what];
    if (loss.keys++ == 0) loss.first = key;
  }
  std::vector<std::string> Sentences() const {
    std::vector<std::string> sentences;
    for (const auto& [what, loss] : losses_) {
      sentences.push_back(
          loss.keys == 1
              ? fmt::format("one key {}: {}", what, Printable(loss.first))
              : fmt::format("{} keys {}: {} is the first", loss.keys, what, Printable(loss.first)));
    }
    return sentences;
  }

 private:
  struct Loss {
    std::size_t keys = 0;
    std::string first;
  };
  std::map<std::string_view, Loss> losses_;
};

}  // namespace mu::meta
