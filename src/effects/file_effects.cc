// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "effects/parts.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/edit/compose_edit.h"
#include "milvus_upgrade/plan/plan.h"

namespace mu::effects {
namespace {

class ReplaceEffect : public run::Effect {
 public:
  explicit ReplaceEffect(ports::Files& files) : files_(files) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step,
                                            run::StepScope& scope) override {
    const auto& args = std::get<plan::ReplaceFile>(step.args);
    MU_TRY(const std::string now, files_.Sha256Of(args.path));
    difference_.clear();
    if (now != args.sha256_after) {
      difference_ = DifferenceOf(args, scope.RunFolder() + "/" + args.original, now);
      return std::nullopt;
    }
    return run::Evidence{{"path", args.path}, {"sha256", now}};
  }

  std::string Difference() const override { return difference_; }

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
  // Between what the file should be by now and what it is. "" where it was not replaced yet.
  std::string DifferenceOf(const plan::ReplaceFile& args, const std::string& original,
                           const std::string& sha256_now) {
    if (sha256_now == args.sha256_before) return args.path + " is as it was before the upgrade";
    const auto old = files_.Read(original);
    const auto now = files_.Read(args.path);
    if (!old || !now) return {};
    const auto wanted = plan::ApplySplices(*old, args);
    return wanted ? edit::UnifiedDiff(args.path, *wanted, *now) : std::string();
  }

  ports::Files& files_;
  std::string difference_;
};

}  // namespace

void AddFileEffects(const EffectPorts& ports, EffectMap* effects) {
  (*effects)[plan::StepKind::kReplaceFile] = std::make_unique<ReplaceEffect>(ports.files);
}

}  // namespace mu::effects
