// SPDX-License-Identifier: Apache-2.0
// The metadata of Milvus 2.1 as that of 2.2: a pure function from keys to changes. Everything is
// converted, or nothing is: each key that cannot be converted is named, all of them at once. The
// same keys give the same bytes (parameters and maps, which Milvus's own tool writes in random
// order, come in the order of their names). A key whose meaning is not known is kept.
// Source of every rule: the measured mapping in docs/metadata-2.1-to-2.2.md (a converter made from
// it gave what Milvus's own tool wrote, key by key).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/meta/scope.h"
#include "milvus_upgrade/model/etcd.h"

namespace mu::meta {

struct LoadedAgain {  // a collection that 2.2 will not have loaded though 2.1 had, or was about to
  std::int64_t collection = 0;
  std::string name;
  std::string reason;  // for people
};
// What the keys will describe once the changes are made.
struct Summary {
  std::int64_t collections = 0;  // without the dropped ones
  std::int64_t partitions = 0;   // of these
  std::int64_t indexes = 0;
  std::int64_t segments = 0;
  std::int64_t segment_indexes = 0;     // of dropped collections too, as in 2.1
  std::int64_t aliases = 0;             // without the dropped ones
  std::int64_t loaded_collections = 0;  // that stay loaded as a whole
  std::int64_t loaded_partitions = 0;   // that stay loaded one by one
  std::vector<LoadedAgain> needs_load;  // told by Convert alone
};

// By key. The three never share one. What is in none of them stays as it is.
struct Changes {
  std::map<std::string, std::string> added;     // keys that are not there yet
  std::map<std::string, std::string> replaced;  // keys that both have, with another value
  std::set<std::string> removed;                // keys that 2.2 does not have
  Summary summary;
  std::vector<std::string> losses;  // what 2.2's form cannot hold, one sentence each
};

enum class Generation : int { kEmpty = 1, k21 = 2, k22 = 3, kMixed = 4 };
// What the keys are: 2.2 has field-index, root-coord/aliases, segment-index or
// querycoord-*-loadinfo; 2.1 has root-coord/index, segment-index under root-coord, indexes,
// collection-alias, dd-operation, or collections with field 6. Collections alone, without any of
// these, are 2.2's: there is nothing left to convert. kEmpty: no collection, and none of these.
// kMixed: a migration was cut in the middle. Sessions and our own marker say nothing.
Generation GenerationOf(std::span<const model::KeyValue> keys, const Scope& scope);

// `keys`: ascending, all of the scope, without keys under a lease. Keys outside the scope, sessions
// and our own marker are not looked at. kEmpty and k22 give no changes. Of kMixed, what a cut run
// of ours has added already is left out of `added`; anything else of 2.2 is a problem. Errors:
// kMetaUnconvertible, with each key and reason, one per line.
Result<Changes> Convert(std::span<const model::KeyValue> keys, const Scope& scope);

// What is left to do once every key of `added` is written: the replacements and removals alone, for
// a run that was cut after that. Needs none of the records that conversion needs, since some of
// them may be removed already. Errors: kMetaCut, when something would go whose counterpart in 2.2's
// form is not there.
Result<Changes> FinishConversion(std::span<const model::KeyValue> keys, const Scope& scope);

}  // namespace mu::meta
