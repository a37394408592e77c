// SPDX-License-Identifier: Apache-2.0
#include "cli/migrate_flow.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "milvus_upgrade/effects/migrator.h"
#include "milvus_upgrade/meta/judge.h"
#include "milvus_upgrade/observe/compose_observer.h"
#include "ui/migrate_view.h"

namespace mu::cli {
namespace {

const model::Version kFirst22{2, 2, 0, ""};

migrate::RunOutcome NothingToDo() {
  migrate::RunOutcome outcome;
  outcome.kind = migrate::RunOutcome::Kind::kNothingToDo;
  return outcome;
}

// A first signal asks to finish what was begun: a migration by a container cannot stop halfway, and
// what follows it belongs to it.
class OnlySecond : public ports::Interrupts {
 public:
  explicit OnlySecond(ports::Interrupts& all) : all_(all) {}
  ports::Interrupt Pending() override {
    const ports::Interrupt pending = all_.Pending();
    return pending == ports::Interrupt::kStopNow ? pending : ports::Interrupt::kNone;
  }
  int Signal() override { return all_.Signal(); }

 private:
  ports::Interrupts& all_;
};

// A step's scope where there is no run: what is waited for is told, and events are nobody's.
class LooseScope : public run::StepScope {
 public:
  LooseScope(migrate::Listener& listener, ports::Interrupts& interrupts)
      : listener_(listener), interrupts_(interrupts) {}
  void Waiting(const std::string& observed) override { listener_.Progress(observed, 0, 0); }
  Status Event(const std::string&, const run::Evidence&) override { return {}; }
  bool IsInterrupted() override { return interrupts_.Pending() == ports::Interrupt::kStopNow; }
  const std::string& RunFolder() const override { return folder_; }

