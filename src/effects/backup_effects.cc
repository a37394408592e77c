// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json.hpp>

#include "effects/parts.h"
#include "milvus_upgrade/backup/backup_file.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/migrate/migrator.h"

namespace mu::effects {
namespace {

// A backup is whole when the note beside it exists: the note is written last, after the file was
// synced and checked.
// {"bytes":..., "sha256":"...", "revision":..., "keys":...}
struct Note {
  std::uint64_t bytes = 0;
  std::string sha256;
  std::int64_t revision = 0;
  std::int64_t keys = 0;
};

class Notes {
 public:
  explicit Notes(ports::Files& files) : files_(files) {}

  Result<std::optional<Note>> Load(const std::string& file) {
    MU_TRY(const auto facts, files_.Stat(file + ".json"));
    if (!facts) return std::nullopt;
    MU_TRY(const std::string text, files_.Read(file + ".json"));
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(text, error);
    if (error || !value.is_object())
      return Fail(ErrorCode::kBackupBad, file + ".json is not a backup's note");
    const boost::json::object& object = value.as_object();
    Note note;
    note.bytes = object.contains("bytes") ? object.at("bytes").to_number<std::uint64_t>(error) : 0;
    note.sha256 =
        object.contains("sha256") ? std::string(object.at("sha256").as_string()) : std::string();
    note.revision =
        object.contains("revision") ? object.at("revision").to_number<std::int64_t>(error) : 0;
    note.keys = object.contains("keys") ? object.at("keys").to_number<std::int64_t>(error) : 0;
    return note;
  }

  Status Save(const std::string& file, const Note& note) {
    boost::json::object object;
    object["bytes"] = note.bytes;
    object["sha256"] = note.sha256;
    object["revision"] = note.revision;
    object["keys"] = note.keys;
    return files_.Create(file + ".json", boost::json::serialize(object) + "\n", 0600);
  }

  // What a cut attempt left: no note, so not a backup.
  Status Clear(const std::string& file) {
    for (const std::string& path : {file, file + ".json", migrate::Sha256FileOf(file)}) {
      MU_TRY(const auto facts, files_.Stat(path));
      if (facts) MU_CHECK(files_.RemoveTree(path));
    }
    return files_.MakeFolders(file.substr(0, file.rfind('/')), 0700);
  }

  // The note, when the file is still what it says.
  Result<std::optional<run::Evidence>> Whole(const std::string& file) {
    MU_TRY(const auto note, Load(file));
    if (!note) return std::nullopt;
    MU_TRY(const std::string sha256, files_.Sha256Of(file));
    if (sha256 != note->sha256) {
      return Fail(ErrorCode::kBackupBad,
                  fmt::format("{} is not what was written (SHA-256 {} instead of {})", file,
                              sha256.substr(0, 12), note->sha256.substr(0, 12)));
    }
    run::Evidence evidence{
        {"file", file}, {"bytes", std::to_string(note->bytes)}, {"sha256", note->sha256}};
    if (note->revision != 0) evidence["revision"] = std::to_string(note->revision);
    if (note->keys != 0) evidence["keys"] = std::to_string(note->keys);
    return evidence;
  }

 private:
  ports::Files& files_;
};

// The shape that the three backups share: a file and its note in the run folder.
class BackupEffect : public run::Effect {
 public:
  explicit BackupEffect(ports::Files& files) : files_(files), notes_(files) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step,
                                            run::StepScope& scope) override {
    return notes_.Whole(PathOf(step, scope));
  }

  Status Act(const plan::Step& step, run::StepScope& scope) override {
    const std::string file = PathOf(step, scope);
    MU_CHECK(notes_.Clear(file));
    MU_TRY(const Note note, Write(step, file));
    return notes_.Save(file, note);
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override {
    MU_TRY(auto whole, notes_.Whole(PathOf(step, scope)));
    if (whole) return *whole;
    return Fail(ErrorCode::kBackupBad, "the backup is gone from the run folder");
  }

 protected:
  std::string PathOf(const plan::Step& step, run::StepScope& scope) const {
    return scope.RunFolder() + "/" + FileOf(step);
  }
  ports::Files& files_;

 private:
  virtual std::string FileOf(const plan::Step& step) const = 0;
  virtual Result<Note> Write(const plan::Step& step, const std::string& file) = 0;
  Notes notes_;
};

class SnapshotEffect : public BackupEffect {
 public:
  SnapshotEffect(ports::Files& files, ports::Etcd& etcd) : BackupEffect(files), etcd_(etcd) {}

