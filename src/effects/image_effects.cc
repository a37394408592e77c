// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "effects/parts.h"
#include "milvus_upgrade/base/text.h"

namespace mu::effects {
namespace {

class PullEffect : public run::Effect {
 public:
  explicit PullEffect(ports::Docker& docker) : docker_(docker) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step, run::StepScope&) override {
    const std::string& reference = std::get<plan::PullImage>(step.args).image;
    MU_TRY(const auto image, docker_.InspectImage(reference));
    if (!image) return std::nullopt;
    return run::Evidence{
        {"image", reference}, {"id", image->id}, {"digests", Join(image->repo_digests, " ")}};
  }

  Status Act(const plan::Step& step, run::StepScope&) override {
    return docker_.Pull(std::get<plan::PullImage>(step.args).image);
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override {
    MU_TRY(auto seen, Seen(step, scope));
    if (seen) return *seen;
    return Fail(ErrorCode::kImageMissing,
                fmt::format("{} was pulled, but the engine does not have it",
                            std::get<plan::PullImage>(step.args).image));
  }

 private:
  ports::Docker& docker_;
};

}  // namespace

void AddImageEffects(const EffectPorts& ports, EffectMap* effects) {
  (*effects)[plan::StepKind::kPullImage] = std::make_unique<PullEffect>(ports.docker);
}

}  // namespace mu::effects
