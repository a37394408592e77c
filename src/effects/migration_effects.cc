// SPDX-License-Identifier: Apache-2.0
// The rehearsal on a copy, the migration itself, its proof, and the way back.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "effects/scratch_etcd.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/effects/migrator.h"
#include "milvus_upgrade/meta/judge.h"
#include "milvus_upgrade/migrate/migrator.h"
#include "milvus_upgrade/run/wait.h"

namespace mu::effects {
namespace {

constexpr char kLockRecord[] = "/migrator-lock.json";
constexpr Millis kLockLasts{70'000};  // the tool's lease is of 60 s (ground.md 4)

using Keys = std::vector<model::KeyValue>;

std::string Few(std::vector<std::string> lines) {
  const std::size_t count = lines.size();
  if (count > 5) {
    lines.resize(5);
    lines.push_back(fmt::format("and {} more", count - 5));
  }
  for (std::string& line : lines) line = Printable(line);
  return Join(lines, "; ");
}

// The counts that people compare.
run::Evidence EvidenceOf(const meta::Judgement& judgement) {
  const meta::Summary& summary = judgement.summary;
  run::Evidence evidence{{"collections", std::to_string(summary.collections)},
                         {"partitions", std::to_string(summary.partitions)},
                         {"indexes", std::to_string(summary.indexes)},
                         {"segments", std::to_string(summary.segments)},
                         {"segment_indexes", std::to_string(summary.segment_indexes)},
                         {"aliases", std::to_string(summary.aliases)},
                         {"loaded_collections", std::to_string(summary.loaded_collections)},
                         {"loaded_partitions", std::to_string(summary.loaded_partitions)}};
  std::vector<std::string> again;
  for (const meta::LoadedAgain& item : summary.needs_load) again.push_back(item.name);
  if (!again.empty()) evidence["load_again"] = Join(again, ", ");
  if (!judgement.remarks.empty()) evidence["remarks"] = Few(judgement.remarks);
  return evidence;
}

class RehearseEffect : public run::Effect {
 public:
  explicit RehearseEffect(const EffectPorts& ports) : ports_(ports) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step,
                                            run::StepScope& scope) override {
    const std::string report = ReportOf(step, scope);
    MU_TRY(const auto facts, ports_.files.Stat(report));
    if (!facts) return std::nullopt;
    MU_TRY(const std::string text, ports_.files.Read(report));
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(text, error);
    if (error || !value.is_object())
      return Fail(ErrorCode::kFileRead, report + " is not the report of a rehearsal");
    run::Evidence evidence;
    for (const auto& item : value.as_object()) {
      if (item.value().is_string())
        evidence[std::string(item.key())] = std::string(item.value().as_string());
    }
    return evidence;
  }

  Status Act(const plan::Step& step, run::StepScope& scope) override {
    auto evidence = Rehearse(std::get<plan::RehearseMigration>(step.args), scope);
    if (!evidence) return Fail(Refusal(std::move(evidence).error()));
    MU_CHECK(scope.Event("rehearsed", *evidence));
    boost::json::object object;
    for (const auto& [name, value] : *evidence) object[name] = value;
    return ports_.files.Create(ReportOf(step, scope), boost::json::serialize(object) + "\n", 0600);
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override {
    MU_TRY(const auto seen, Seen(step, scope));
    if (seen) return *seen;
    return Fail(ErrorCode::kFileRead, "the rehearsal's report is gone from the run folder");
  }

 private:
  static std::string ReportOf(const plan::Step& step, run::StepScope& scope) {
    return scope.RunFolder() + "/" + std::get<plan::RehearseMigration>(step.args).report;
  }

  // What goes wrong with the migration is a refusal; that an engine is away, or a signal, is not.
  static Error Refusal(Error error) {
    switch (error.code) {
      case ErrorCode::kInterrupted:
      case ErrorCode::kDockerDown:
      case ErrorCode::kDiskFull:
      case ErrorCode::kMetaUnconvertible:
        return error;
      default:
        error.code = ErrorCode::kRehearsalFailed;
        error.message = "on a copy of the metadata, " + error.message;
        return error;
    }
  }

  Result<run::Evidence> Rehearse(const plan::RehearseMigration& args, run::StepScope& scope) {
    const plan::Migration& migration = args.migration;
    const meta::Scope meta = ScopeOf(migration);
    const Millis start = ports_.clock.Monotonic();
    MU_TRY(const auto scratch,
           ScratchEtcd::Start(ports_, migration.project, migration.etcd_container,
                              scope.RunFolder() + "/" + args.snapshot, meta, scope));
    StepInterrupts interrupts(scope);
    const auto read = [&] {
      return migrate::KeysOf(scratch->Client(), ports_.clock, interrupts, meta, kEtcdPatience);
    };
    MU_TRY(const Keys before, read());
    MU_TRY(const Keys others_before, Others(scratch->Client(), meta));
    const Millis ready = ports_.clock.Monotonic();
    MU_CHECK(RunMigration(ports_, migration, scratch->Target(), before.size(),
                          scope.RunFolder() + "/rehearsal.log", "", scope));
    const Millis ended = ports_.clock.Monotonic();
    MU_TRY(const Keys after, read());
    MU_TRY(meta::Judgement judgement, meta::JudgeMigration(before, after, meta));
    MU_TRY(const Keys others_after, Others(scratch->Client(), meta));
    if (others_before != others_after)
      judgement.problems.emplace_back("it wrote keys that are not of this metadata");
    if (!judgement.IsRight())
      return Fail(ErrorCode::kRehearsalFailed,
                  fmt::format("the migration by {} does not give what it must: {}",
                              migration.engine == plan::MigrationEngine::kBuiltin ? "this program"
                                                                                  : migration.image,
                              Few(judgement.problems)));
    run::Evidence evidence = EvidenceOf(judgement);
    evidence["keys"] = std::to_string(before.size());
    evidence["keys_after"] = std::to_string(after.size());
    evidence["copy_took"] = FormatDuration(ready - start);
    evidence["migration_took"] = FormatDuration(ended - ready);
    evidence["predicted_outage"] = FormatDuration(args.outage_besides + (ended - ready));
    return evidence;
  }

  // Everything else in the scratch etcd, which nobody but the migration writes to.
  static Result<Keys> Others(ports::EtcdClient& etcd, const meta::Scope& meta) {
    Keys others;
    ports::PageQuery query{"", model::EndOfPrefix(""), 0, 1'000, true};
    for (;;) {
      MU_TRY(const ports::KeyPage page, etcd.GetPage(query));
      for (const model::KeyValue& kv : page.kvs) {
        // A neighbour's sessions run out here: nobody renews them.
        if (!meta.Holds(kv.key) && kv.lease == 0) others.push_back(kv);
      }
      if (!page.has_more || page.kvs.empty()) return others;
      query.start = page.kvs.back().key + '\0';
    }
  }

  EffectPorts ports_;
};

// What the steps on the live metadata share: the backup that they go by, and etcd as it is now.
class LiveEffect : public run::Effect {
 public:
  explicit LiveEffect(const EffectPorts& ports) : ports_(ports) {}

 protected:
  Result<Keys> Live(const plan::Migration& migration, run::StepScope& scope) {
    MU_TRY(const auto etcd, ports_.etcd_clients.Of(migration.etcd_container));
    StepInterrupts interrupts(scope);
    return migrate::KeysOf(*etcd, ports_.clock, interrupts, ScopeOf(migration), kEtcdPatience);
  }

  Result<Keys> Backup(const plan::Migration& migration, const std::string& file,
                      run::StepScope& scope) {
    return migrate::KeysIn(ports_.files, ScopeOf(migration), scope.RunFolder() + "/" + file);
  }

  Result<meta::Judgement> Judge(const plan::Migration& migration, const Keys& before,
                                run::StepScope& scope) {
    MU_TRY(const Keys after, Live(migration, scope));
    return meta::JudgeMigration(before, after, ScopeOf(migration));
  }

  EffectPorts ports_;
};

class RestoreEffect : public LiveEffect {
 public:
  using LiveEffect::LiveEffect;

  // Never by a look alone: a migrator that still lives would write on.
  Result<std::optional<run::Evidence>> Seen(const plan::Step&, run::StepScope&) override {
    return std::nullopt;
  }

  Status Act(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::RestoreMetadata>(step.args);
    MU_CHECK(ProveMigratorsDead(ports_, args.migration, scope.RunFolder() + kLockRecord));
    MU_TRY(const auto etcd, ports_.etcd_clients.Of(args.migration.etcd_container));
    MU_CHECK(WaitForSessions(*etcd, step, ScopeOf(args.migration), scope));
    outcome_ = {};
    MU_TRY(const bool is_whole, IsAsInBackup(args, scope));
    if (is_whole) return {};  // the migration had not begun, or there was nothing to migrate
    migrate::Options options;
    options.scope = ScopeOf(args.migration);
    options.backup_file = scope.RunFolder() + "/" + args.backup;
    options.source = args.migration.source_version;
    options.target = args.migration.target_version;
    options.new_keys = migrate::NewKeys::kRemove;
    options.patience = kEtcdPatience;
    options.who = "milvus-upgrade rollback of " + args.migration.project;
    ToldToScope told(scope);
    StepInterrupts interrupts(scope);
    MU_TRY(
        outcome_,
        migrate::Migrator(*etcd, ports_.files, ports_.clock, interrupts, told, options).Rollback());
    return {};
  }

  // Every key, once more.
  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::RestoreMetadata>(step.args);
    MU_TRY(const bool is_whole, IsAsInBackup(args, scope));
    if (!is_whole)
      return Fail(ErrorCode::kMigrationLost,
                  fmt::format("etcd does not hold under {} what the backup has",
                              ScopeOf(args.migration).Prefix()));
    return run::Evidence{{"restored", std::to_string(outcome_.restored)},
                         {"removed", std::to_string(outcome_.removed)}};
  }

 private:
  Result<bool> IsAsInBackup(const plan::RestoreMetadata& args, run::StepScope& scope) {
    MU_TRY(const Keys wanted, Backup(args.migration, args.backup, scope));
    MU_TRY(const Keys now, Live(args.migration, scope));
    return std::equal(wanted.begin(), wanted.end(), now.begin(), now.end(),
                      [](const model::KeyValue& a, const model::KeyValue& b) {
                        return a.key == b.key && a.value == b.value;
                      });
  }

  // A Milvus that came up meanwhile would write on what is restored: it is waited for, by name.
  Status WaitForSessions(ports::EtcdClient& etcd, const plan::Step& step, const meta::Scope& meta,
                         run::StepScope& scope) {
    const std::string sessions = meta.Sessions();
    const auto look = [&]() -> Result<run::Observation> {
      MU_TRY(const ports::KeyPage page,
             etcd.GetPage({sessions, model::EndOfPrefix(sessions), 0, 0, false}));
      std::vector<std::string> left;
      for (const model::KeyValue& kv : page.kvs) {
        if (kv.lease != 0 && kv.key != meta.MigrationLock())
          left.push_back(kv.key + " " + Printable(kv.value));
      }
      return run::Observation{left.empty(), "a Milvus runs on this metadata: " + Join(left, ", ")};
    };
    return run::WaitFor("no session of Milvus", step.timeout, Millis(500), ports_.clock, scope,
                        look)
        .map([](const auto&) {});
  }

  migrate::RollbackOutcome outcome_;
};

class MigrateEffect : public LiveEffect {
 public:
  using LiveEffect::LiveEffect;

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step,
                                            run::StepScope& scope) override {
    const auto& args = std::get<plan::MigrateMetadata>(step.args);
    MU_TRY(const Keys before, Backup(args.migration, args.backup, scope));
    keys_ = before.size();
    MU_TRY(const meta::Judgement judgement, Judge(args.migration, before, scope));
    difference_ = Few(judgement.problems);
    if (!judgement.IsRight()) return std::nullopt;
    return run::Evidence{{"metadata", args.migration.target_version}};
  }

  Status Act(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::MigrateMetadata>(step.args);
    MU_TRY(evidence_, RunMigration(ports_, args.migration,
                                   {args.migration.etcd_container, args.migration.network,
                                    args.migration.endpoints, false},
                                   keys_, scope.RunFolder() + "/migration.log",
                                   scope.RunFolder() + kLockRecord, scope));
    return {};
  }

  // The step after it judges the keys, so that a wrong result is told as what it is.
  Result<run::Evidence> Confirm(const plan::Step&, run::StepScope&) override { return evidence_; }

  std::string Difference() const override { return difference_; }

  // The keys of the backup again, so that a migration that was cut can be made anew.
  Status Restore(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::MigrateMetadata>(step.args);
    plan::Step restore = step;
    restore.args = plan::RestoreMetadata{args.migration, args.backup};
    RestoreEffect effect(ports_);
    MU_CHECK(effect.Act(restore, scope));
    MU_CHECK(effect.Confirm(restore, scope));
    return WaitForLock(args.migration, scope);
  }

 private:
  // A migrator that was killed before its lock was recorded leaves it for as long as its lease
  // lasts. One that is held longer has a living holder: the migration says so.
  Status WaitForLock(const plan::Migration& migration, run::StepScope& scope) {
    MU_TRY(const auto etcd, ports_.etcd_clients.Of(migration.etcd_container));
    const std::string key = ScopeOf(migration).MigrationLock();
    const auto look = [&]() -> Result<run::Observation> {
      MU_TRY(const ports::KeyPage page, etcd->GetPage({key, "", 0, 0, false}));
      return run::Observation{page.kvs.empty(), "the lock that a migrator has left: " + key};
    };
    const auto gone =
        run::WaitFor("the lock is released", kLockLasts, Millis(500), ports_.clock, scope, look);
    if (!gone && gone.error().code != ErrorCode::kGateTimeout) return Fail(gone.error());
    return {};
  }

  std::string difference_;
  std::size_t keys_ = 0;  // as Seen has read them: it comes first, and each reading is outage
  run::Evidence evidence_;
};

class ConfirmEffect : public LiveEffect {
 public:
  using LiveEffect::LiveEffect;

