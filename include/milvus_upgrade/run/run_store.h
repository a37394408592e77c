// SPDX-License-Identifier: Apache-2.0
// Where runs are kept: <state dir>/<run id>/{plan.json, rollback.json, journal.ndjson, files/,
// backup/, logs/}. Folders 0700, files 0600, a .gitignore of "*" in the state folder. All file
// names of a run are made here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/plan/plan.h"
#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/ports/files.h"
#include "milvus_upgrade/run/journal.h"

namespace mu::run {

struct RunFiles {
  std::string id;
  std::string folder;
  std::string PlanPath() const { return folder + "/plan.json"; }
  std::string RollbackPath() const { return folder + "/rollback.json"; }
  std::string JournalPath() const { return folder + "/journal.ndjson"; }
  std::string AbandonedPath() const { return folder + "/abandoned"; }
  std::string RoomPath() const { return folder + "/room"; }
};

struct StoredRun {
  RunFiles files;
  plan::Plan plan;
  std::optional<plan::Plan> rollback;
  std::vector<Record> records;
  std::optional<Error> damage;  // of plan or journal: such a run is listed, not hidden
  bool is_live = false;         // a process works on it now (RunStore::IsLive)
  bool is_abandoned = false;    // given up by a person (RunStore::Abandon)
  // "done", "rolled-back", "partly-rolled-back", "failed-untouched", "needs-person", "paused",
  // "interrupted", "unfinished" ("running" while it is live), "abandoned", "damaged".
  std::string EndState() const;
  // Must be resumed or rolled back before another run may start. A run that was killed before its
  // first step is not.
  // A step that changes the stack was entered, or a rollback was begun.
  bool HasTouched() const;
  bool IsOpen() const;
};

class RunStore {
 public:
  RunStore(ports::Files& files, ports::Clock& clock, std::string state_dir);
  const std::string& StateDir() const { return state_dir_; }
  // Makes the state folder if needed and takes its lock. Errors: kLocked with the holder's words.
  Result<std::unique_ptr<ports::FileLock>> Lock(const std::string& holder);
  // A new run folder with the plan in it (synced), and room taken for the way back. Ids sort by
  // time: "20261125-120000-ab12".
  Result<RunFiles> Create(const plan::Plan& plan);
  // Whether a process works on that run now: the lock is held, and the run is the one that may be
  // worked on. REQUIRES: the lock is not ours.
  Result<bool> IsLive(const StoredRun& run);
  Status SaveRollback(const RunFiles& run, const plan::Plan& rollback);
  Status DropRollback(const RunFiles& run);  // it is over, and the run is not
  // The disk is full: what was taken at the beginning is given to the way back. True the first
  // time.
  Result<bool> GiveRoom(const RunFiles& run);
  // Gives the run up: nobody goes on with it, and another may start. Also of a damaged one, whose
  // journal takes no record. `why`: for people.
  Status Abandon(const RunFiles& run, const std::string& why);
  // The folder with all that is in it. REQUIRES: the lock is held and the run is not open.
  Status Remove(const RunFiles& run);
  // Oldest first; empty when there is no state folder.
  Result<std::vector<std::string>> Ids();
  Result<StoredRun> Load(const std::string& id);
  Result<std::vector<StoredRun>> NewestFirst();  // all of them
  // "" is the newest. Errors: kNoSuchRun.
  Result<StoredRun> Find(const std::string& id_or_prefix);

 private:
  ports::Files& files_;
  ports::Clock& clock_;
  std::string state_dir_;
};

}  // namespace mu::run
