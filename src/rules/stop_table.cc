// SPDX-License-Identifier: Apache-2.0
// What tests/real/stop_table/results.tsv allows: a row for each (version, role, queue) that was
// stopped together with its stack and of which no run lost an acknowledged row. A test compares
// stop_rows.inc with that file, so that neither can drift, and writes it anew when asked to.
#include <string>

#include "milvus_upgrade/rules/version_path.h"

namespace mu::rules {
namespace {

using model::MessageQueue;
using model::Role;

constexpr StopRow kRows[] = {
#include "rules/stop_rows.inc"
};

}  // namespace

std::span<const StopRow> StopTable() { return kRows; }

const StopRow* FindStopRow(const model::Version& version, model::Role role,
                           model::MessageQueue queue) {
  const std::string text = version.Text();
  for (const StopRow& row : kRows) {
    if (row.version == text && row.role == role && row.queue == queue) return &row;
  }
  return nullptr;
}

}  // namespace mu::rules
