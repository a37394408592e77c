// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "milvus_upgrade/base/text.h"
#include "ui/findings_view.h"
#include "ui/plan_view.h"

namespace mu::ui {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

plan::Plan SmallPlan() {
  plan::Plan plan;
  plan.tool_version = "0";
  plan.instance = "milvus";
  plan.engine = "unix:///engine.sock";
  plan.project_directory = "/opt/milvus";
  plan.from = "2.2.16";
  plan.to = "2.3.5";
  plan.hops = {{"2.2.16", "2.3.5", "R24", "image", "the image changes", false, "rocksmq"}};
  plan::Step stop;
  stop.id = "stop/standalone";
  stop.kind = plan::StepKind::kStopContainers;
  stop.rule = "S1";
  stop.cause = "the service must be down";
  stop.args = plan::StopContainers{{{"standalone", "milvus-standalone", "id"}}, Millis(10'000)};
  stop.outage = plan::OutageMark::kOpens;
  stop.estimate = Millis(300);
  plan::Step file;
  file.id = "files/docker-compose.yml";
  file.kind = plan::StepKind::kReplaceFile;
  file.args = plan::ReplaceFile{
      "/opt/milvus/docker-compose.yml", "a", "b", {{12, "v2.2.16", "v2.3.5"}}, "files/0"};
  plan::Step up;
  up.id = "up/standalone";
  up.kind = plan::StepKind::kUpServices;
  up.args = plan::UpServices{};
  up.outage = plan::OutageMark::kCloses;
  up.estimate = Millis(700);
  plan.steps = {stop, file, up};
  plan.point_of_no_return = "up/standalone";
  plan.not_backed_up = {"the objects"};
  plan.probe_reason = "the port is not published";
  return plan;
}

TEST(PlanView, TellsWhatAPersonMustKnowBeforeYes) {
  const View view = PlanView(SmallPlan(), {"--- a\n+++ b\n-image: x\n+image: y\n"}, {});
  for (const char* part :
       {"Upgrade Milvus 2.2.16 -> 2.3.5", "milvus in /opt/milvus", "unix:///engine.sock",
        "image (R24): the image changes", "no way back once 2.3.5 has started: rocksmq",
        "Steps (3)", "-- outage begins --", "1. stop/standalone", "the service must be down (S1)",
        "-- outage ends --", "+image: y", "about 1s",
        "step up/standalone, when the new version really starts", "the objects",
        "the port is not published"}) {
    EXPECT_TRUE(Has(view.text, part)) << part << "\n" << view.text;
  }
  EXPECT_LT(view.text.find("-- outage begins --"), view.text.find("1. stop/standalone"));
  EXPECT_EQ(view.json.at("plan_hash").as_string(), plan::HashOf(SmallPlan()));
  EXPECT_EQ(view.json.at("estimated_outage_ms").as_int64(), 1'000);
  EXPECT_EQ(view.json.at("plan").as_object().at("to").as_string(), "2.3.5");
  EXPECT_TRUE(view.json.at("has_changes").as_bool());
}

TEST(PlanView, ShowsTheSplicesWhereThereIsNoDiff) {
  EXPECT_TRUE(Has(PlanView(SmallPlan(), {}, {}).text,
                  "/opt/milvus/docker-compose.yml: byte 12: v2.2.16 -> v2.3.5"));
}

TEST(PlanView, FoldsAtTheWidthAndNeverColoursWithoutLeave) {
  Style narrow;
  narrow.width = 60;
  const View view = PlanView(SmallPlan(), {}, narrow);
  EXPECT_FALSE(Has(view.text, "\x1b"));
  for (const std::string& line : Lines(view.text)) {
    // A line may be longer only for one word that cannot be folded.
    EXPECT_TRUE(line.size() <= 60 || Trim(line).find(' ') == std::string::npos ||
                line.starts_with("  /opt"))
        << line;
  }
  Style colored;
  colored.has_color = true;
  EXPECT_TRUE(Has(PlanView(SmallPlan(), {}, colored).text, "\x1b[33m"));
}

TEST(FindingsView, PutsErrorsFirstAndSkippedLast) {
  std::vector<model::Finding> findings = {
      {"info-id", model::Severity::kInfo, "", "info", "", "", false},
      {"skipped-id", model::Severity::kError, "", "was an error", "", "", true},
      {"warn-id", model::Severity::kWarning, "", "warned", "", "", false},
      {"error-id", model::Severity::kError, "etcd", "an alarm\x1b[2J", "it matters", "do so",
       false},
  };
  const View view = FindingsView(findings, {});
  EXPECT_EQ(view.text,
            "error     error-id  etcd: an alarm\n"
            "          why: it matters\n"
            "          fix: do so\n"
            "warning   warn-id  warned\n"
            "info      info-id  info\n"
            "skipped   skipped-id  was an error\n"
            "1 error, 1 warning\n");
  EXPECT_EQ(view.json.at("errors").to_number<int>(), 1);
  const auto& list = view.json.at("findings").as_array();
  EXPECT_EQ(list[0].as_object().at("id").as_string(), "error-id");
  EXPECT_TRUE(list[3].as_object().at("is_skipped").as_bool());
  EXPECT_EQ(FindingsView({}, {}).text, "no errors, no warnings\n");
}

}  // namespace
}  // namespace mu::ui
