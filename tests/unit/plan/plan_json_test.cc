// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/plan/plan.h"
#include "unit/plan/sample_plans.h"

namespace mu::plan {
namespace {

// The text with its first `what` replaced and the hash made right again, as if a tool had written
// it: what is tested is the reader, not the hash.
std::string Forged(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  text.replace(at, what.size(), with);
  const std::size_t comma = text.rfind(",\n  \"sha256\"");
  const std::string body = text.substr(0, comma) + "\n}\n";
  return body.substr(0, body.size() - 3) + ",\n  \"sha256\": \"" + Sha256(body) + "\"\n}\n";
}

std::string MessageOf(const std::string& text) {
  const auto plan = ParsePlan(text);
  if (plan) return "a plan";
  EXPECT_EQ(plan.error().code, ErrorCode::kPlanDamaged);
  return plan.error().message;
}

TEST(StepKinds, RowsAreInTheOrderOfNumbersWithNamesOfTheirOwn) {
  std::set<std::string_view> names;
  int number = 0;
  for (const StepKindRow& row : StepKindTable()) {
    EXPECT_EQ(static_cast<int>(row.kind), ++number);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(&RowOf(row.kind), &row);
  }
  EXPECT_EQ(RowOf(StepKind::kRecordSessions).name, "record-sessions");
  EXPECT_TRUE(RowOf(StepKind::kWaitServices).is_read_only);
  EXPECT_FALSE(RowOf(StepKind::kReplaceFile).is_read_only);
}

TEST(PlanJson, EveryKindComesBackEqual) {
  const Plan plan = samples::EveryKind();
  ASSERT_EQ(plan.steps.size(), StepKindTable().size());
  const std::string text = FormatPlan(plan);
  const auto back = ParsePlan(text);
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(*back, plan);
  EXPECT_EQ(FormatPlan(*back), text);
}

TEST(PlanJson, HoldsBytesThatAreNotUtf8) {
  Plan plan = samples::EveryKind();
  plan.project_directory = "/srv/m\xFCller";
  plan.notes = {std::string("tab\t quote\" nul\0 end", 20), "\xE2\x82\xAC"};
  const auto back = ParsePlan(FormatPlan(plan));
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(*back, plan);
}

// The file is the example of docs/plan-format.md; a change here is a change of the format.
TEST(PlanJson, FormatIsAsDocumented) {
  Plan plan;
  plan.tool_version = "0.1.0";
  plan.instance = "milvus";
  plan.engine = "unix:///var/run/docker.sock";
  plan.project_directory = "/srv/milvus";
  plan.from = "2.2.16";
  plan.to = "2.3.5";
  plan.hops = {{"2.2.16", "2.3.5", "R24", "image", "the next minor version", true, ""}};
  plan.fingerprint = Sha256("facts");
  Step step;
  step.id = "files/docker-compose.yml";
  step.kind = StepKind::kReplaceFile;
  step.rule = "R24";
  step.cause = "docker-compose.yml:1: image of standalone";
  step.args = samples::SampleReplace();
  step.expects = {{Expectation::Kind::kFileHash,
                   {"/srv/milvus/docker-compose.yml"},
                   samples::SampleReplace().sha256_before}};
  step.undo = Undo::kInverse;
  step.estimate = Millis(20);
  plan.steps = {step};

  std::ifstream file(MU_SOURCE_DIR "/docs/plan-format.md");
  std::ostringstream document;
  document << file.rdbuf();
  EXPECT_NE(document.str().find("```json\n" + FormatPlan(plan) + "```\n"), std::string::npos)
      << FormatPlan(plan);
}

TEST(PlanJson, HashIsThatOfTheTextAndOfNothingElse) {
  const Plan plan = samples::EveryKind();
  const std::string hash = HashOf(plan);
  EXPECT_NE(FormatPlan(plan).find("\"sha256\": \"" + hash + "\""), std::string::npos);
  std::string read;
  EXPECT_EQ(HashOf(*ParsePlan(FormatPlan(plan), &read)), hash);
  EXPECT_EQ(read, hash);
  Plan other = plan;
  other.steps[5].timeout += Millis(1);
  EXPECT_NE(HashOf(other), hash);
}

TEST(PlanJson, RefusesWhatIsDamaged) {
  const std::string text = FormatPlan(samples::EveryKind());
  EXPECT_NE(MessageOf("").find("not JSON"), std::string::npos);
  EXPECT_NE(MessageOf("[]").find("not a JSON object"), std::string::npos);
  EXPECT_NE(MessageOf("{}").find("format is missing"), std::string::npos);
  std::string changed = text;
  changed.replace(changed.find("v2.3.5"), 6, "v2.3.6");
  EXPECT_NE(MessageOf(changed).find("sha256 differs"), std::string::npos);
  EXPECT_NE(MessageOf(Forged(text, "\"format\": 1", "\"format\": 2")).find("format 2"),
            std::string::npos);
  EXPECT_NE(MessageOf(Forged(text, "\"from\"", "\"form\"")).find("from is missing"),
            std::string::npos);
  EXPECT_NE(MessageOf(Forged(text, "\"image\": ", "\"more\": 1,\n \"image\": "))
                .find("steps[0].args.more is not a field"),
            std::string::npos);
  EXPECT_NE(MessageOf(Forged(text, "\"timeout_ms\": 60000", "\"timeout_ms\": 1.5"))
                .find("steps[0].timeout_ms is not a whole number"),
            std::string::npos);
  EXPECT_NE(MessageOf(Forged(text, "\"pull-image\"", "\"dance\"")).find("steps[0].kind is a name"),
            std::string::npos);
}

TEST(PlanJson, RefusesStepsThatDoNotFitTogether) {
  Plan plan = samples::EveryKind();
  plan.steps[1].id = plan.steps[0].id;
  EXPECT_NE(MessageOf(FormatPlan(plan)).find("two steps"), std::string::npos);
  plan = samples::EveryKind();
  plan.steps[0].needs = {plan.steps[1].id};
  EXPECT_NE(MessageOf(FormatPlan(plan)).find("not before it"), std::string::npos);
  plan = samples::EveryKind();
  plan.steps[3].hop = 1;
  EXPECT_NE(MessageOf(FormatPlan(plan)).find("hop"), std::string::npos);
}

TEST(PlanJson, RefusesEveryCut) {
  const std::string text = FormatPlan(samples::EveryKind());
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    ASSERT_FALSE(ParsePlan(std::string_view(text).substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace mu::plan
