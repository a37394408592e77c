// SPDX-License-Identifier: Apache-2.0
// Whether a migration, by whomever, has done its work: our own conversion of what was there before
// is the yardstick, key by key and value by value. Pure. An exit code is no proof: Milvus's tool
// can end with 0 after it has lost everything (ground.md 4).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "milvus_upgrade/meta/convert.h"

namespace mu::meta {

struct Judgement {
  std::vector<std::string> problems;  // a key that is missing, left, unknown or different, each
  std::vector<std::string> remarks;   // that load states differ: a `load` mends it
  Summary summary;                    // of what there should be
  // Keys, of a right migration.
  std::size_t added = 0;
  std::size_t replaced = 0;
  std::size_t removed = 0;
  bool IsRight() const { return problems.empty(); }
};

// Both ascending, all of the scope, without keys under a lease. Sessions, the session counter and
// our own marker are not looked at. The order of an index's parameters and of a load state's fields
// says nothing (the tool writes maps). Errors: kMetaUnconvertible, where `before` cannot be
// converted and so nothing can be said.
Result<Judgement> JudgeMigration(std::span<const model::KeyValue> before,
                                 std::span<const model::KeyValue> after, const Scope& scope);

}  // namespace mu::meta
