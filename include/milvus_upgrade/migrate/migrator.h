// SPDX-License-Identifier: Apache-2.0
// Migrator: the metadata of Milvus 2.1 in an etcd becomes that of 2.2, or goes back, or is backed
// up. What it promises beyond Milvus's own tool (whose failures are in ground.md 4):
// - nothing is written before everything is converted and, where asked for, backed up and the
//   backup read back and compared;
// - keys are added first, then replaced, then removed, in transactions that compare what was read;
//   at each instant every piece of metadata is there in its old or its new form;
// - killed anywhere, a second run completes it and a rollback restores it;
// - etcd going away is waited for a bounded time; nothing hangs.
// It writes only under Scope::Prefix(), and one backup file. It owns nothing that it is given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/meta/convert.h"
#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/ports/etcd_client.h"
#include "milvus_upgrade/ports/files.h"

namespace mu::migrate {

// What happens, for whoever shows it.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void Note(const std::string& line) = 0;  // one thing that is so, a sentence
  virtual void Progress(const std::string& what, std::size_t done, std::size_t total) = 0;
};

// Keys that are in etcd, not in the backup, and were not added by a migration: a 2.2 that was
// started wrote them. A rollback neither keeps nor removes them unasked; nor does it put back,
// unasked, what was changed or removed since by anyone but a migration.
enum class NewKeys { kRefuse = 1, kKeep = 2, kRemove = 3 };

struct Options {
  meta::Scope scope;
  std::string backup_file;  // "": a run without backup
  std::string source;       // versions, for the records only
  std::string target;
  NewKeys new_keys = NewKeys::kRefuse;
  Millis patience{60'000};    // for etcd to come back, from its last answer
  std::string who;            // host and process, in the lock for other people
  bool is_backed_up = false;  // by the caller: a run without a backup file is then no risk
  // Milvus's own tool was cut in it: what was changed or removed is its doing.
  bool is_cut_by_tool = false;
};

struct BackupFacts {
  std::string file;
  std::int64_t keys = 0;
  std::uint64_t bytes = 0;
  std::string sha256;
  std::int64_t revision = 0;
};

struct RunOutcome {
  enum class Kind { kMigrated = 1, kCompleted = 2, kNothingToDo = 3, kRehearsed = 4 };
  Kind kind = Kind::kMigrated;
  std::size_t added = 0;
  std::size_t replaced = 0;
  std::size_t removed = 0;
  meta::Summary summary;
  std::vector<std::string> losses;
  std::optional<BackupFacts> backup;
};

struct RollbackOutcome {
  std::size_t restored = 0;  // keys put back to what the file holds
  std::size_t removed = 0;   // keys of the migration, and new ones where asked for
  bool was_cut = false;      // it went on with something that was cut
  std::vector<std::string> kept_new;
  std::vector<std::string> ignored;  // entries of the file outside the scope
};

class Migrator {
 public:
  Migrator(ports::EtcdClient& etcd, ports::Files& files, ports::Clock& clock,
           ports::Interrupts& interrupts, Listener& listener, Options options);

  // Errors of all: kEtcdUnreachable, kEtcdFailed, kMetaWrongScope, kInterrupted, those of Files,
  // and those named.

  // kBackupBad, kEtcdCompacted; kInvalidInput when the file is there already with anything but all
  // keys as they are now; kMetaCut while a migration is under way. Its SHA-256 is written beside
  // it, to FILE.sha256.
  Result<BackupFacts> Backup();
  // Converts and counts, writes nothing. kMetaUnconvertible, kMetaCut.
  Result<RunOutcome> Rehearse();
  // Those of Backup and Rehearse; kLiveSessions, kMigrationRunning, kMigrationLost, kEtcdNoSpace.
  Result<RunOutcome> Run();
  // kBackupBad, kForeignBackup, kCheckFailed (new keys and no answer for them), kLiveSessions,
  // kMigrationRunning, kMigrationLost, kEtcdNoSpace.
  Result<RollbackOutcome> Rollback();

  // Whether anything was written to etcd beyond the lock: an error then leaves work to go on with.
  bool HasWritten() const { return has_written_; }

 private:
  ports::EtcdClient& etcd_;
  ports::Files& files_;
  ports::Clock& clock_;
  ports::Interrupts& interrupts_;
  Listener& listener_;
  Options options_;
  bool has_written_ = false;
};

// All keys of the scope without a lease, at one revision, ascending.
Result<std::vector<model::KeyValue>> KeysOf(ports::EtcdClient& etcd, ports::Clock& clock,
                                            ports::Interrupts& interrupts, const meta::Scope& scope,
                                            Millis patience);
// What a backup file holds of the scope, ascending. kFileRead, kBackupBad, kForeignBackup.
Result<std::vector<model::KeyValue>> KeysIn(ports::Files& files, const meta::Scope& scope,
                                            const std::string& backup_file);

// FILE.sha256, in the form of sha256sum, so that `sha256sum -c` reads it as well.
std::string Sha256FileOf(const std::string& file);
Status WriteSha256(ports::Files& files, const std::string& file, const std::string& sha256);

// Other metadata whose path begins like the scope's without its slash ("by-dev/meta2"): Milvus's
// own tool would take them along. Names, without the rest of their keys.
Result<std::vector<std::string>> SiblingsOf(ports::EtcdClient& etcd, const meta::Scope& scope);

}  // namespace mu::migrate
