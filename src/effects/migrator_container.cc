// SPDX-License-Identifier: Apache-2.0
#include "effects/migrator_container.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/plan/migration_input.h"
#include "milvus_upgrade/run/helper_container.h"

namespace mu::effects {
namespace {

// Where the document's own command has them.
constexpr char kProgram[] = "/milvus/bin/meta-migration";
constexpr char kConfig[] = "/milvus/configs/migrate.yaml";

constexpr Millis kLook{500};
constexpr Millis kEarly{5'000};
// After it has said that it exits; it then goes on to its end, and some never exit (ground.md 4).
constexpr Millis kSaidExit{2'000};
constexpr std::size_t kMaxLog = 16u << 20;

// Colours and cursor movements; the tool prints them without a terminal as well.
std::string WithoutColours(std::string_view line) {
  std::string plain;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\x1b') {
      plain += line[i];
      continue;
    }
    while (i + 1 < line.size() && std::isalpha(static_cast<unsigned char>(line[i + 1])) == 0) ++i;
    ++i;
  }
  return plain;
}

bool IsComplaint(std::string_view line) {
  for (const char* word : {"panic", "error", "fail", "exit migration", "other migration"}) {
    if (line.find(word) != std::string_view::npos) return true;
  }
  return false;
}

// What the container says, kept in a file up to a size, and what it says of itself.
class Output {
 public:
  Output(ports::AppendFile& file, ports::Clock& clock) : file_(file), clock_(clock) {}

  void Take(std::string_view raw) {
    ++lines_;
    const std::string line = WithoutColours(raw);
    if (bytes_ < kMaxLog) {
      bytes_ += line.size() + 1;
      // A log that cannot be kept is no reason to stop a migration in its middle.
      if (!file_.Append(line + "\n")) bytes_ = kMaxLog;
    }
    if (Trim(line).empty()) return;
    last_ = line.substr(0, 500);
    if (line.starts_with("goroutine ") || line.starts_with("\t")) return;
    // The last lines of our own image say less than the error before them.
    if (line.starts_with("next: ") || line.starts_with("failed: exit code")) return;
    if (IsComplaint(ToLower(line.substr(0, 500)))) complaint_ = last_;
    if (line.find("exit migration") != std::string::npos && !said_exit_)
      said_exit_ = clock_.Monotonic();
  }

  std::size_t Lines() const { return lines_; }
  const std::string& Last() const { return last_; }
  // The line that tells why, for people.
  std::string Why() const {
    return Printable(!complaint_.empty() ? complaint_ : last_.empty() ? "it said nothing" : last_);
  }
  std::optional<Millis> SaidExit() const { return said_exit_; }

 private:
  ports::AppendFile& file_;
  ports::Clock& clock_;
  std::size_t lines_ = 0;
  std::size_t bytes_ = 0;
  std::string last_;
  std::string complaint_;
  std::optional<Millis> said_exit_;
};

// Looks at the running migration twice a second, and says why it must be killed, if it must.
class Watch {
 public:
  Watch(const EffectPorts& ports, ports::EtcdClient& etcd, const meta::Scope& meta, Output& output,
        Millis deadline, std::string lock_record, run::StepScope& scope)
      : ports_(ports),
        etcd_(etcd),
        meta_(meta),
        output_(output),
        deadline_(deadline),
        lock_record_(std::move(lock_record)),
        scope_(scope),
        start_(ports.clock.Monotonic()) {}

