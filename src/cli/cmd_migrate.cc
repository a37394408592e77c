// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <optional>

#include "cli/commands.h"
#include "cli/migrate_flow.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/duration.h"
#include "ui/migrate_view.h"

namespace mu::cli {
namespace {

// Draws what the migration tells: each stage once, its count while it lasts.
class Shown : public migrate::Listener {
 public:
  Shown(run::Progress& progress, ports::Clock& clock) : progress_(progress), clock_(clock) {}
  void Note(const std::string& line) override {
    run::ProgressEvent event;
    event.text = line;
    progress_.Tell(event);
  }
  void Progress(const std::string& what, std::size_t done, std::size_t total) override {
    const Millis now = clock_.Monotonic();
    if (what != stage_) {
      stage_ = what;
      told_ = now;
      return Note(total > 1 ? fmt::format("{} ({})", what, total) : what);
    }
    if (now - told_ < Millis(1'000)) return;
    told_ = now;
    run::ProgressEvent event;
    event.kind = run::ProgressEvent::Kind::kWaiting;
    event.text = total == 0 ? fmt::format("{}: {}", what, done)
                            : fmt::format("{}: {} of {}", what, done, total);
    progress_.Tell(event);
  }

 private:
  run::Progress& progress_;
  ports::Clock& clock_;
  std::string stage_;
  Millis told_{0};
};

Result<MigrateRequest> RequestOf(const Invocation& invocation, Wiring& wiring,
                                 ui::Console& console) {
  const std::string path = invocation.config.migrate_file;
  MU_TRY(const std::string text, wiring.Files().Read(path));
  MigrateRequest request;
  MU_TRY(request.yaml, config::ParseMigrateYaml(text, path));
  for (const std::string& warning : request.yaml.warnings) console.Warn(warning);
  request.etcd_container = invocation.Flag("etcd-container", "");
  request.network = invocation.Flag("network", "");
  if (invocation.Flag("engine", "builtin") == "container") {
    request.image = invocation.config.migration_image;
    request.file = wiring.Files().Absolute(path);
    request.sha256 = Sha256(text);
    if (request.yaml.backup_file.empty())
      request.yaml.backup_file = "metadata-before-migration.bak";
    if (request.etcd_container.empty())
      return Fail(ErrorCode::kUsage,
                  "--engine container needs --etcd-container: its metadata is backed up, judged "
                  "and, where it must be, restored through it",
                  "name the container of etcd");
  }
  const std::string new_keys = invocation.Flag("new-keys", "refuse");
  if (new_keys == "keep") request.new_keys = migrate::NewKeys::kKeep;
  if (new_keys == "remove") request.new_keys = migrate::NewKeys::kRemove;
  MU_TRY(request.patience, ParseDuration(invocation.Flag("etcd-patience", "60s")));
  return request;
}

// Nothing written: the catalogue's code. Else what is left is gone on with by the same command.
ExitCode CodeOf(const MigrateFailure& failure, Wiring& wiring) {
  if (failure.error.code == ErrorCode::kInterrupted && failure.next.empty())
    return wiring.InterruptedExit();
  if (failure.is_restored) return ExitCode::kRolledBack;
  if (!failure.has_written) return RowOf(failure.error.code).exit;
  return RowOf(failure.error.code).can_retry ? ExitCode::kPaused : ExitCode::kNeedsPerson;
}

int End(MigrateFailure failure, Wiring& wiring, ui::Console& console) {
  const ExitCode code = CodeOf(failure, wiring);
  if (failure.is_restored) {
    failure.error.hint =
        "the metadata was restored, every key of it; " + std::string(failure.error.Hint());
  } else if (!failure.next.empty()) {
    failure.error.hint = failure.next;
  } else if (failure.has_written) {
    if (!failure.error.hint.empty()) failure.error.hint += "; ";
    failure.error.hint +=
        "the metadata is half migrated, and all of it is there: the same command completes it, "
        "cmd.type: rollback restores it; start no Milvus before that";
  }
  return console.Fail(failure.error, code, {});
}

std::string QuestionOf(const MigrateRequest& request, const meta::Scope& scope) {
  return request.yaml.command == config::MigrateCommand::kRollback
             ? fmt::format("Roll the metadata under {} back to {}?", scope.Prefix(),
                           request.yaml.backup_file)
             : fmt::format("Migrate the metadata under {} from {} to {}?", scope.Prefix(),
                           request.yaml.source.Text(), request.yaml.target->Text());
}

}  // namespace

int CmdMigrate(const Invocation& invocation, ui::Console& console) {
  Wiring wiring;
  const auto request = RequestOf(invocation, wiring, console);
  if (!request) return console.Fail(request.error());
  MigrateFlow flow(wiring, *request);
  const meta::Scope scope = flow.Scope();
  const bool is_run = request->yaml.command == config::MigrateCommand::kRun;
  const bool asks = request->yaml.command != config::MigrateCommand::kBackup;
  const bool is_dry = invocation.config.is_dry_run;
  if (is_dry && !is_run)
    return console.Fail(Error{ErrorCode::kUsage, "--dry-run is for cmd.type: run", "", {}});
  if (asks && !is_dry) {
    if (const Status can_ask = console.CheckCanAsk(invocation.config.is_yes); !can_ask)
      return console.Fail(can_ask.error());
  }
  if (is_dry || (is_run && !invocation.config.is_yes)) {
    auto progress = console.MakeProgress();
    Shown shown(*progress, wiring.Clock());
    auto rehearsed = flow.Rehearse(shown);
    progress.reset();
    if (!rehearsed) return End(std::move(rehearsed).error(), wiring, console);
    if (is_dry || rehearsed->kind == migrate::RunOutcome::Kind::kNothingToDo)
      return console.End(ExitCode::kDone, ui::MigrationView(*rehearsed, scope, console.OutStyle()));
    console.Show(ui::MigrationView(*rehearsed, scope, console.ErrStyle()));
  }
  if (asks) {
    if (const auto over = console.AskOrEnd(QuestionOf(*request, scope), invocation.config.is_yes,
                                           wiring.Interrupts()))
      return *over;
  }
  auto progress = console.MakeProgress();
  Shown shown(*progress, wiring.Clock());
  auto outcome = flow.Do(shown);
  progress.reset();
  if (!outcome) return End(std::move(outcome).error(), wiring, console);
  return console.End(ExitCode::kDone, ViewOf(*outcome, scope, console.OutStyle()));
}

}  // namespace mu::cli
