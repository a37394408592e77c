// SPDX-License-Identifier: Apache-2.0
// The journal of a run: one checksummed JSON line a record, each synced before the next effect.
// Format and its rules: docs/journal-format.md. A torn last line is normal and cut; damage before
// it is an error.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/ports/files.h"
#include "milvus_upgrade/ports/runner.h"

namespace mu::run {

inline constexpr int kJournalFormat = 1;

// Explicit numbers are not written; names are. Never renamed.
enum class RecordType { kRunStarted, kIntent, kDone, kFailed, kCommand, kEvent, kRunEnded };

using Evidence = std::map<std::string, std::string>;

struct Record {
  std::uint64_t seq = 0;
  std::string time;  // wall, for people
  Millis at{0};      // since the run's first record: monotonic within a process, the time between
                     // two processes by the wall clock
  RecordType type = RecordType::kEvent;
  std::string phase;        // "forward" or "rollback"
  std::string step;         // id, where it is about a step
  int attempt = 0;          // kIntent: 1, 2, ... entries into this step
  bool is_skipped = false;  // kDone: it was already so
  Evidence evidence;  // kDone, kEvent, kRunStarted (plan_hash, tool_version, format), kRunEnded
                      // (outcome)
  std::string
      event;  // kEvent: "point-of-no-return", "outage-opened", "outage-closed", "probe-window", ...
  int exit_code = 0;              // kRunEnded, kCommand
  std::vector<std::string> argv;  // kCommand
  Millis took{0};                 // kCommand, kDone
  std::optional<Error> error;     // kFailed
  bool operator==(const Record&) const = default;
};

std::string FormatRecord(const Record& record);     // with checksum and final newline
Result<Record> ParseRecord(std::string_view line);  // errors: kJournalDamaged, kJournalNewer

struct JournalContents {
  std::vector<Record> records;
  std::uint64_t good_bytes = 0;  // up to the end of the last whole record
  bool has_torn_tail = false;
};
// Errors: kJournalDamaged with line and byte offset, kJournalNewer.
Result<JournalContents> ParseJournal(std::string_view bytes);

class Journal {
 public:
  // Opens for appending; cuts a torn tail. Errors as ParseJournal and Files.
  static Result<std::unique_ptr<Journal>> Open(ports::Files& files, ports::Clock& clock,
                                               const std::string& path);
  // Fills in seq, time, at, and phase and step where they are empty; writes and syncs. After one
  // error every later Append fails with it: no effect may follow. May be called from any thread.
  Status Append(Record record);
  // The error that ended the journal, if one has.
  std::optional<Error> Broken() const;
  // Not while another thread appends.
  const std::vector<Record>& Records() const { return records_; }
  void SetPhase(std::string phase);
  // The step that records without one are about: child commands, events.
  void SetStep(std::string step);

 private:
  Journal(ports::Clock& clock, std::unique_ptr<ports::AppendFile> file,
          std::vector<Record> records);
  ports::Clock& clock_;
  std::unique_ptr<ports::AppendFile> file_;
  std::vector<Record> records_;
  std::string phase_ = "forward";
  std::string step_;
  Millis opened_at_;
  std::optional<Error> broken_;
  mutable std::mutex mutex_;
};

// The first and the last record of a process that works on a run. `outcome`: StoredRun::EndState.
Status Begin(Journal& journal, const std::string& plan_hash);
Status Finish(Journal& journal, const std::string& outcome, ExitCode exit_code);
// Each finished child as a record. An error of the journal shows at the executor's next one.
ports::CommandLog CommandLogInto(Journal& journal);

}  // namespace mu::run
