// SPDX-License-Identifier: Apache-2.0
#include <boost/json/serialize.hpp>

#include "cli/commands.h"
#include "cli/state_dir.h"
#include "milvus_upgrade/run/run_store.h"
#include "ui/report.h"

namespace mu::cli {
namespace {

struct ReportOptions {
  std::string run;
  std::string format;  // "text", "md", "json"
};

Result<run::StoredRun> LoadRun(Wiring& wiring, const config::Config& config,
                               const std::string& id) {
  MU_TRY(const std::string state_dir, StateDirOf(wiring, config));
  run::RunStore store(wiring.Files(), wiring.Clock(), state_dir);
  MU_TRY(run::StoredRun run, store.Find(id));
  MU_TRY(run.is_live, store.IsLive(run));
  return run;
}

}  // namespace

int CmdReport(const Invocation& invocation, ui::Console& console) {
  const ReportOptions options{invocation.Argument(0), invocation.Flag("format", "text")};
  Wiring wiring;
  const auto run = LoadRun(wiring, invocation.config, options.run);
  if (!run) return console.Fail(run.error());
  const ui::Report report = ui::MakeReport(*run);
  ui::View view = ui::ReportView(report, console.OutStyle());
  if (options.format == "md") view.text = ui::ReportMarkdown(report);
  // The same members as --output json, which adds command and exit_code.
  if (options.format == "json") {
    boost::json::object json = {{"schema_version", ui::kSchemaVersion}};
    json["report"] = view.json.at("report");
    view.text = boost::json::serialize(json) + "\n";
  }
  return console.End(ExitCode::kDone, view);
}

}  // namespace mu::cli
