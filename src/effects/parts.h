// SPDX-License-Identifier: Apache-2.0
// What the effect classes share: makers (one per file) and small readings of the world.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "milvus_upgrade/effects/effects.h"
#include "milvus_upgrade/observe/compose_observer.h"
#include "milvus_upgrade/plan/step.h"

namespace mu::effects {

using EffectMap = std::map<plan::StepKind, std::unique_ptr<run::Effect>>;

void AddImageEffects(const EffectPorts& ports, EffectMap* effects);
void AddBackupEffects(const EffectPorts& ports, EffectMap* effects);
void AddContainerEffects(const EffectPorts& ports, EffectMap* effects);
void AddSessionEffects(const EffectPorts& ports, EffectMap* effects);
void AddFileEffects(const EffectPorts& ports, EffectMap* effects);
void AddComposeEffects(const EffectPorts& ports, EffectMap* effects);
void AddGateEffects(const EffectPorts& ports, EffectMap* effects);
void AddVerifyEffects(const EffectPorts& ports, EffectMap* effects);
void AddMigrationEffects(const EffectPorts& ports, EffectMap* effects);
// REQUIRES: a Kube.
void AddRollingEffects(const EffectPorts& ports, EffectMap* effects);

// The containers of these names, all of which must exist. Errors: kContainerGone.
Result<std::vector<model::Container>> InspectAll(ports::Docker& docker,
                                                 const std::vector<std::string>& names);
std::vector<std::string> NamesOf(const std::vector<plan::ContainerRef>& containers);

// A gate reads only: it has nothing to see beforehand, and its wait is its act.
class Gate : public run::Effect {
 public:
  Result<std::optional<run::Evidence>> Seen(const plan::Step&, run::StepScope&) override {
    return std::nullopt;
  }
  Status Act(const plan::Step& step, run::StepScope& scope) override;
  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override;

 private:
  virtual Result<run::Evidence> Wait(const plan::Step& step, run::StepScope& scope) = 0;
  run::Evidence evidence_;
};

}  // namespace mu::effects
