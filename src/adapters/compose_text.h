// SPDX-License-Identifier: Apache-2.0
// What Compose prints, as values: the resolved project of v2 (JSON) and v1 (YAML, short and long
// syntax mixed), and its complaints. Pure functions. Sources: recorded from 2.40.3 and 1.29.2
// (tests/data/adapters).
#pragma once

#include <string>
#include <string_view>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/compose.h"

namespace mu::adapters {

// Errors: kYamlNoServices, kCommandOutput.
Result<model::ComposeProject> ProjectOfV2(std::string_view config);
// v1 prints no project name, names networks and volumes after it, and prints services of profiles
// that are not enabled: `selectors` decide. Errors: kYamlNoServices, kCommandOutput.
Result<model::ComposeProject> ProjectOfV1(std::string_view config,
                                          const model::ComposeSelectors& selectors);

// The error that `config` means by these words: kYamlSyntax, kYamlNoServices, kFileRead,
// kComposeFailed.
Error ConfigError(std::string_view err);
// Without progress lines and warnings.
std::string ComposeWords(std::string_view err);

// As a shell would split `command: sh -c "a b"`: Compose v1 prints commands unsplit.
std::vector<std::string> SplitWords(std::string_view line);

}  // namespace mu::adapters