 private:
  migrate::Listener& listener_;
  ports::Interrupts& interrupts_;
  std::string folder_;
};

}  // namespace

ui::View ViewOf(const MigrateOutcome& outcome, const meta::Scope& scope, const ui::Style& style) {
  if (const auto* run = std::get_if<migrate::RunOutcome>(&outcome))
    return ui::MigrationView(*run, scope, style);
  if (const auto* backup = std::get_if<migrate::BackupFacts>(&outcome))
    return ui::BackupView(*backup, style);
  return ui::RollbackView(std::get<migrate::RollbackOutcome>(outcome), scope, style);
}

MigrateFlow::MigrateFlow(Wiring& wiring, MigrateRequest request)
    : wiring_(wiring), request_(std::move(request)) {}

meta::Scope MigrateFlow::Scope() const {
  return {request_.yaml.root_path, request_.yaml.meta_path};
}

template <class Act>
auto MigrateFlow::With(migrate::Listener& listener, Act act)
    -> tl::expected<std::decay_t<decltype(*act(std::declval<migrate::Migrator&>()))>,
                    MigrateFailure> {
  const config::MigrateYaml& yaml = request_.yaml;
  const auto is_unfinished = IsUnfinished();
  if (!is_unfinished) return tl::unexpected(MigrateFailure{is_unfinished.error()});
  auto etcd = wiring_.EtcdOf(yaml, request_.etcd_container);
  if (!etcd) return tl::unexpected(MigrateFailure{std::move(etcd).error(), false});
  migrate::Options options;
  options.scope = Scope();
  if (yaml.command != config::MigrateCommand::kRun || yaml.runs_with_backup ||
      !request_.image.empty())
    options.backup_file = wiring_.Files().Absolute(yaml.backup_file);
  options.source = yaml.source.Text();
  options.target = yaml.target ? yaml.target->Text() : "";
  options.new_keys = request_.new_keys;
  options.patience = request_.patience;
  options.is_cut_by_tool = *is_unfinished;
  options.who = fmt::format("milvus-upgrade, process {} on {}", getpid(), wiring_.HostName());
  migrate::Migrator migrator(**etcd, wiring_.Files(), wiring_.Clock(), Interrupts(), listener,
                             std::move(options));
  auto outcome = act(migrator);
  if (!outcome)
    return tl::unexpected(MigrateFailure{std::move(outcome).error(), migrator.HasWritten()});
  return *std::move(outcome);
}

tl::expected<migrate::RunOutcome, MigrateFailure> MigrateFlow::Rehearse(
    migrate::Listener& listener) {
  if (IsNothing(listener)) return NothingToDo();
  const auto is_unfinished = IsUnfinished();
  if (!is_unfinished) return tl::unexpected(MigrateFailure{is_unfinished.error()});
  if (*is_unfinished)
    return tl::unexpected(MigrateFailure{
        {ErrorCode::kMetaCut,
         "a migration by Milvus's own tool was cut in this metadata: nothing whole is there to see",
         fmt::format("the same command with --yes puts all back from {} and begins anew; cmd.type: "
                     "rollback only puts it back; start no Milvus before that",
                     request_.yaml.backup_file),
         {}}});
  return With(listener, [](migrate::Migrator& migrator) { return migrator.Rehearse(); });
}

std::string MigrateFlow::UnfinishedPath() const {
  return wiring_.Files().Absolute(request_.yaml.backup_file) + ".unfinished";
}

Result<bool> MigrateFlow::IsUnfinished() {
  if (request_.yaml.backup_file.empty()) return false;
  MU_TRY(const auto facts, wiring_.Files().Stat(UnfinishedPath()));
  return facts.has_value();
}

tl::expected<migrate::RollbackOutcome, MigrateFailure> MigrateFlow::PutBack(
    migrate::Listener& listener) {
  auto outcome = With(listener, [](migrate::Migrator& migrator) { return migrator.Rollback(); });
  if (!outcome) return outcome;
  if (const Status over = wiring_.Files().RemoveTree(UnfinishedPath()); !over)
    return tl::unexpected(MigrateFailure{over.error(), true});
  return outcome;
}

// As Milvus's tool: between two 2.1 there is nothing to migrate.
bool MigrateFlow::IsNothing(migrate::Listener& listener) const {
  const config::MigrateYaml& yaml = request_.yaml;
  if (yaml.command != config::MigrateCommand::kRun || *yaml.target >= kFirst22) return false;
  listener.Note(fmt::format("metadata of {} is good for {} as it is", yaml.source.Text(),
                            yaml.target->Text()));
  return true;
}

tl::expected<MigrateOutcome, MigrateFailure> MigrateFlow::Do(migrate::Listener& listener) {
  const config::MigrateYaml& yaml = request_.yaml;
  if (IsNothing(listener)) return NothingToDo();
  // One that a killed call has left would write over whatever is done now.
  if (!request_.etcd_container.empty() && yaml.command != config::MigrateCommand::kBackup) {
    const std::string record = wiring_.Files().Absolute(yaml.backup_file) + ".lock";
    if (Status dead = effects::ProveMigratorsDead(wiring_.Effects(), MigrationOf(), record); !dead)
      return tl::unexpected(MigrateFailure{std::move(dead).error()});
  }
  if (yaml.command == config::MigrateCommand::kRollback) return PutBack(listener);
  if (yaml.command == config::MigrateCommand::kRun) {
    const auto is_unfinished = IsUnfinished();
    if (!is_unfinished) return tl::unexpected(MigrateFailure{is_unfinished.error()});
    if (*is_unfinished) {
      listener.Note(fmt::format(
          "a migration by Milvus's own tool was cut: all goes back to {}, then it begins anew",
          yaml.backup_file));
      if (auto put_back = PutBack(listener); !put_back)
        return tl::unexpected(std::move(put_back).error());
    }
    if (!request_.image.empty()) return RunByContainer(listener);
  }
  return With(listener, [&](migrate::Migrator& migrator) -> Result<MigrateOutcome> {
    if (yaml.command == config::MigrateCommand::kBackup) return migrator.Backup();
    return migrator.Run();
  });
}

tl::expected<MigrateOutcome, MigrateFailure> MigrateFlow::RunByContainer(
    migrate::Listener& listener) {
  const config::MigrateYaml& yaml = request_.yaml;
  const effects::EffectPorts ports = wiring_.Effects();
  const std::string backup_file = ports.files.Absolute(yaml.backup_file);
  OnlySecond interrupts(wiring_.Interrupts());
  interrupts_ = &interrupts;
  LooseScope scope(listener, interrupts);
  plan::Migration migration = MigrationOf();
  bool has_started = false;
  const auto migrate = [&]() -> Result<migrate::RunOutcome> {
    MU_TRY(migration.network, NetworkOf(ports.docker));
    MU_TRY(const auto etcd, ports.etcd_clients.Of(request_.etcd_container));
    MU_CHECK(CheckForContainer(*etcd, listener));
    MU_TRY(const auto backup,
           With(listener, [](migrate::Migrator& migrator) {
             return migrator.Backup();
           }).map_error([](const MigrateFailure& failure) { return failure.error; }));
    MU_TRY(const auto before, migrate::KeysIn(ports.files, Scope(), backup_file));
    MU_CHECK(ports.files.Replace(UnfinishedPath(), request_.image + "\n", 0600));
    has_started = true;
    MU_CHECK(effects::RunMigration(
        ports, migration, {request_.etcd_container, migration.network, migration.endpoints, false},
        before.size(), backup_file + ".log", backup_file + ".lock", scope));
    MU_TRY(const auto after,
           migrate::KeysOf(*etcd, ports.clock, interrupts, Scope(), request_.patience));
    MU_TRY(const meta::Judgement judgement, meta::JudgeMigration(before, after, Scope()));
    if (!judgement.IsRight())
      return Fail(ErrorCode::kMigrationFailed,
                  fmt::format("{} ended well and {} keys are not what they must be, the first: {}",
                              request_.image, judgement.problems.size(), judgement.problems[0]));
    migrate::RunOutcome outcome;
    outcome.added = judgement.added;
    outcome.replaced = judgement.replaced;
    outcome.removed = judgement.removed;
    outcome.summary = judgement.summary;
    outcome.losses = judgement.remarks;
    outcome.backup = backup;
    MU_CHECK(ports.files.RemoveTree(UnfinishedPath()));
    return outcome;
  };
  auto outcome = migrate();
  if (outcome) return *std::move(outcome);
  MigrateFailure failure{std::move(outcome).error(), has_started};
  if (!has_started) return tl::unexpected(std::move(failure));
  // Half of it may have been done: all of it goes back.
  const auto restore = [&]() -> Status {
    MU_CHECK(effects::ProveMigratorsDead(ports, migration, backup_file + ".lock"));
    return PutBack(listener).map([](const auto&) {}).map_error([](const MigrateFailure& failed) {
      return failed.error;
    });
  };
  request_.new_keys = migrate::NewKeys::kRemove;
  wiring_.IgnoreSignals();
  if (const Status restored = restore(); !restored) {
    failure.error.message += "; and restoring the metadata failed: " + restored.error().Text();
    failure.next = fmt::format(
        "start no Milvus: the metadata is not whole, all of it is in {}. Mend the cause; then the "
        "same command puts it back and begins anew, cmd.type: rollback only puts it back",
        backup_file);
  } else {
    failure.is_restored = true;
  }
  return tl::unexpected(std::move(failure));
}

plan::Migration MigrateFlow::MigrationOf() const {
  const config::MigrateYaml& yaml = request_.yaml;
  plan::Migration migration;
  migration.engine = plan::MigrationEngine::kContainer;
  migration.image = request_.image;
  migration.project = request_.etcd_container;
  migration.etcd_container = request_.etcd_container;
  migration.endpoints = yaml.endpoints;
  migration.root_path = yaml.root_path;
  migration.meta_path = yaml.meta_path;
  migration.kv_path = yaml.kv_path;
  migration.source_version = yaml.source.Text();
  migration.target_version = yaml.target ? yaml.target->Text() : "";
  migration.migrate_file = yaml.tls.is_enabled ? request_.file : "";
  migration.migrate_sha256 = request_.sha256;
  return migration;
}

ports::Interrupts& MigrateFlow::Interrupts() {
  return interrupts_ == nullptr ? wiring_.Interrupts() : *interrupts_;
}

Result<std::string> MigrateFlow::NetworkOf(ports::Docker& docker) const {
  if (!request_.network.empty()) return request_.network;
  MU_TRY(const auto found, docker.Inspect({request_.etcd_container}));
  if (!found.front())
    return Fail(ErrorCode::kContainerGone,
                fmt::format("there is no container {}", request_.etcd_container));
  if (std::string network = observe::NamedNetworkOf(*found.front()); !network.empty())
    return network;
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{} is on no network with names", request_.etcd_container),
              "name the network on which the endpoints of migrate.yaml are known: --network");
}

