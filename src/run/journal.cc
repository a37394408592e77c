// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/journal.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/boundary.h"

namespace mu::run {
namespace {

constexpr unsigned kMode = 0600;
constexpr std::uint64_t kRoom = 1 << 20;  // a run with 8 services and a migration writes 200 KB

// "2026-11-25T12:00:00.123Z" as a count; nullopt for another shape.
std::optional<Millis> CountOf(const std::string& wall_time) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int ms = 0;
  if (std::sscanf(wall_time.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d.%3dZ", &year, &month, &day, &hour,
                  &minute, &second, &ms) != 7) {
    return std::nullopt;
  }
  const std::chrono::sys_days date = std::chrono::year_month_day(
      std::chrono::year(year), std::chrono::month(month), std::chrono::day(day));
  return std::chrono::duration_cast<Millis>(date.time_since_epoch()) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second) + Millis(ms);
}

// What a monotonic clock that reads `now` would have read at the run's first record.
Millis OriginOf(const std::vector<Record>& records, ports::Clock& clock) {
  const Millis now = clock.Monotonic();
  if (records.empty()) return now;
  Millis between{0};
  const auto last = CountOf(records.back().time);
  const auto wall = CountOf(clock.WallTime());
  if (last && wall) between = std::max(Millis(0), *wall - *last);
  return now - between - records.back().at;
}

}  // namespace

Journal::Journal(ports::Clock& clock, std::unique_ptr<ports::AppendFile> file,
                 std::vector<Record> records)
    : clock_(clock),
      file_(std::move(file)),
      records_(std::move(records)),
      opened_at_(OriginOf(records_, clock)) {}

Result<std::unique_ptr<Journal>> Journal::Open(ports::Files& files, ports::Clock& clock,
                                               const std::string& path) {
  JournalContents contents;
  MU_TRY(const auto facts, files.Stat(path));
  if (facts) {
    MU_TRY(const std::string bytes, files.Read(path));
    auto parsed = ParseJournal(bytes);
    if (!parsed) return Fail(std::move(parsed).error().WithContext("reading " + path));
    contents = *std::move(parsed);
    if (contents.has_torn_tail) MU_CHECK(files.Truncate(path, contents.good_bytes));
  }
  MU_TRY(auto file, files.OpenAppend(path, kMode));
  // A run that has begun has taken its room already, and must be gone on with on a full disk too.
  if (Status taken = file->Reserve(kRoom); !taken && contents.records.empty())
    return Fail(std::move(taken).error().WithContext("taking room for the journal"));
  return std::unique_ptr<Journal>(new Journal(clock, std::move(file), std::move(contents.records)));
}

Status Journal::Append(Record record) {
  const std::scoped_lock lock(mutex_);
  if (broken_) return Fail(*broken_);
  record.seq = records_.size() + 1;
  record.time = clock_.WallTime();
  record.at = clock_.Monotonic() - opened_at_;
  if (record.phase.empty()) record.phase = phase_;
  if (record.step.empty() && record.type != RecordType::kRunStarted &&
      record.type != RecordType::kRunEnded) {
    record.step = step_;
  }
  Status written = file_->Append(FormatRecord(record));
  Reach(Boundary::kBeforeSync);
  if (written) written = file_->Sync();
  if (!written) {
    broken_ = std::move(written).error().WithContext("writing the journal");
    return Fail(*broken_);
  }
  records_.push_back(std::move(record));
  return {};
}

std::optional<Error> Journal::Broken() const {
  const std::scoped_lock lock(mutex_);
  return broken_;
}

void Journal::SetPhase(std::string phase) {
  const std::scoped_lock lock(mutex_);
  phase_ = std::move(phase);
}

void Journal::SetStep(std::string step) {
  const std::scoped_lock lock(mutex_);
  step_ = std::move(step);
}

Status Begin(Journal& journal, const std::string& plan_hash) {
  Record record;
  record.type = RecordType::kRunStarted;
  record.evidence = {{"format", std::to_string(kJournalFormat)},
                     {"plan_hash", plan_hash},
                     {"tool_version", MU_VERSION}};
  return journal.Append(std::move(record));
}

Status Finish(Journal& journal, const std::string& outcome, ExitCode exit_code) {
  Record record;
  record.type = RecordType::kRunEnded;
  record.evidence = {{"outcome", outcome}};
  record.exit_code = static_cast<int>(exit_code);
  return journal.Append(std::move(record));
}

ports::CommandLog CommandLogInto(Journal& journal) {
  return [&journal](const ports::CommandRecord& command) {
    Record record;
    record.type = RecordType::kCommand;
    record.argv = command.argv;
    record.exit_code = command.exit_code;
    record.took = command.took;
    if (!command.err_tail.empty()) record.evidence["stderr"] = Tail(Printable(command.err_tail), 5);
    if (!command.failure.empty()) record.evidence["failure"] = command.failure;
    (void)journal.Append(std::move(record));
  };
}

}  // namespace mu::run
