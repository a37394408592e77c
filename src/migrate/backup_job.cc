// SPDX-License-Identifier: Apache-2.0
#include "migrate/backup_job.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "migrate/backup_read.h"
#include "migrate/scope_reader.h"
#include "milvus_upgrade/backup/backup_file.h"

namespace mu::migrate {
namespace {

constexpr int kRestarts = 5;
constexpr std::size_t kFlushBytes = 1 << 20;
constexpr std::size_t kProgressKeys = 5'000;

// The next key that belongs into the backup.
Result<std::optional<model::KeyValue>> NextOf(ScopeReader& reader,
                                              const std::set<std::string>& left_out) {
  for (;;) {
    MU_TRY(auto next, reader.Next());
    if (!next || !left_out.contains(next->key)) return next;
  }
}

}  // namespace

Result<BackupFacts> BackupJob::Save() {
  for (int i = 0;; ++i) {
    auto saved = SaveAt(0);
    if (saved || saved.error().code != ErrorCode::kEtcdCompacted || i == kRestarts) return saved;
    listener.Note("etcd was compacted while its keys were read; reading again");
  }
}

Result<BackupFacts> BackupJob::SaveAt(std::int64_t revision) {
  if (scope.root.empty() || file.empty())
    return Fail(ErrorCode::kInvalidInput, "the backup has no file name");
  MU_TRY(const auto existing, files.Stat(file));
  if (existing) return Reuse(existing->is_folder);
  // The count stands in front of the entries, so the keys are walked once without their values.
  backup::Header header{scope.root, scope.meta};
  ScopeReader counter(etcd, patience, scope, revision, true);
  for (;;) {
    MU_TRY(const auto next, NextOf(counter, left_out));
    if (!next) break;
    ++header.entries;
  }
  MU_TRY(const auto out, files.BeginNew(file, 0600));
  std::string bytes = backup::FormatHeader(header);
  ScopeReader reader(etcd, patience, scope, counter.Revision(), false);
  for (std::int64_t keys = 0;; ++keys) {
    MU_TRY(auto next, NextOf(reader, left_out));
    if (!next) break;
    bytes += backup::FormatEntry({std::move(next->key), std::move(next->value)});
    if (bytes.size() >= kFlushBytes) {
      MU_CHECK(out->Append(bytes));
      bytes.clear();
    }
    if (keys % kProgressKeys == 0)
      listener.Progress("saving the keys", static_cast<std::size_t>(keys),
                        static_cast<std::size_t>(header.entries));
  }
  MU_CHECK(out->Append(bytes));
  MU_CHECK(out->Commit());
  auto facts = Verify(counter.Revision());
  if (!facts) {
    MU_CHECK(files.RemoveTree(file));  // ours, of a moment ago, and of no use to anyone
    return facts;
  }
  MU_CHECK(WriteSha256(files, file, facts->sha256));
  return facts;
}

// That of an earlier try, after which all was put back: it is a backup of just this, or it is none.
Result<BackupFacts> BackupJob::Reuse(bool is_folder) {
  auto facts =
      is_folder ? Result<BackupFacts>(Fail(ErrorCode::kBackupBad, "it is a folder")) : Verify(0);
  if (!facts && facts.error().code == ErrorCode::kBackupBad)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} is there already; a backup is never written over anything", file),
                "name another file in config.backupFilePath, or move that one away");
  if (facts) MU_CHECK(WriteSha256(files, file, facts->sha256));
  return facts;
}

Result<BackupFacts> BackupJob::Verify(std::int64_t revision) {
  BackupFacts facts{file, 0, 0, "", revision};
  bool has_collections = false;
  bool has_segments = false;
  ScopeReader reader(etcd, patience, scope, revision, false);
  backup::Decoder decoder(
      [&](const backup::Header& header) -> Status {
        if (header.instance == scope.root && header.meta_path == scope.meta) return {};
        return Fail(ErrorCode::kBackupBad, "the backup's header names another instance");
      },
      [&](const backup::Entry& entry) -> Status {
        MU_TRY(const auto live, NextOf(reader, left_out));
        if (!live || live->key != entry.key || live->value != entry.value) {
          return Fail(ErrorCode::kBackupBad,
                      fmt::format("{} in the backup is not what etcd has at revision {}", entry.key,
                                  revision));
        }
        has_collections =
            has_collections || entry.key.starts_with(scope.Prefix() + "root-coord/collection/");
        has_segments = has_segments || entry.key.starts_with(scope.Prefix() + "datacoord-meta/s/");
        ++facts.keys;
        if (static_cast<std::size_t>(facts.keys) % kProgressKeys == 0)
          listener.Progress("comparing the backup", static_cast<std::size_t>(facts.keys), 0);
        return {};
      });
  MU_CHECK(files.ReadParts(file, [&](std::string_view part) {
    facts.bytes += part.size();
    return decoder.Feed(part);
  }));
  MU_CHECK(decoder.Finish());
  MU_TRY(const auto rest, NextOf(reader, left_out));
  if (rest) return Fail(ErrorCode::kBackupBad, fmt::format("{} is not in the backup", rest->key));
  if (has_segments && !has_collections)
    return Fail(ErrorCode::kBackupBad,
                "the backup has segments and no collection: this is not a whole Milvus");
  MU_TRY(facts.sha256, files.Sha256Of(file));
  facts.revision = reader.Revision();
  return facts;
}

}  // namespace mu::migrate
