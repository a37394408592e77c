// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/edit/compose_edit.h"
#include "milvus_upgrade/plan/plan.h"

namespace mu::plan {
namespace {

Status CheckHash(std::string_view bytes, const std::string& wanted, const std::string& place,
                 std::string_view which) {
  const std::string found = Sha256(bytes);
  if (found == wanted) return {};
  return Fail(ErrorCode::kFileChanged,
              fmt::format("{}: {} has the hash {}, planned was {}", place, which, found, wanted));
}

Result<std::string> Applied(std::string_view old_bytes, const std::vector<model::Splice>& splices,
                            const std::string& sha256_before, const std::string& sha256_after,
                            const std::string& place) {
  MU_CHECK(CheckHash(old_bytes, sha256_before, place, "what is there"));
  auto out = edit::Apply(old_bytes, splices);
  if (!out) return Fail(std::move(out).error().WithContext("changing " + place));
  MU_CHECK(CheckHash(*out, sha256_after, place, "the new text"));
  return out;
}

std::vector<model::Splice> Inverse(const std::vector<model::Splice>& splices) {
  std::vector<model::Splice> back;
  std::int64_t shift = 0;
  for (const model::Splice& splice : splices) {
    const auto offset =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(splice.offset) + shift);
    back.push_back({offset, splice.after, splice.before});
    shift += static_cast<std::int64_t>(splice.after.size()) -
             static_cast<std::int64_t>(splice.before.size());
  }
  return back;
}

}  // namespace

Result<std::string> ApplySplices(std::string_view old_bytes, const ReplaceFile& replace) {
  return Applied(old_bytes, replace.splices, replace.sha256_before, replace.sha256_after,
                 replace.path);
}

Result<std::string> ApplySplices(std::string_view old_text, const EditConfigMap& edit) {
  return Applied(old_text, edit.splices, edit.sha256_before, edit.sha256_after,
                 edit.key + " of " + edit.config_map);
}

ReplaceFile Inverse(const ReplaceFile& replace) {
  return {replace.path, replace.sha256_after, replace.sha256_before, Inverse(replace.splices),
          replace.original + ".new"};
}

EditConfigMap Inverse(const EditConfigMap& edit) {
  EditConfigMap back = edit;
  std::swap(back.sha256_before, back.sha256_after);
  back.splices = Inverse(edit.splices);
  return back;
}

}  // namespace mu::plan
