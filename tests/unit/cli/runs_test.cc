// SPDX-License-Identifier: Apache-2.0
// report and history over run folders on the disk, written by the same store and journal that a run
// uses.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <filesystem>

#include "adapters/posix_files.h"
#include "adapters/system_clock.h"
#include "cli/commands.h"
#include "milvus_upgrade/run/run_store.h"
#include "unit/ui/pipe.h"

namespace mu::cli {
namespace {

class Runs : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "mu-runs-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string MakeRun(const std::string& to, bool is_finished) {
    run::RunStore store(files_, clock_, folder_);
    plan::Plan plan;
    plan.instance = "milvus";
    plan.from = "2.2.16";
    plan.to = to;
    plan::Step step;
    step.id = "pull/image";
    step.kind = plan::StepKind::kPullImage;
    step.undo = plan::Undo::kInverse;  // as if it changed the stack: a cut run is then open
    step.args = plan::PullImage{"image"};
    plan.steps = {step};
    const auto files = store.Create(plan);
    EXPECT_TRUE(files) << files.error().Text();
    auto journal = run::Journal::Open(files_, clock_, files->JournalPath());
    EXPECT_TRUE(journal) << journal.error().Text();
    run::Record intent;
    intent.type = run::RecordType::kIntent;
    intent.step = "pull/image";
    intent.attempt = 1;
    EXPECT_TRUE((*journal)->Append(intent));
    if (is_finished) {
      run::Record done = intent;
      done.type = run::RecordType::kDone;
      done.attempt = 0;
      EXPECT_TRUE((*journal)->Append(done));
      EXPECT_TRUE(run::Finish(**journal, "done", ExitCode::kDone));
    }
    return files->id;
  }

  int Call(int (*command)(const Invocation&, ui::Console&), Invocation invocation,
           config::Output output = config::Output::kText) {
    invocation.config.state_dir = folder_;
    ui::ConsoleSetup setup;
    setup.out = out_.In();
    setup.err = err_.In();
    setup.output = output;
    ui::Console console(setup);
    return command(invocation, console);
  }

  std::string folder_;
  adapters::PosixFiles files_;
  adapters::SystemClock clock_;
  ui::Pipe out_;
  ui::Pipe err_;
};

TEST_F(Runs, HistoryListsTheNewestFirst) {
  const std::string first = MakeRun("2.3.4", true);
  const std::string second = MakeRun("2.3.5", false);
  EXPECT_EQ(Call(CmdHistory, {}), 0);
  const std::string text = out_.Text();
  ASSERT_NE(text.find(first), std::string::npos) << text;
  EXPECT_LT(text.find(second), text.find(first)) << text;
  EXPECT_NE(text.find("unfinished"), std::string::npos);

  EXPECT_EQ(Call(CmdHistory, {}, config::Output::kJson), 0);
  const auto json = boost::json::parse(out_.Text()).as_object();
  const auto& runs = json.at("runs").as_array();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].as_object().at("run").as_string(), second);
  EXPECT_TRUE(runs[0].as_object().at("is_open").as_bool());
  EXPECT_FALSE(runs[1].as_object().at("is_open").as_bool());
}

TEST_F(Runs, ReportTakesTheNewestOrTheNamedRunInEachForm) {
  const std::string first = MakeRun("2.3.4", true);
  const std::string second = MakeRun("2.3.5", false);
  EXPECT_EQ(Call(CmdReport, {}), 0);
  EXPECT_NE(out_.Text().find("Run " + second + ": Milvus 2.2.16 -> 2.3.5: unfinished"),
            std::string::npos);
  Invocation named;
  named.arguments = {first};
  named.flags["format"] = {"md"};
  EXPECT_EQ(Call(CmdReport, named), 0);
  EXPECT_TRUE(out_.Text().starts_with("# Run " + first + ": Milvus 2.2.16 -> 2.3.4: done\n"));
  named.flags["format"] = {"json"};
  EXPECT_EQ(Call(CmdReport, named), 0);
  const auto json = boost::json::parse(out_.Text()).as_object();
  EXPECT_EQ(json.at("schema_version").as_int64(), 1);
  EXPECT_EQ(json.at("report").as_object().at("exit_code").as_int64(), 0);
  EXPECT_EQ(err_.Text(), "");
}

TEST_F(Runs, AnUnknownRunIsAUsageError) {
  MakeRun("2.3.5", true);
  Invocation named;
  named.arguments = {"1999"};
  EXPECT_EQ(Call(CmdReport, named), 2);
  EXPECT_NE(err_.Text().find("MU-185"), std::string::npos);
}

}  // namespace
}  // namespace mu::cli
