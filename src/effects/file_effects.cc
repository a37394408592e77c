// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "effects/parts.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/plan/plan.h"

namespace mu::effects {
namespace {

class ReplaceEffect : public run::Effect {
 public:
  explicit ReplaceEffect(ports::Files& files) : files_(files) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step, run::StepScope&) override {
    const auto& args = std::get<plan::ReplaceFile>(step.args);
    MU_TRY(const std::string now, files_.Sha256Of(args.path));
    if (now != args.sha256_after) return std::nullopt;
    return run::Evidence{{"path", args.path}, {"sha256", now}};
  }

  Status Act(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::ReplaceFile>(step.args);
    MU_TRY(const std::string before, files_.Read(args.path));
    MU_TRY(const std::string after, plan::ApplySplices(before, args));
    const std::string copy = scope.RunFolder() + "/" + args.original;
    MU_TRY(const auto has_copy, files_.Stat(copy));
    if (!has_copy) {
      MU_CHECK(files_.MakeFolders(scope.RunFolder() + "/files", 0700));
      MU_CHECK(files_.Create(copy, before, 0600));
    }
    return files_.Replace(args.path, after, 0644);
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override {
    MU_TRY(auto seen, Seen(step, scope));
    if (seen) return *seen;
    return Fail(ErrorCode::kFileChanged,
                fmt::format("{} was written, but someone changed it at once",
                            std::get<plan::ReplaceFile>(step.args).path));
  }

 private:
  ports::Files& files_;
};

}  // namespace

void AddFileEffects(const EffectPorts& ports, EffectMap* effects) {
  (*effects)[plan::StepKind::kReplaceFile] = std::make_unique<ReplaceEffect>(ports.files);
}

}  // namespace mu::effects
