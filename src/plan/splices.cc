// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/plan/plan.h"

namespace mu::plan {
namespace {

enum class Way { kForward, kBack };

// `shift` turns offsets of the old file into those of the bytes at hand.
Result<std::string> Walk(std::string_view bytes, const ReplaceFile& replace, Way way) {
  std::string out;
  std::size_t copied = 0;
  std::int64_t shift = 0;
  for (const model::Splice& splice : replace.splices) {
    const std::string& from = way == Way::kForward ? splice.before : splice.after;
    const std::string& to = way == Way::kForward ? splice.after : splice.before;
    const auto at = static_cast<std::size_t>(static_cast<std::int64_t>(splice.offset) + shift);
    if (at < copied || at > bytes.size() || bytes.substr(at, from.size()) != from) {
      return Fail(ErrorCode::kFileChanged, fmt::format("{}: byte {} does not begin \"{}\" any more",
                                                       replace.path, at, from));
    }
    out += bytes.substr(copied, at - copied);
    out += to;
    copied = at + from.size();
    if (way == Way::kBack)
      shift += static_cast<std::int64_t>(from.size()) - static_cast<std::int64_t>(to.size());
  }
  out += bytes.substr(copied);
  return out;
}

Status CheckHash(std::string_view bytes, const std::string& wanted, const ReplaceFile& replace,
                 std::string_view which) {
  const std::string found = Sha256(bytes);
  if (found == wanted) return {};
  return Fail(ErrorCode::kFileChanged, fmt::format("{}: {} has the hash {}, planned was {}",
                                                   replace.path, which, found, wanted));
}

}  // namespace

Result<std::string> ApplySplices(std::string_view old_bytes, const ReplaceFile& replace) {
  MU_CHECK(CheckHash(old_bytes, replace.sha256_before, replace, "the file"));
  MU_TRY(std::string out, Walk(old_bytes, replace, Way::kForward));
  MU_CHECK(CheckHash(out, replace.sha256_after, replace, "the new file"));
  return out;
}

Result<std::string> RevertSplices(std::string_view new_bytes, const ReplaceFile& replace) {
  MU_CHECK(CheckHash(new_bytes, replace.sha256_after, replace, "the file"));
  MU_TRY(std::string out, Walk(new_bytes, replace, Way::kBack));
  MU_CHECK(CheckHash(out, replace.sha256_before, replace, "the old file"));
  return out;
}

}  // namespace mu::plan
