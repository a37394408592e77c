// SPDX-License-Identifier: Apache-2.0
// What is written from the tables: the man page and the reference pages of docs/. Pure; a test
// holds the files of docs/ equal to this.
#pragma once

#include <string>

namespace mu::cli {

std::string ManPage();
std::string ExitCodesPage();      // docs/exit-codes.md
std::string ErrorsPage();         // docs/errors.md
std::string ConfigurationPage();  // docs/configuration.md
std::string CommandsPage();       // docs/commands.md
std::string MigrateYamlPage();    // docs/migrate-yaml.md

}  // namespace mu::cli
