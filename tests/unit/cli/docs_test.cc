// SPDX-License-Identifier: Apache-2.0
// The pages that are made from the tables are what the tables say. MU_UPDATE_DOCS=1 writes them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cli/manual.h"

namespace mu::cli {
namespace {

class Pages : public testing::TestWithParam<std::pair<std::string, std::string (*)()>> {};

TEST_P(Pages, SayWhatTheTablesSay) {
  const auto& [name, page] = GetParam();
  const std::string path = std::string(MU_SOURCE_DIR) + "/docs/" + name;
  if (std::getenv("MU_UPDATE_DOCS") != nullptr) std::ofstream(path) << page();
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), page()) << "write it again with MU_UPDATE_DOCS=1";
}

INSTANTIATE_TEST_SUITE_P(Docs, Pages,
                         testing::Values(std::pair("exit-codes.md", &ExitCodesPage),
                                         std::pair("errors.md", &ErrorsPage),
                                         std::pair("configuration.md", &ConfigurationPage),
                                         std::pair("migrate-yaml.md", &MigrateYamlPage),
                                         std::pair("commands.md", &CommandsPage)),
                         [](const auto& page) {
                           std::string name = page.param.first;
                           for (char& c : name) c = std::isalnum(c) != 0 ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace mu::cli
