// SPDX-License-Identifier: Apache-2.0
// Compose: the project as Compose resolves it, and `up` of named services. v1 and v2 are two
// programs behind it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/compose.h"

namespace mu::ports {

// Which environment Compose sees: ours, or a clean one (PATH, HOME, DOCKER_* only), to prove that
// an edit does not depend on the shell.
enum class ComposeEnvironment { kOurs, kClean };

// Errors of all: kComposeMissing, kCommandTimeout; and those named.
class Compose {
 public:
  virtual ~Compose() = default;
  virtual Result<std::string> Version(model::ComposeGeneration generation) = 0;
  // The resolved project. `replaced` maps absolute paths to other files to read in their place (a
  // scratch copy of an edited file). Errors: kYamlSyntax, kYamlNoServices, kFileRead,
  // kComposeFailed, each with Compose's own words.
  virtual Result<model::ComposeProject> Config(model::ComposeGeneration generation,
                                               const model::ComposeSelectors& selectors,
                                               ComposeEnvironment environment) = 0;
  // `up -d --no-deps --no-build --pull never SERVICE...`: recreates what differs, starts what is
  // stopped. Errors: kComposeFailed with its words.
  virtual Status Up(model::ComposeGeneration generation, const model::ComposeSelectors& selectors,
                    const std::vector<std::string>& services) = 0;
};

}  // namespace mu::ports
