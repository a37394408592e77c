// SPDX-License-Identifier: Apache-2.0
// docs/rules.md is what the tables say. MU_UPDATE_DOCS=1 writes it.
#include "milvus_upgrade/rules/markdown.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "milvus_upgrade/rules/checks.h"
#include "milvus_upgrade/rules/version_path.h"

namespace mu::rules {
namespace {

TEST(RulesMarkdown, EqualsThePage) {
  const std::string path = std::string(MU_SOURCE_DIR) + "/docs/rules.md";
  if (std::getenv("MU_UPDATE_DOCS") != nullptr) std::ofstream(path) << RulesMarkdown();
  std::ifstream file(path);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(page, RulesMarkdown()) << "MU_UPDATE_DOCS=1 test_rules writes it";
}

TEST(RulesMarkdown, HoldsEveryRow) {
  const std::string text = RulesMarkdown();
  for (const RuleRow& row : RuleTable())
    EXPECT_NE(text.find("| " + std::string(row.id) + " |"), std::string::npos) << row.id;
  for (const CheckRow& row : CheckTable())
    EXPECT_NE(text.find("| " + std::string(row.id) + " |"), std::string::npos) << row.id;
}

}  // namespace
}  // namespace mu::rules