  bool MustDie() {
    const Millis now = ports_.clock.Monotonic();
    // Until its lock is seen it is looked for often: a short migration may leave it behind, and one
    // that is not known to be its own is waited for (a minute).
    const bool is_early = recorded_ == 0 && now - start_ < kEarly;
    if (!is_early && now - last_look_ < kLook) return !why_.empty();
    last_look_ = now;
    if (now - start_ > deadline_)
      why_ = fmt::format("it did not end within {}", FormatDuration(now - start_));
    if (output_.SaidExit() && now - *output_.SaidExit() > kSaidExit)
      why_ = "it said that it exits and did not";
    if (scope_.IsInterrupted()) why_ = "a second signal asked to stop now";
    LookAtSessions();
    if (now - told_ >= Millis(1'000)) {
      told_ = now;
      scope_.Waiting(output_.Last().empty() ? "the migration runs" : Printable(output_.Last()));
    }
    return !why_.empty();
  }
  const std::string& Why() const { return why_; }

 private:
  // The lock of our migrator is recorded, so that it can be released once that is dead; a Milvus
  // that registers spoils what is being written.
  void LookAtSessions() {
    const std::string sessions = meta_.Sessions();
    const auto page = etcd_.GetPage({sessions, model::EndOfPrefix(sessions), 0, 0, false});
    if (!page) return;  // it is for the migration to say what it makes of that
    for (const model::KeyValue& kv : page->kvs) {
      if (kv.key == meta_.MigrationLock()) {
        Record(kv);
      } else if (kv.lease != 0) {
        why_ = fmt::format("a Milvus registered {} while it ran", kv.key);
      }
    }
  }

  void Record(const model::KeyValue& lock) {
    if (lock_record_.empty() || lock.create_revision == recorded_) return;
    recorded_ = lock.create_revision;
    const boost::json::object record{{"lease", lock.lease},
                                     {"create_revision", lock.create_revision}};
    // Without a record the lock is waited for.
    (void)ports_.files.Replace(lock_record_, boost::json::serialize(record) + "\n", 0600);
  }

  const EffectPorts& ports_;
  ports::EtcdClient& etcd_;
  meta::Scope meta_;
  Output& output_;
  Millis deadline_;
  std::string lock_record_;
  run::StepScope& scope_;
  Millis start_;
  Millis last_look_{-10'000};
  Millis told_{0};
  std::int64_t recorded_ = 0;
  std::string why_;
};

// The file that the tool gets, with what TLS needs beside it.
Result<std::vector<ports::FileInside>> FilesFor(const EffectPorts& ports,
                                                const plan::Migration& migration,
                                                const MigrationTarget& target) {
  MU_TRY(config::MigrateYaml yaml, plan::MigrateYamlOf(migration));
  yaml.endpoints = target.endpoints;
  std::vector<ports::FileInside> files;
  if (!migration.migrate_file.empty() && !target.is_scratch) {
    MU_TRY(const std::string text, ports.files.Read(migration.migrate_file));
    MU_TRY(const std::string sha256, ports.files.Sha256Of(migration.migrate_file));
    if (sha256 != migration.migrate_sha256)
      return Fail(ErrorCode::kFileChanged,
                  migration.migrate_file + " was changed since the plan was made");
    MU_TRY(const auto given, config::ParseMigrateYaml(text, migration.migrate_file));
    yaml.tls = given.tls;
    yaml.user = given.user;
    yaml.password = given.password;
    for (std::string* path : {&yaml.tls.certificate, &yaml.tls.key, &yaml.tls.authority}) {
      if (!yaml.tls.is_enabled || path->empty()) continue;
      // Meant from the folder of the file, as the checks take it.
      const auto folder = std::filesystem::path(migration.migrate_file).parent_path();
      MU_TRY(std::string bytes, ports.files.Read((folder / *path).lexically_normal().string()));
      *path = fmt::format("/milvus/configs/tls-{}.pem", files.size());
      files.push_back({*path, std::move(bytes)});
    }
  }
  files.push_back({kConfig, config::FormatMigrateYaml(yaml, config::Secrets::kWritten)});
  return files;
}

// Removes the container whatever happens.
class Job {
 public:
  Job(ports::Docker& docker, ports::JobSpec spec) : docker_(docker), spec_(std::move(spec)) {}
  ~Job() { (void)docker_.Remove(spec_.name, true); }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  Status Make(const std::vector<ports::FileInside>& files) {
    MU_CHECK(docker_.CreateJob(spec_));
    return docker_.CopyIn(spec_.name, files);
  }
  // An engine that cannot start it for what it has no need of: docker-init is not installed, or the
  // kernel has no weights for disks. False when it was neither.
  bool CanDoWithLess(const Error& error) {
    if (IsAboutWeight(error) && spec_.is_gentle) return !(spec_.is_gentle = false);
    if (error.message.find("docker-init") == std::string::npos || !spec_.has_init) return false;
    return !(spec_.has_init = false);
  }
  Status MakeAgain(const std::vector<ports::FileInside>& files) {
    MU_CHECK(docker_.Remove(spec_.name, true));
    return Make(files);
  }
  const std::string& Name() const { return spec_.name; }

 private:
  ports::Docker& docker_;
  ports::JobSpec spec_;
};

std::string MeaningOf(int exit_code) {
  switch (exit_code) {
    case 1:
      return "it refused what it was given, or found a session";
    case 2:
      return "it panicked, or could not use its configuration";
    case 100:
      return "a backup or rollback of its own failed";
    default:
      return "it was killed or broke down";
  }
}

}  // namespace

Result<run::Evidence> RunInContainer(const EffectPorts& ports, const plan::Migration& migration,
                                     const MigrationTarget& target, std::size_t keys,
                                     const std::string& log, const std::string& lock_record,
                                     run::StepScope& scope) {
  const meta::Scope meta = ScopeOf(migration);
  MU_TRY(const auto etcd, ports.etcd_clients.Of(target.etcd_container));
  MU_TRY(const ports::KeyPage lock, etcd->GetPage({meta.MigrationLock(), "", 0, 0, false}));
  if (!lock.kvs.empty() && !target.is_scratch)
    return Fail(ErrorCode::kMigrationRunning,
                fmt::format("another migration holds {}", meta.MigrationLock()));
  ports::JobSpec spec;
  spec.name = HelperName(target.is_scratch ? "rehearsal" : "migration", migration.project);
  spec.image = migration.image;
  spec.network = target.network;
  spec.argv = {kProgram, std::string("-config=") + kConfig};
  spec.labels = {{run::kHelperLabel, migration.project}};
  if (!target.is_scratch) spec.labels[run::kMigratorLabel] = migration.project;
  const std::string& folder = scope.RunFolder();
  spec.labels["milvus-upgrade.of-run"] = folder.substr(folder.rfind('/') + 1);
  spec.has_init = true;
  spec.is_gentle = target.is_scratch;
  Job job(ports.docker, spec);
  (void)ports.docker.Remove(job.Name(), true);
  // What the stack's own migration needs is looked at in its rehearsal: not first in the outage.
  if (target.is_scratch) MU_CHECK(FilesFor(ports, migration, {"", "", target.endpoints, false}));
  MU_TRY(const auto files, FilesFor(ports, migration, target));
  MU_CHECK(job.Make(files));

  MU_TRY(const auto log_file, ports.files.OpenAppend(log, 0600));
  Output output(*log_file, ports.clock);
  const Millis start = ports.clock.Monotonic();
  Watch watch(ports, *etcd, meta, output, DeadlineOf(keys, migration.has_tool_backup), lock_record,
              scope);
  const auto run = [&] {
    return ports.docker.RunJob(
        job.Name(), [&](std::string_view line) { output.Take(line); },
        [&] { return watch.MustDie(); });
  };
  auto ended = run();
  while (!ended && job.CanDoWithLess(ended.error())) {
    MU_CHECK(job.MakeAgain(files));
    ended = run();
  }
  const std::string took = FormatDuration(ports.clock.Monotonic() - start);
  const auto fail = [&](const std::string& what) {
    return Fail(ErrorCode::kMigrationFailed,
                fmt::format("the migration by {} failed after {}: {}; it said: {}", migration.image,
                            took, what, output.Why()),
                "its output is in " + log);
  };
  // The stop is ours and not the image's fault: it is put back and done anew.
  if (scope.IsInterrupted() && (!ended || *ended != 0 || !watch.Why().empty()))
    return Fail(
        ErrorCode::kInterrupted,
        fmt::format("a second signal stopped the migration by {} after {}", migration.image, took),
        "its output is in " + log);
  if (!ended && ended.error().code == ErrorCode::kContainerFailed)
    return fail("it cannot be started: " + ended.error().message);
  if (!ended) return fail(ended.error().message);
  if (!watch.Why().empty()) return fail(watch.Why());
  if (output.SaidExit()) return fail("it gave up because a session came or went");
  if (*ended != 0) return fail(fmt::format("exit code {}: {}", *ended, MeaningOf(*ended)));
  run::Evidence evidence{{"engine", migration.image},
                         {"exit_code", "0"},
                         {"took", took},
                         {"lines", std::to_string(output.Lines())},
                         {"log", log}};
  if (migration.has_tool_backup) {
    const std::string tar = log + ".backup.tar";
    if (const Status copied = ports.docker.CopyOut(job.Name(), plan::kToolBackup, tar); copied)
      evidence["tool_backup"] = tar;
  }
  return evidence;
}

}  // namespace mu::effects
