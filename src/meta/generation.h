// SPDX-License-Identifier: Apache-2.0
// What the keys that were read say as a whole: which generation they are of, and how many things
// they describe.
#pragma once

#include <map>
#include <span>
#include <string>

#include "meta/keys.h"
#include "milvus_upgrade/meta/convert.h"

namespace mu::meta {

Generation GenerationOf(std::span<const Entry> entries);

// Counts what stands in 2.2's form: in `entries`, or about to be (`added`).
Summary Summarize(std::span<const Entry> entries, const std::map<std::string, std::string>& added,
                  const Scope& scope);

}  // namespace mu::meta
