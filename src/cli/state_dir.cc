// SPDX-License-Identifier: Apache-2.0
#include "cli/state_dir.h"

namespace mu::cli {

Result<std::string> StateDirOf(Wiring& wiring, const config::Config& config) {
  if (!config.state_dir.empty()) return wiring.StateDir(config, "");
  auto selectors = observe::ResolveSelectors(wiring.World(), config.selectors);
  if (selectors) return wiring.StateDir(config, observe::ProjectDirectoryOf(*selectors));
  const std::string here = wiring.StateDir(config, ".");
  MU_TRY(const auto facts, wiring.Files().Stat(here));
  if (facts) return here;
  return Fail(std::move(selectors).error());
}

}  // namespace mu::cli
