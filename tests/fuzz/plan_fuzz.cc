// SPDX-License-Identifier: Apache-2.0
// The plan reader: any text is either refused with kPlanDamaged or is a plan that is written back
// with the same hash. The hash is made right first where the text has one, so that what is behind
// it is reached as well.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/plan/plan.h"

#define MUST(condition)                                                                   \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

namespace {

void Check(const std::string& text) {
  const auto plan = mu::plan::ParsePlan(text);
  if (!plan) {
    MUST(plan.error().code == mu::ErrorCode::kPlanDamaged);
    MUST(!plan.error().message.empty());
    return;
  }
  const std::string written = mu::plan::FormatPlan(*plan);
  const auto again = mu::plan::ParsePlan(written);
  MUST(again && *again == *plan);
  MUST(mu::plan::FormatPlan(*again) == written);
  MUST(!mu::plan::PlanText(*plan).empty() || (plan->steps.empty() && plan->hops.empty()));
  for (const mu::plan::Step& step : plan->steps) {
    if (const auto* replace = std::get_if<mu::plan::ReplaceFile>(&step.args))
      (void)mu::plan::ApplySplices(text, *replace);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  Check(text);
  // As FormatPlan makes it, so it fits where the mutation kept the canonical shape.
  const std::size_t mark = text.rfind(",\n  \"sha256\": \"");
  if (mark == std::string::npos) return 0;
  const std::string body = text.substr(0, mark) + "\n}\n";
  Check(text.substr(0, mark) + ",\n  \"sha256\": \"" + mu::Sha256(body) + "\"\n}\n");
  return 0;
}
