// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <charconv>

#include "cli/commands.h"
#include "cli/state_dir.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/run_store.h"

namespace mu::cli {
namespace {

Result<std::size_t> KeepOf(const std::string& text) {
  std::size_t keep = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), keep);
  if (error == std::errc() && end == text.data() + text.size()) return keep;
  return Fail(ErrorCode::kUsage, fmt::format("--keep: \"{}\" is not a count", Printable(text)));
}

// Whether the run has a backup of the keys whose file is still what was verified.
bool HasGoodBackup(ports::Files& files, const run::StoredRun& run) {
  for (const run::Record& record : run.records) {
    if (record.type != run::RecordType::kDone) continue;
    for (const plan::Step& step : run.plan.steps) {
      if (step.id != record.step || step.kind != plan::StepKind::kBackupKeys) continue;
      const auto file = record.evidence.find("file");
      const auto sha256 = record.evidence.find("sha256");
      if (file == record.evidence.end() || sha256 == record.evidence.end()) continue;
      const auto now = files.Sha256Of(file->second);
      if (now && *now == sha256->second) return true;
    }
  }
  return false;
}

// Newest first: which runs go.
Result<std::vector<run::StoredRun>> Superfluous(Wiring& wiring, run::RunStore& store,
                                                std::size_t keep) {
  MU_TRY(std::vector<run::StoredRun> runs, store.NewestFirst());
  std::vector<run::StoredRun> go;
  bool has_backup = false;
  std::size_t kept = 0;
  for (run::StoredRun& run : runs) {
    const bool is_good = HasGoodBackup(wiring.Files(), run);
    // The newest good backup stays, wherever it is.
    const bool stays = kept < keep || run.IsOpen() || (is_good && !has_backup);
    has_backup = has_backup || is_good;
    if (stays) {
      ++kept;
    } else {
      go.push_back(std::move(run));
    }
  }
  return go;
}

}  // namespace

int CmdRunsPrune(const Invocation& invocation, ui::Console& console) {
  const config::Config& config = invocation.config;
  const auto keep = KeepOf(invocation.Flag("keep", "10"));
  if (!keep) return console.Fail(keep.error());
  if (!config.is_dry_run) {
    if (const Status can_ask = console.CheckCanAsk(config.is_yes); !can_ask)
      return console.Fail(can_ask.error());
  }
  Wiring wiring;
  const auto state_dir = StateDirOf(wiring, config);
  if (!state_dir) return console.Fail(state_dir.error());
  run::RunStore store(wiring.Files(), wiring.Clock(), *state_dir);
  const auto ids = store.Ids();
  if (!ids) return console.Fail(ids.error());
  // The lock makes the state folder: not where there is no run.
  std::unique_ptr<ports::FileLock> lock;
  if (!ids->empty() && !config.is_dry_run) {
    auto held = store.Lock(fmt::format("runs prune on {}", wiring.HostName()));
    if (!held) return console.Fail(held.error());
    lock = *std::move(held);
  }
  const auto go = Superfluous(wiring, store, *keep);
  if (!go) return console.Fail(go.error());
  ui::View view;
  boost::json::array list;
  for (const run::StoredRun& run : *go) {
    view.text +=
        fmt::format("{}  {}  {} -> {}\n", run.files.id, run.EndState(), run.plan.from, run.plan.to);
    list.emplace_back(run.files.id);
  }
  view.json["removed"] = std::move(list);
  if (go->empty()) view.text = "nothing to remove\n";
  if (config.is_dry_run || go->empty()) return console.End(ExitCode::kDone, view);
  console.Show(view);
  if (const auto over =
          console.AskOrEnd(fmt::format("Remove these {} runs with their backups?", go->size()),
                           config.is_yes, wiring.Interrupts()))
    return *over;
  for (const run::StoredRun& run : *go) {
    if (const Status removed = store.Remove(run.files); !removed)
      return console.Fail(removed.error());
  }
  return console.End(ExitCode::kDone, view);
}

}  // namespace mu::cli
