// SPDX-License-Identifier: Apache-2.0
#include "migrate/backup_read.h"

#include <fmt/format.h>

#include <utility>

#include "milvus_upgrade/backup/backup_file.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/meta/convert.h"
#include "milvus_upgrade/migrate/migrator.h"

namespace mu::migrate {
namespace {

Status CheckSha256(ports::Files& files, const std::string& file, SavedKeys* saved) {
  const std::string beside = Sha256FileOf(file);
  MU_TRY(const auto facts, files.Stat(beside));
  if (!facts) return {};
  MU_TRY(const std::string text, files.Read(beside));
  MU_TRY(const std::string now, files.Sha256Of(file));
  if (text.substr(0, now.size()) != now)
    return Fail(
        ErrorCode::kBackupBad,
        fmt::format("{} is not what it was when it was made: its SHA-256 is {}, and {} says "
                    "{}",
                    file, now, beside, Printable(Trim(text))),
        "restore the file from a copy; a file of other origin has no such neighbour");
  saved->has_sha256 = true;
  return {};
}

}  // namespace

std::vector<model::KeyValue> SavedKeys::Listed() const {
  std::vector<model::KeyValue> kvs;
  kvs.reserve(keys.size());
  for (const auto& [key, value] : keys) kvs.push_back({key, value, 0, 0, 0});
  return kvs;
}

std::string Sha256FileOf(const std::string& file) { return file + ".sha256"; }

Status WriteSha256(ports::Files& files, const std::string& file, const std::string& sha256) {
  const std::string name = file.substr(file.rfind('/') + 1);
  return files.Replace(Sha256FileOf(file), sha256 + "  " + name + "\n", 0600);
}

Result<SavedKeys> ReadBackup(ports::Files& files, const meta::Scope& scope, const std::string& file,
                             Empty empty) {
  MU_TRY(const auto facts, files.Stat(file));
  if (!facts)
    return Fail(ErrorCode::kFileRead, fmt::format("{} is not there", file),
                "correct config.backupFilePath");
  if (facts->is_folder)
    return Fail(ErrorCode::kFileRead, fmt::format("{} is a folder, not a backup file", file));
  if (facts->bytes == 0) return Fail(ErrorCode::kBackupBad, fmt::format("{} is empty", file));
  SavedKeys saved;
  backup::Decoder decoder(
      [&](const backup::Header& header) -> Status {
        if (header.instance == scope.root && header.meta_path == scope.meta) return {};
        return Fail(ErrorCode::kForeignBackup,
                    fmt::format("{} is a backup of {}/{}, and the metadata is {}/{}", file,
                                Printable(header.instance), Printable(header.meta_path), scope.root,
                                scope.meta));
      },
      [&](backup::Entry entry) -> Status {
        if (!scope.Holds(entry.key)) {
          saved.ignored.push_back(std::move(entry.key));
          return {};
        }
        if (entry.key == scope.Marker()) return {};
        const auto [it, is_new] = saved.keys.emplace(std::move(entry.key), std::move(entry.value));
        if (is_new) return {};
        return Fail(ErrorCode::kBackupBad, fmt::format("{} holds {} twice", file, it->first));
      });
  MU_CHECK(files.ReadParts(file, [&](std::string_view part) { return decoder.Feed(part); }));
  MU_CHECK(decoder.Finish());
  MU_CHECK(CheckSha256(files, file, &saved));
  switch (meta::GenerationOf(saved.Listed(), scope)) {
    case meta::Generation::k21:
      return saved;
    case meta::Generation::kEmpty:
      if (empty == Empty::kMayBe) return saved;
      return Fail(ErrorCode::kBackupBad, fmt::format("{} holds no metadata of Milvus", file));
    case meta::Generation::k22:
    case meta::Generation::kMixed:
      break;
  }
  return Fail(ErrorCode::kBackupBad,
              fmt::format("{} holds metadata of 2.2, which is nothing to go back to: it was made "
                          "after the migration",
                          file));
}

}  // namespace mu::migrate