 private:
  std::string FileOf(const plan::Step& step) const override {
    return std::get<plan::SaveSnapshot>(step.args).file;
  }
  Result<Note> Write(const plan::Step& step, const std::string& file) override {
    MU_TRY(const auto snapshot,
           etcd_.SaveSnapshot(std::get<plan::SaveSnapshot>(step.args).etcd_container, file));
    return Note{snapshot.bytes, snapshot.sha256, snapshot.revision, 0};
  }
  ports::Etcd& etcd_;
};

class KeysEffect : public BackupEffect {
 public:
  KeysEffect(ports::Files& files, ports::Etcd& etcd) : BackupEffect(files), etcd_(etcd) {}

  // Where a Milvus has run since it was made at rest, it is of the past.
  Result<std::optional<run::Evidence>> Seen(const plan::Step& step,
                                            run::StepScope& scope) override {
    MU_TRY(auto whole, BackupEffect::Seen(step, scope));
    const auto& args = std::get<plan::BackupKeys>(step.args);
    if (!whole || !args.is_at_rest) return whole;
    const Status verified = Verify(args, PathOf(step, scope), 0);
    if (verified) return whole;
    if (verified.error().code == ErrorCode::kBackupBad) return std::nullopt;
    return Fail(verified.error());
  }

 private:
  std::string FileOf(const plan::Step& step) const override {
    return std::get<plan::BackupKeys>(step.args).file;
  }

  Result<Note> Write(const plan::Step& step, const std::string& file) override {
    const auto& args = std::get<plan::BackupKeys>(step.args);
    MU_TRY(const model::KeyRange range,
           etcd_.GetPrefix(args.etcd_container, args.prefix, ports::KeysOnly::kNo, 0));
    std::vector<backup::Entry> entries;
    for (const model::KeyValue& kv : range.kvs) {
      if (kv.lease == 0) entries.push_back({kv.key, kv.value});
    }
    backup::Header header;
    header.instance = args.root_path;
    header.meta_path = args.meta_path;
    header.entries = static_cast<std::int64_t>(entries.size());
    MU_CHECK(files_.Create(file, backup::Format(header, entries), 0600));
    MU_CHECK(Verify(args, file, range.revision));
    MU_TRY(const std::string bytes, files_.Read(file));
    const std::string sha256 = Sha256(bytes);
    // A restore, whoever makes it, looks at it first.
    MU_CHECK(migrate::WriteSha256(files_, file, sha256));
    return Note{bytes.size(), sha256, range.revision, header.entries};
  }

  // Reads the file back from the disk and compares it with etcd at that revision, 0 for now.
  Status Verify(const plan::BackupKeys& args, const std::string& file, std::int64_t revision) {
    MU_TRY(const std::string bytes, files_.Read(file));
    MU_TRY(const backup::Contents contents, backup::Parse(bytes));
    MU_TRY(const model::KeyRange live,
           etcd_.GetPrefix(args.etcd_container, args.prefix, ports::KeysOnly::kNo, revision));
    std::map<std::string, std::string> in_file;
    for (const backup::Entry& entry : contents.entries) in_file[entry.key] = entry.value;
    std::size_t count = 0;
    for (const model::KeyValue& kv : live.kvs) {
      if (kv.lease != 0) continue;
      ++count;
      const auto it = in_file.find(kv.key);
      if (it == in_file.end() || it->second != kv.value) {
        return Fail(ErrorCode::kBackupBad,
                    fmt::format("{} is not in the backup as it is in etcd", kv.key));
      }
    }
    if (count == in_file.size() && count == contents.entries.size()) return {};
    return Fail(ErrorCode::kBackupBad,
                fmt::format("the backup has {} entries, etcd {} keys at revision {}",
                            contents.entries.size(), count, live.revision));
  }

  ports::Etcd& etcd_;
};

class QueueEffect : public BackupEffect {
 public:
  QueueEffect(ports::Files& files, ports::Docker& docker) : BackupEffect(files), docker_(docker) {}

 private:
  std::string FileOf(const plan::Step& step) const override {
    return std::get<plan::BackupQueue>(step.args).file;
  }
  Result<Note> Write(const plan::Step& step, const std::string& file) override {
    const auto& args = std::get<plan::BackupQueue>(step.args);
    MU_CHECK(docker_.CopyOut(args.container.name, args.folder, file));
    MU_TRY(const auto facts, files_.Stat(file));
    MU_TRY(const std::string sha256, files_.Sha256Of(file));
    return Note{facts ? facts->bytes : 0, sha256, 0, 0};
  }
  ports::Docker& docker_;
};

}  // namespace

void AddBackupEffects(const EffectPorts& ports, EffectMap* effects) {
  (*effects)[plan::StepKind::kSaveSnapshot] =
      std::make_unique<SnapshotEffect>(ports.files, ports.etcd);
  (*effects)[plan::StepKind::kBackupKeys] = std::make_unique<KeysEffect>(ports.files, ports.etcd);
  (*effects)[plan::StepKind::kBackupQueue] =
      std::make_unique<QueueEffect>(ports.files, ports.docker);
}

}  // namespace mu::effects