  Result<std::optional<run::Evidence>> Seen(const plan::Step&, run::StepScope&) override {
    return std::nullopt;
  }

  Status Act(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::ConfirmMigration>(step.args);
    MU_TRY(const Keys before, Backup(args.migration, args.backup, scope));
    MU_TRY(const meta::Judgement judgement, Judge(args.migration, before, scope));
    if (!judgement.IsRight())
      return Fail(ErrorCode::kMigrationFailed,
                  fmt::format("the migration ended well and {} keys are not what they must be: {}",
                              judgement.problems.size(), Few(judgement.problems)));
    evidence_ = EvidenceOf(judgement);
    return {};
  }

  Result<run::Evidence> Confirm(const plan::Step&, run::StepScope&) override { return evidence_; }

 private:
  run::Evidence evidence_;
};

// A snapshot's keys of the scope, as a backup file that a restore takes.
class ExtractEffect : public run::Effect {
 public:
  explicit ExtractEffect(const EffectPorts& ports) : ports_(ports) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step,
                                            run::StepScope& scope) override {
    const auto& args = std::get<plan::ExtractKeys>(step.args);
    const std::string file = scope.RunFolder() + "/" + args.file;
    MU_TRY(const auto facts, ports_.files.Stat(file));
    if (!facts) return std::nullopt;
    MU_TRY(const Keys keys, migrate::KeysIn(ports_.files, ScopeOf(args.migration), file));
    return run::Evidence{{"file", file}, {"keys", std::to_string(keys.size())}};
  }

