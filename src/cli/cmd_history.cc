// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/state_dir.h"
#include "milvus_upgrade/run/run_store.h"
#include "ui/run_views.h"

namespace mu::cli {
namespace {

Result<std::vector<run::StoredRun>> LoadAll(Wiring& wiring, const config::Config& config) {
  MU_TRY(const std::string state_dir, StateDirOf(wiring, config));
  run::RunStore store(wiring.Files(), wiring.Clock(), state_dir);
  MU_TRY(std::vector<run::StoredRun> runs, store.NewestFirst());
  for (run::StoredRun& run : runs) {
    MU_TRY(run.is_live, store.IsLive(run));
  }
  return runs;
}

}  // namespace

int CmdHistory(const Invocation& invocation, ui::Console& console) {
  Wiring wiring;
  const auto runs = LoadAll(wiring, invocation.config);
  if (!runs) return console.Fail(runs.error());
  return console.End(ExitCode::kDone, ui::HistoryView(*runs, console.OutStyle()));
}

}  // namespace mu::cli
