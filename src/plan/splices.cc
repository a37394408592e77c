// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/edit/compose_edit.h"
#include "milvus_upgrade/plan/plan.h"

namespace mu::plan {
namespace {

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
  auto out = edit::Apply(old_bytes, replace.splices);
  if (!out) return Fail(std::move(out).error().WithContext("changing " + replace.path));
  MU_CHECK(CheckHash(*out, replace.sha256_after, replace, "the new file"));
  return out;
}

ReplaceFile Inverse(const ReplaceFile& replace) {
  ReplaceFile back;
  back.path = replace.path;
  back.sha256_before = replace.sha256_after;
  back.sha256_after = replace.sha256_before;
  back.original = replace.original + ".new";
  std::int64_t shift = 0;
  for (const model::Splice& splice : replace.splices) {
    const auto offset =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(splice.offset) + shift);
    back.splices.push_back({offset, splice.after, splice.before});
    shift += static_cast<std::int64_t>(splice.after.size()) -
             static_cast<std::int64_t>(splice.before.size());
  }
  return back;
}

}  // namespace mu::plan