// What Milvus's own tool would spoil or ignore.
Status MigrateFlow::CheckForContainer(ports::EtcdClient& etcd, migrate::Listener& listener) {
  if (!request_.yaml.user.empty())
    return Fail(ErrorCode::kInvalidInput, "Milvus's own tool ignores etcd.auth",
                "use --engine builtin");
  MU_TRY(const auto found, wiring_.Docker().Inspect({request_.etcd_container}));
  for (const std::string& endpoint : request_.yaml.endpoints) {
    // What is backed up, judged and put back must be what is migrated.
    if (found.front() && observe::LeadsTo(endpoint, *found.front())) continue;
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("the endpoint {} does not lead to {}", endpoint, request_.etcd_container),
        "name its etcd's own container, or write that container's name and port as the "
        "endpoint");
  }
  MU_TRY(const auto siblings, migrate::SiblingsOf(etcd, Scope()));
  if (!siblings.empty())
    return Fail(ErrorCode::kCheckFailed,
                fmt::format("Milvus's own tool would take {} along, and wipe it at a rollback",
                            siblings.front()),
                "use --engine builtin");
  const std::string sessions = Scope().Sessions();
  MU_TRY(const ports::KeyPage page,
         etcd.GetPage({sessions, model::EndOfPrefix(sessions), 0, 0, true}));
  for (const model::KeyValue& kv : page.kvs) {
    if (kv.lease != 0) return Fail(ErrorCode::kLiveSessions, "a process has a session: " + kv.key);
  }
  listener.Note("no Milvus has a session");
  return {};
}

}  // namespace mu::cli
