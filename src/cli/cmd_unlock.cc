// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/engine_lock.h"
#include "cli/lease_lock.h"
#include "cli/run_copy.h"
#include "cli/run_target.h"
#include "cli/state_dir.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/helper_container.h"
#include "milvus_upgrade/run/run_store.h"

namespace mu::cli {
namespace {

// All that is known of the run whose lock is in question.
struct Found {
  std::optional<HeldLock> lock;          // on the engine, or in the namespace
  std::optional<run::StoredRun> stored;  // where its folder is here
  std::string project;
};

Result<Found> Find(run::RunStore& store, const std::vector<HeldLock>& locks,
                   const std::string& id) {
  Found found;
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
  return Fail(ErrorCode::kNoSuchRun,
              fmt::format("run {} holds no lock here, and no run of that name in {} is open", id,
                          store.StateDir()),
              held.empty() ? "no lock is held here" : "locks are held by: " + Join(held, ", "));
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

// How the lock is held where the run is: on the engine, or in the namespace of a release.
class Door {
 public:
  virtual ~Door() = default;
  virtual Result<std::vector<HeldLock>> Locks() = 0;
  // Whether what the run began may still be at work, wherever it is. Errors say so.
  virtual Status CheckStill(const Found& found) = 0;
  // Whether the run is given up, and not only its lock taken from a machine that is gone.
  virtual bool GivesUp(const Found& found) const = 0;
  virtual Status Release(const Found& found, const std::string& run) = 0;
};

class EngineDoor : public Door {
 public:
  explicit EngineDoor(Wiring& wiring) : wiring_(wiring) {}
  Result<std::vector<HeldLock>> Locks() override { return EngineLock::All(wiring_.Docker()); }
  Status CheckStill(const Found& found) override {
    MU_TRY(const auto alive, LiveMigrators(wiring_.Docker(), found.project));
    if (alive.empty()) return {};
    return Fail(ErrorCode::kMigrationRunning,
                "a migration of this stack is at work: " + Join(alive, ", "),
                "wait for it; if it hangs, docker kill it, then resume or roll back the run");
  }
  bool GivesUp(const Found&) const override { return true; }
  Status Release(const Found& found, const std::string& run) override {
    return EngineLock(wiring_.Docker(), found.project).Release(run);
  }

 private:
  Wiring& wiring_;
};

class ReleaseDoor : public Door {
 public:
  ReleaseDoor(Wiring& wiring, ui::Console& console, const plan::KubeTarget& at,
              const std::string& release)
      : wiring_(wiring),
        console_(console),
        release_(release),
        kube_(wiring.Kube(at)),
        lock_(kube_, wiring.RenewingKube(), wiring.Clock(), release) {}
  Result<std::vector<HeldLock>> Locks() override {
    MU_TRY(const auto holder, lock_.Holder());
    if (!holder) return std::vector<HeldLock>();
    return std::vector<HeldLock>{{release_, *holder}};
  }
  Status CheckStill(const Found&) override { return {}; }
  // One that is held elsewhere can be gone on with from its copy.
  bool GivesUp(const Found& found) const override {
    return !found.lock || (found.stored && found.lock->holder.host == wiring_.HostName() &&
                           found.stored->files.folder ==
                               found.lock->holder.state_dir + "/" + found.lock->holder.run);
  }
  Status Release(const Found& found, const std::string& run) override {
    // Of a holder that is this state folder, its own lock has told that no process works on it.
    if (GivesUp(found)) {
      MU_CHECK(RunCopy(kube_, release_).Remove(run));
      return lock_.Release(run);
    }
    console_.Note(
        fmt::format("watching {} for {}: whoever holds it and lives renews it in that time",
                    lock_.Name(), FormatDuration(LeaseLock::kDuration)));
    return lock_.Free(
        run, [this](Millis) { return wiring_.Interrupts().Pending() == ports::Interrupt::kNone; });
  }

 private:
  Wiring& wiring_;
  ui::Console& console_;
  const std::string release_;
  ports::Kube& kube_;
  LeaseLock lock_;
};

// By the release that is named, or by the run, where its folder is here.
std::unique_ptr<Door> DoorOf(Wiring& wiring, const config::Config& config, ui::Console& console,
                             run::RunStore& store, const std::string& id) {
  if (!config.release.empty())
    return std::make_unique<ReleaseDoor>(wiring, console, KubeOf(config), config.release);
  const auto stored = store.Find(id);
  if (stored && stored->plan.kind == plan::PlanKind::kRolling)
    return std::make_unique<ReleaseDoor>(wiring, console, stored->plan.kube, stored->plan.instance);
  return std::make_unique<EngineDoor>(wiring);
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
  const auto door = DoorOf(wiring, config, console, store, invocation.Argument(0));
  const auto locks = door->Locks();
  if (!locks) return console.Fail(locks.error());
  const auto found = Find(store, *locks, invocation.Argument(0));
  if (!found) return console.Fail(found.error());
  const ui::View view = ViewOf(wiring, *found, console.ErrStyle());
  console.Show(view);
  if (found->stored && found->stored->is_live)
    return console.Fail(
        Error{ErrorCode::kLocked, "a process of this machine works on the run", "", {}});
  if (const Status still = door->CheckStill(*found); !still) return console.Fail(still.error());
  const bool gives_up = door->GivesUp(*found);
  const bool is_cut = gives_up && found->stored && found->stored->HasTouched();
  const std::string id = found->lock ? found->lock->holder.run : found->stored->files.id;
  if (const auto over = console.AskOrEnd(
          fmt::format("{} run {}{}?", gives_up ? "Give up" : "Take the lock from", id,
                      is_cut
                          ? ", which has touched the stack and can still be resumed or rolled back"
                          : ""),
          config.is_yes, wiring.Interrupts()))
    return *over;
  // Of a run that is over only the lock is left: how it ended stays as it is.
  if (gives_up && found->stored && found->stored->IsOpen()) {
    const auto lock = store.Lock(fmt::format("unlock on {}", wiring.HostName()));
    if (!lock) return console.Fail(lock.error());
    if (const Status given_up = store.Abandon(
            found->stored->files, fmt::format("given up with `unlock` on {} at {}",
                                              wiring.HostName(), wiring.Clock().WallTime()));
        !given_up)
      return console.Fail(given_up.error());
  }
  if (const Status released = door->Release(*found, id); !released)
    return console.Fail(released.error());
  console.Note(gives_up
                   ? fmt::format("run {} is given up; what it worked on is as the run left it", id)
                   : fmt::format("the lock of run {} is free: resume and rollback take it", id));
  return console.End(ExitCode::kDone, {});
}

}  // namespace mu::cli
