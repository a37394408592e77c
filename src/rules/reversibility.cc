// SPDX-License-Identifier: Apache-2.0
// Whether the old version can run again once the new one has started.
#include <string>

#include "milvus_upgrade/rules/version_path.h"

namespace mu::rules {
namespace {

using model::MessageQueue;
using model::Version;

constexpr ReversibilityRow kRows[] = {
    {"2.1", "2.2", MessageQueue::kUnknown, false,
     "the migrated metadata is unknown to 2.1, and keys that 2.2 has written stay after a rollback "
     "of the migration",
     "measured"},
    {"2.2", "2.3", MessageQueue::kRocksmq, false,
     "2.3 adds a column family to rocksmq, on which 2.2 dies: \"Column families not opened: "
     "properties\"",
     "measured; milvus-io/milvus#28008"},
    {"2.3", "2.4", MessageQueue::kUnknown, false, "2.3 cannot load segments that 2.4 has indexed",
     "milvus-io/milvus#33242"},
    {"2.5", "2.6", MessageQueue::kUnknown, false,
     "from 2.6 on a version mark is kept in the metadata, and an older coordinator panics on it",
     "milvus-io/milvus#46451"},
    {"2.6", "3.0", MessageQueue::kUnknown, false,
     "the pages contradict each other, and builds of 2.6 up to 2.6.18 panic on what 3.0 has "
     "written",
     "milvus-io/milvus#50694"},
};

}  // namespace

std::span<const ReversibilityRow> ReversibilityTable() { return kRows; }

Reversibility ReversibilityOf(const Version& from, const Version& to, MessageQueue queue) {
  if (from.SameMinor(to))
    return {true, "within one minor the old version reads what the new one writes"};
  const auto minor_of = [](const Version& v) {
    return std::to_string(v.major) + "." + std::to_string(v.minor);
  };
  const std::string first = minor_of(from);
  const std::string last = minor_of(to);
  bool is_inside = false;
  const LatestPatchRow* before = nullptr;
  bool are_all_known = true;
  for (const LatestPatchRow& minor : LatestPatchTable()) {
    if (is_inside) {
      const ReversibilityRow* found = nullptr;
      for (const ReversibilityRow& row : kRows) {
        const bool is_queue = row.queue == MessageQueue::kUnknown || row.queue == queue;
        if (row.from_minor == before->minor && row.to_minor == minor.minor && is_queue)
          found = &row;
      }
      if (found != nullptr && !found->is_reversible)
        return {false, std::string(found->reason) + " (" + std::string(found->source) + ")"};
      are_all_known = are_all_known && found != nullptr;
    }
    if (minor.minor == first) is_inside = true;
    if (minor.minor == last) break;
    before = &minor;
  }
  if (is_inside && are_all_known) return {true, "measured for every minor in between"};
  return {false, "nobody has measured or documented that " + first + " runs on what " + last +
                     " has written"};
}

}  // namespace mu::rules
