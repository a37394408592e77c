// SPDX-License-Identifier: Apache-2.0
// The instants of a run at which its process can die with another state of journal and world: where
// tests/hostile/kill_point.cc, linked in the place of this one's definition, kills it. In the
// product nothing happens there.
#pragma once

namespace mu::run {

enum class Boundary {
  kBeforeEffect,  // the intent is synced, nothing was done
  kAfterEffect,   // done, and no record tells of it
  kBeforeSync,    // a record is written and not synced
};
void Reach(Boundary boundary);

}  // namespace mu::run
