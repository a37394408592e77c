// SPDX-License-Identifier: Apache-2.0
#include "ui/report.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "ui/run_views.h"

namespace mu::ui {
namespace {

using run::Record;
using run::RecordType;

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A journal built record by record, as a run would write it.
class Story {
 public:
  Story() {
    run_.files = {"20261125-120000-ab12", "/opt/milvus/.milvus-upgrade/20261125-120000-ab12"};
    run_.plan.instance = "milvus";
    run_.plan.from = "2.2.16";
    run_.plan.to = "2.3.5";
    Step("backup/keys", plan::StepKind::kBackupKeys);
    Step("stop/standalone", plan::StepKind::kStopContainers);
    Step("up/standalone", plan::StepKind::kUpServices);
    run_.plan.point_of_no_return = "up/standalone";
    run_.plan.not_backed_up = {"the objects"};
    run_.plan.probe_url = "http://127.0.0.1:9091/healthz";
    Add(RecordType::kRunStarted, "", 0);
  }
  Record& Add(RecordType type, const std::string& step, int at_ms) {
    Record& record = run_.records.emplace_back();
    record.type = type;
    record.step = step;
    record.phase = phase;
    record.at = Millis(at_ms);
    record.time = "2026-11-25T12:00:0" + std::to_string(at_ms / 1000) + "Z";
    return record;
  }
  void Done(const std::string& step, int from_ms, int to_ms, run::Evidence evidence = {}) {
    Add(RecordType::kIntent, step, from_ms).attempt = 1;
    Record& done = Add(RecordType::kDone, step, to_ms);
    done.took = Millis(to_ms - from_ms);
    done.evidence = std::move(evidence);
  }
  void Event(const std::string& name, const std::string& step, int at_ms,
             run::Evidence evidence = {}) {
    Record& record = Add(RecordType::kEvent, step, at_ms);
    record.event = name;
    record.evidence = std::move(evidence);
  }
  void Failed(const std::string& step, int at_ms, Error error) {
    Add(RecordType::kIntent, step, at_ms).attempt = 1;
    Add(RecordType::kFailed, step, at_ms).error = std::move(error);
  }
  void Ended(const std::string& outcome, int exit_code, int at_ms) {
    Record& record = Add(RecordType::kRunEnded, "", at_ms);
    record.evidence = {{"outcome", outcome}};
    record.exit_code = exit_code;
  }
  void Step(const std::string& id, plan::StepKind kind) {
    plan::Step step;
    step.id = id;
    step.kind = kind;
    if (kind == plan::StepKind::kStopContainers) step.undo = plan::Undo::kInverse;
    run_.plan.steps.push_back(step);
  }
  run::StoredRun& Run() { return run_; }
  std::string phase = "forward";