  Status Act(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::ExtractKeys>(step.args);
    const meta::Scope meta = ScopeOf(args.migration);
    MU_TRY(const auto scratch,
           ScratchEtcd::Start(ports_, args.migration.project, args.migration.etcd_container,
                              scope.RunFolder() + "/" + args.snapshot, meta, scope));
    migrate::Options options;
    options.scope = meta;
    options.backup_file = scope.RunFolder() + "/" + args.file;
    options.patience = kEtcdPatience;
    ToldToScope told(scope);
    StepInterrupts interrupts(scope);
    return migrate::Migrator(scratch->Client(), ports_.files, ports_.clock, interrupts, told,
                             options)
        .Backup()
        .map([](const auto&) {});
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override {
    MU_TRY(const auto seen, Seen(step, scope));
    if (seen) return *seen;
    return Fail(ErrorCode::kBackupBad, "the keys of the snapshot are not in the run folder");
  }

 private:
  EffectPorts ports_;
};

}  // namespace

void AddMigrationEffects(const EffectPorts& ports, EffectMap* effects) {
  (*effects)[plan::StepKind::kRehearseMigration] = std::make_unique<RehearseEffect>(ports);
  (*effects)[plan::StepKind::kMigrateMetadata] = std::make_unique<MigrateEffect>(ports);
  (*effects)[plan::StepKind::kConfirmMigration] = std::make_unique<ConfirmEffect>(ports);
  (*effects)[plan::StepKind::kRestoreMetadata] = std::make_unique<RestoreEffect>(ports);
  (*effects)[plan::StepKind::kExtractKeys] = std::make_unique<ExtractEffect>(ports);
}

}  // namespace mu::effects
