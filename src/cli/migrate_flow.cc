// SPDX-License-Identifier: Apache-2.0
#include "cli/migrate_flow.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "ui/migrate_view.h"

namespace mu::cli {
namespace {

const model::Version kFirst22{2, 2, 0, ""};

migrate::RunOutcome NothingToDo() {
  migrate::RunOutcome outcome;
  outcome.kind = migrate::RunOutcome::Kind::kNothingToDo;
  return outcome;
}

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
  auto etcd = wiring_.EtcdOf(yaml, request_.etcd_container);
  if (!etcd) return tl::unexpected(MigrateFailure{std::move(etcd).error(), false});
  migrate::Options options;
  options.scope = Scope();
  if (yaml.command != config::MigrateCommand::kRun || yaml.runs_with_backup)
    options.backup_file = wiring_.Files().Absolute(yaml.backup_file);
  options.source = yaml.source.Text();
  options.target = yaml.target ? yaml.target->Text() : "";
  options.new_keys = request_.new_keys;
  options.patience = request_.patience;
  options.who = fmt::format("milvus-upgrade, process {} on {}", getpid(), wiring_.HostName());
  migrate::Migrator migrator(**etcd, wiring_.Files(), wiring_.Clock(), wiring_.Interrupts(),
                             listener, std::move(options));
  auto outcome = act(migrator);
  if (!outcome)
    return tl::unexpected(MigrateFailure{std::move(outcome).error(), migrator.HasWritten()});
  return *std::move(outcome);
}

tl::expected<migrate::RunOutcome, MigrateFailure> MigrateFlow::Rehearse(
    migrate::Listener& listener) {
  if (IsNothing(listener)) return NothingToDo();
  return With(listener, [](migrate::Migrator& migrator) { return migrator.Rehearse(); });
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
  return With(listener, [&](migrate::Migrator& migrator) -> Result<MigrateOutcome> {
    switch (yaml.command) {
      case config::MigrateCommand::kRun:
        return migrator.Run();
      case config::MigrateCommand::kBackup:
        return migrator.Backup();
      case config::MigrateCommand::kRollback:
        return migrator.Rollback();
    }
    return Fail(ErrorCode::kInternal, "an unknown command");
  });
}

}  // namespace mu::cli