 private:
  run::StoredRun run_;
};

Story Finished() {
  Story story;
  story.Done("backup/keys", 100, 400,
             {{"file", "/r/backup/keys.bak"}, {"sha256", "abc"}, {"bytes", "17"}, {"keys", "3"}});
  story.Event("outage-opened", "stop/standalone", 1'000);
  story.Add(RecordType::kCommand, "stop/standalone", 1'100);
  story.Add(RecordType::kCommand, "stop/standalone", 1'200);
  story.Done("stop/standalone", 1'000, 1'500);
  story.Event("first-start", "up/standalone", 2'000, {{"standalone", "now"}});
  story.Event("outage-closed", "up/standalone", 4'000);
  story.Done("up/standalone", 1'500, 4'000);
  story.Event("probe-window", "", 5'000,
              {{"probe", "healthz"}, {"from_ms", "900"}, {"to_ms", "3800"}});
  story.Event("probe-window", "", 5'000,
              {{"probe", "healthz"}, {"from_ms", "4000"}, {"to_ms", "4100"}});
  story.Event("probe-summary", "", 5'000,
              {{"probe", "healthz"}, {"samples", "90"}, {"failed", "55"}, {"still_open", "false"}});
  story.Ended("done", 0, 5'000);
  return story;
}

TEST(Report, TellsAFinishedRunFromPlanAndJournal) {
  const Report report = MakeReport(Finished().Run());
  EXPECT_EQ(report.outcome, "done");
  EXPECT_EQ(report.service, "Milvus 2.3.5 is up and passed all gates");
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(report.took, Millis(5'000));
  EXPECT_EQ(report.outage, Millis(3'000));
  EXPECT_FALSE(report.is_outage_open);
  ASSERT_EQ(report.probes.size(), 1u);
  EXPECT_EQ(report.probes[0].longest, Millis(2'900));
  EXPECT_EQ(report.probes[0].total, Millis(3'000));
  EXPECT_FALSE(report.probes[0].is_partial);
  EXPECT_EQ(report.probes[0].not_measured, "");
  ASSERT_EQ(report.backups.size(), 1u);
  EXPECT_EQ(report.backups[0].sha256, "abc");
  EXPECT_TRUE(report.is_past_no_return);
  EXPECT_EQ(report.steps[1].children, 2);
  EXPECT_EQ(report.steps[1].took, Millis(500));
  EXPECT_EQ(report.steps[2].state, "done");
  EXPECT_EQ(report.next, "");
  EXPECT_FALSE(report.error);
}

TEST(Report, SaysFromWhereItWasMeasuredAndWhyNot) {
  Style wide;
  wide.width = 400;
  Story story;
  story.Event("probe-summary", "", 5'000,
              {{"probe", "healthz"},
               {"samples", "90"},
               {"failed", "0"},
               {"still_open", "false"},
               {"from", "a container on the network milvus"},
               {"ended_early", "the engine went away"}});
  const Report inside = MakeReport(story.Run());
  EXPECT_EQ(inside.probes[0].not_measured, "");
  const std::string text = ReportView(inside, wide).text;
  EXPECT_NE(text.find("answers of /healthz, not of searches, from a container on the network "
                      "milvus; not seen to the end: the engine went away"),
            std::string::npos)
      << text;

  Story none;
  none.Run().plan.probe_url.clear();
  none.Run().plan.probe_inside.url = "http://milvus-standalone:9091/healthz";
  none.Event("probe-not-measured", "", 10, {{"probe", "healthz"}, {"reason", "exec format error"}});
  EXPECT_EQ(MakeReport(none.Run()).probes[0].not_measured, "exec format error");
  none.Run().records.pop_back();
  EXPECT_NE(MakeReport(none.Run()).probes[0].not_measured, "") << "planned, and never written";
}

TEST(Report, SaysTheSameInTextMarkdownAndJson) {
  const Report report = MakeReport(Finished().Run());
  Style wide;
  wide.width = 400;  // so that no sentence is folded
  const View view = ReportView(report, wide);
  const std::string json = boost::json::serialize(view.json);
  const std::string markdown = ReportMarkdown(report);
  for (const std::string& text : {view.text, markdown}) {
    for (const char* part : {"answers of /healthz, not of searches", "SHA-256 abc", "3 keys",
                             "the objects", "passed in step up/standalone", "longest 2.9s"}) {
      EXPECT_TRUE(Has(text, part)) << part << "\n" << text;
    }
  }
  EXPECT_TRUE(Has(markdown, "# Run 20261125-120000-ab12: Milvus 2.2.16 -> 2.3.5: done\n"));
  EXPECT_TRUE(Has(json, "\"outage_ms\":3000"));
  EXPECT_TRUE(Has(json, "\"windows\":[{\"from_ms\":900,\"to_ms\":3800},{\"from_ms\":4000"));
  EXPECT_TRUE(Has(json, "\"sha256\":\"abc\""));
}

TEST(Report, TellsOfAKilledRunThatTheServiceIsDown) {
  Story story;
  story.Done("backup/keys", 100, 400);
  story.Event("outage-opened", "stop/standalone", 1'000);
  story.Add(RecordType::kIntent, "stop/standalone", 1'000).attempt = 1;
  const Report report = MakeReport(story.Run());
  EXPECT_EQ(report.outcome, "unfinished");
  EXPECT_TRUE(report.is_outage_open);
  EXPECT_TRUE(Has(report.service, "down"));
  EXPECT_EQ(report.steps[1].state, "unfinished");
  EXPECT_EQ(report.steps[2].state, "not started");
  EXPECT_FALSE(report.exit_code);
  EXPECT_EQ(report.next, "milvus-upgrade resume 20261125-120000-ab12");
  EXPECT_TRUE(Has(report.probes[0].not_measured, "did not come to the end"));
  EXPECT_FALSE(report.is_past_no_return);

  const View status = StatusView(story.Run(), {{"milvus-standalone", "exited"}},
                                 {"goes on with step 3", std::nullopt,
                                  Error{ErrorCode::kIrreversible, "it has started", "", {}}},
                                 {});
  EXPECT_TRUE(Has(status.text, "stands at           stop/standalone")) << status.text;
  EXPECT_TRUE(Has(status.text, "1 of 3 done"));
  EXPECT_TRUE(Has(status.text, "exited"));
  EXPECT_TRUE(Has(status.text, "milvus-upgrade resume"));
  EXPECT_TRUE(status.json.at("is_open").as_bool());
}

TEST(Report, CallsARunThatIsWorkedOnRunning) {
  Story story;
  story.Done("backup/keys", 100, 400);
  story.Add(RecordType::kIntent, "stop/standalone", 1'000).attempt = 1;
  run::StoredRun run = story.Run();
  run.is_live = true;
  const Report report = MakeReport(run);
  EXPECT_EQ(report.outcome, "running");
  EXPECT_EQ(report.next, "");
  const View status = StatusView(run, {}, {}, {});
  EXPECT_TRUE(Has(status.text, ": running\n")) << status.text;
  EXPECT_TRUE(Has(status.text, "stands at           stop/standalone")) << status.text;
  EXPECT_FALSE(Has(status.text, "resume"));
  EXPECT_EQ(status.json.at("state").as_string(), "running");
}

TEST(Report, CallsAStepThatASignalEndedInterrupted) {
  Story story;
  story.Done("backup/keys", 100, 400);
  story.Failed("stop/standalone", 2'000, Error{ErrorCode::kInterrupted, "by a signal", "", {}});
  const Report report = MakeReport(story.Run());
  EXPECT_EQ(report.steps[1].state, "interrupted");
  EXPECT_FALSE(report.error) << "a signal is no cause of a run that goes on";
}

TEST(Report, SaysThatAMeasurementOfACutRunIsNotWhole) {
  Story killed;
  killed.Add(RecordType::kIntent, "stop/standalone", 1'000).attempt = 1;
  killed.Add(RecordType::kIntent, "stop/standalone", 9'000).attempt = 2;
  killed.Event("probe-window", "", 9'500, {{"probe", "healthz"}, {"from_ms", "0"}, {"to_ms", "9"}});
  killed.Event("probe-summary", "", 9'500, {{"probe", "healthz"}, {"samples", "1"}});
  EXPECT_TRUE(MakeReport(killed.Run()).probes[0].is_partial);
  Style wide;
  wide.width = 400;
  EXPECT_TRUE(Has(ReportView(MakeReport(killed.Run()), wide).text, "in which the run was cut"));

  Story paused;
  paused.Ended("paused", 8, 1'000);
  paused.Event("probe-summary", "", 2'000, {{"probe", "healthz"}, {"samples", "1"}});
  EXPECT_TRUE(MakeReport(paused.Run()).probes[0].is_partial);
}

TEST(Report, NamesTheCauseOfARollbackAndNotWhatCameAfter) {
  Story story;
  story.Event("outage-opened", "stop/standalone", 1'000);
  story.Done("stop/standalone", 1'000, 1'500);
  story.Failed("up/standalone", 2'000, Error{ErrorCode::kImageMissing, "no image", "", {}});
  plan::Plan rollback;
  rollback.kind = plan::PlanKind::kRollback;
  plan::Step start;
  start.id = "back/start";
  start.kind = plan::StepKind::kStartContainers;
  rollback.steps = {start};
  story.Run().rollback = rollback;
  story.phase = "rollback";
  story.Failed("back/start", 2'200, Error{ErrorCode::kDockerDown, "later", "", {}});
  story.Event("outage-closed", "back/start", 2'500);
  story.Done("back/start", 2'300, 2'500);
  story.Ended("rolled-back", 6, 3'000);
  const Report report = MakeReport(story.Run());
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::kImageMissing);
  EXPECT_EQ(report.service, "Milvus 2.2.16 was put back and is up");
  EXPECT_EQ(report.outage, Millis(1'500));
  EXPECT_EQ(report.steps.back().phase, "rollback");
  EXPECT_EQ(report.exit_code, 6);
  EXPECT_TRUE(Has(ReportView(report, {}).text, "back: back/start"));
  EXPECT_TRUE(Has(report.next, "compose --to 2.3.5"));
}

TEST(Report, LeavesOutTheTitlesWhereTheLinesWouldNotFit) {
  const Report report = MakeReport(Finished().Run());
  Style narrow;
  narrow.width = 40;
  Style wide;
  wide.width = 400;
  const std::string title = "  " + report.steps.front().title + "  ";
  EXPECT_TRUE(Has(ReportView(report, wide).text, title));
  EXPECT_FALSE(Has(ReportView(report, narrow).text, title));
  EXPECT_TRUE(Has(ReportView(report, narrow).text, "  " + report.steps.front().id + "  "));
}

TEST(Report, AStartBeforeThePointOfNoReturnIsNone) {
  Story story;
  story.Run().plan.point_of_no_return = "";
  story.Event("first-start", "up/standalone", 2'000);
  EXPECT_FALSE(MakeReport(story.Run()).is_past_no_return);
}

TEST(Report, ListsADamagedRun) {
  Story story;
  story.Run().damage = Error{ErrorCode::kJournalDamaged, "line 3", "", {}};
  const Report report = MakeReport(story.Run());
  EXPECT_EQ(report.outcome, "damaged");
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::kJournalDamaged);
  const View history = HistoryView({story.Run(), Finished().Run()}, {});
  EXPECT_TRUE(Has(history.text, "damaged"));
  EXPECT_EQ(history.json.at("runs").as_array().size(), 2u);
  EXPECT_EQ(HistoryView({}, {}).text, "no runs\n");
}

}  // namespace
}  // namespace mu::ui
