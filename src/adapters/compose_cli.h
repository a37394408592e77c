// SPDX-License-Identifier: Apache-2.0
// Compose through its programs: `docker compose`, or a standalone `docker-compose` of version 2,
// for v2; `docker-compose` of version 1 for v1. Remembers which program serves which generation.
// Never mixes generations: one that is not installed is an error.
//
// `docker compose` and not the plugin's own binary: that would save about 45 ms a call (measured,
// once in an outage) and would have to find the plugin as the user's docker client does.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "milvus_upgrade/ports/compose.h"
#include "milvus_upgrade/ports/runner.h"

namespace mu::adapters {

class ComposeCli final : public ports::Compose {
 public:
  explicit ComposeCli(ports::Runner& runner) : runner_(runner) {}
  Result<std::string> Version(model::ComposeGeneration generation) override;
  Result<model::ComposeProject> Config(model::ComposeGeneration generation,
                                       const model::ComposeSelectors& selectors,
                                       ports::ComposeEnvironment environment) override;
  Status Up(model::ComposeGeneration generation, const model::ComposeSelectors& selectors,
            const std::vector<std::string>& services) override;

 private:
  struct Program {
    std::vector<std::string> argv;
    std::string version;
  };
  Result<Program> Find(model::ComposeGeneration generation);
  Result<ports::CommandResult> Run(model::ComposeGeneration generation,
                                   const model::ComposeSelectors& selectors,
                                   const std::vector<std::string>& verb, Millis timeout,
                                   ports::ComposeEnvironment environment);

  ports::Runner& runner_;
  std::map<model::ComposeGeneration, Program> programs_;
};

}  // namespace mu::adapters
