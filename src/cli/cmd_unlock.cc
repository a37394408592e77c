// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/engine_lock.h"
#include "cli/run_target.h"
#include "cli/state_dir.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/helper_container.h"
#include "milvus_upgrade/run/run_store.h"

namespace mu::cli {
namespace {

// All that is known of the run whose lock is in question.
struct Found {
  std::optional<HeldLock> lock;          // on the engine
  std::optional<run::StoredRun> stored;  // where its folder is here
  std::string project;
};

Result<Found> Find(Wiring& wiring, run::RunStore& store, const std::string& id) {
  Found found;
  MU_TRY(const auto locks, EngineLock::All(wiring.Docker()));
  if (auto stored = store.Find(id)) {
    found.stored = *std::move(stored);
    MU_TRY(found.stored->is_live, store.IsLive(*found.stored));
    found.project = found.stored->plan.instance;
  }
  std::vector<std::string> held;
  for (const HeldLock& lock : locks) {
    held.push_back(lock.holder.run);
    if (lock.holder.run != (found.stored ? found.stored->files.id : id)) continue;
    found.lock = lock;
    found.project = lock.project;
  }
  if (found.lock || (found.stored && found.stored->IsOpen())) return found;
  return Fail(
      ErrorCode::kNoSuchRun,
      fmt::format("run {} holds no lock on this engine, and no run of that name in {} is "
                  "open",
                  id, store.StateDir()),
      held.empty() ? "no lock is held on this engine" : "locks are held by: " + Join(held, ", "));
}

// A migration that is still at work would be left alone with the metadata.
Result<std::vector<std::string>> LiveMigrators(ports::Docker& docker, const std::string& project) {
  MU_TRY(const auto ids, docker.List({std::string(run::kMigratorLabel) + "=" + project}));
  MU_TRY(const auto containers, docker.Inspect(ids));
  std::vector<std::string> alive;
  for (const auto& container : containers) {
    if (container && container->IsRunning()) alive.push_back(container->name);
  }
  return alive;
}

ui::View ViewOf(Wiring& wiring, const Found& found, const ui::Style& style) {
  constexpr int kColumn = 22;
  ui::View view;
  boost::json::object now;
  if (found.lock) {
    view.text +=
        ui::Entry("  lock",
                  fmt::format("held by run {} of host {}, state folder {}", found.lock->holder.run,
                              found.lock->holder.host, found.lock->holder.state_dir),
                  kColumn, style);
  }
  if (found.stored) {
    view.text += ui::Entry(
        "  run", fmt::format("{}, {}", found.stored->files.folder, found.stored->EndState()),
        kColumn, style);
    if (!found.stored->records.empty())
      view.text += ui::Entry("  last record", found.stored->records.back().time, kColumn, style);
    for (const ui::ObservedLine& line : MakeTarget(wiring, found.stored->plan)->Look()) {
      view.text += ui::Entry("  now: " + line.name, Printable(line.value), kColumn, style);
      now[line.name] = Printable(line.value);
    }
  } else {
    view.text += ui::Entry(
        "  run", "its folder is not on this machine, or not in this state folder", kColumn, style);
  }
  view.json["observed"] = std::move(now);
  view.json["project"] = found.project;
  return view;
}

}  // namespace

int CmdUnlock(const Invocation& invocation, ui::Console& console) {
  const config::Config& config = invocation.config;
  if (const Status can_ask = console.CheckCanAsk(config.is_yes); !can_ask)
    return console.Fail(can_ask.error());
  Wiring wiring;
  const auto state_dir = StateDirOf(wiring, config);
  if (!state_dir) return console.Fail(state_dir.error());
  run::RunStore store(wiring.Files(), wiring.Clock(), *state_dir);
  const auto found = Find(wiring, store, invocation.Argument(0));
  if (!found) return console.Fail(found.error());
  const ui::View view = ViewOf(wiring, *found, console.ErrStyle());
  console.Show(view);
  if (found->stored && found->stored->is_live)
    return console.Fail(
        Error{ErrorCode::kLocked, "a process of this machine works on the run", "", {}});
  const auto alive = LiveMigrators(wiring.Docker(), found->project);
  if (!alive) return console.Fail(alive.error());
  if (!alive->empty())
    return console.Fail(Error{ErrorCode::kMigrationRunning,
                              "a migration of this stack is at work: " + Join(*alive, ", "),
                              "wait for it; if it hangs, docker kill it, then resume or roll back "
                              "the run",
                              {}});
  const bool is_cut = found->stored && found->stored->HasTouched();
  const std::string id = found->lock ? found->lock->holder.run : found->stored->files.id;
  if (const auto over = console.AskOrEnd(
          fmt::format("Give up run {}{}?", id,
                      is_cut
                          ? ", which has touched the stack and can still be resumed or rolled back"
                          : ""),
          config.is_yes, wiring.Interrupts()))
    return *over;
  // Of a run that is over only the lock is left: how it ended stays as it is.
  if (found->stored && found->stored->IsOpen()) {
    const auto lock = store.Lock(fmt::format("unlock on {}", wiring.HostName()));
    if (!lock) return console.Fail(lock.error());
    if (const Status given_up = store.Abandon(
            found->stored->files, fmt::format("given up with `unlock` on {} at {}",
                                              wiring.HostName(), wiring.Clock().WallTime()));
        !given_up)
      return console.Fail(given_up.error());
  }
  if (const Status released = EngineLock(wiring.Docker(), found->project).Release(id); !released)
    return console.Fail(released.error());
  console.Note(fmt::format("run {} is given up; the stack is as the run left it", id));
  return console.End(ExitCode::kDone, {});
}

}  // namespace mu::cli
