// SPDX-License-Identifier: Apache-2.0
// --help as text, made from the command and key tables. Pure.
#pragma once

#include <string>

#include "cli/commands.h"
#include "milvus_upgrade/config/keys.h"
#include "ui/style.h"

namespace mu::cli {

std::string OverviewHelp(const ui::Style& style);
std::string CommandHelp(const CommandRow& command, const ui::Style& style);

// "milvus-upgrade apply FILE [flags]"
std::string UsageLine(const CommandRow& command);
// "-f, --file FILE", as this command takes it.
std::string FlagLabel(const config::KeyRow& key, unsigned command);
// The sentence of a key with its choices, default and variable.
std::string FlagText(const config::KeyRow& key);
// "help" and "version" are no keys: they are understood everywhere.
inline constexpr std::string_view kHelpLabel = "-h, --help";
inline constexpr std::string_view kHelpText = "show this help";
inline constexpr std::string_view kVersionLabel = "-V, --version";
inline constexpr std::string_view kVersionText = "show the version of this program";

}  // namespace mu::cli
