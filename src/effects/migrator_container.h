// SPDX-License-Identifier: Apache-2.0
// The migration by an image with Milvus's meta-migration tool in it. See
// milvus_upgrade/effects/migrator.h for what it promises. No bind mounts: files go in by the
// engine's API, so that the engine may be remote and the image may be made from scratch.
#pragma once

#include "milvus_upgrade/effects/migrator.h"

namespace mu::effects {

Result<run::Evidence> RunInContainer(const EffectPorts& ports, const plan::Migration& migration,
                                     const MigrationTarget& target, std::size_t keys,
                                     const std::string& log, const std::string& lock_record,
                                     run::StepScope& scope);

}  // namespace mu::effects
