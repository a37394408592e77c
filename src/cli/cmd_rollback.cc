// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/compose_flow.h"

namespace mu::cli {

int CmdRollback(const Invocation& invocation, ui::Console& console) {
  if (!invocation.HasFlag("from-snapshot")) {
    return console.Fail(Error{
        ErrorCode::kUsage,
        "a run that fails goes back by itself; what this command adds is --from-snapshot",
        "for a run that was cut: milvus-upgrade resume. To write the metadata of before the "
        "migration back from the etcd snapshot of a run: milvus-upgrade rollback --from-snapshot",
        {}});
  }
  return RollBackFromSnapshot(invocation.config, invocation.Argument(0),
                              invocation.HasFlag("accept-data-loss"), console);
}

}  // namespace mu::cli
