// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "effects/kept_release.h"
#include "effects/parts.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/wait.h"

namespace mu::effects {
namespace {

class VerifyGate : public Gate {
 public:
  VerifyGate(ports::Runner& runner, ports::Files& files, ports::Clock& clock)
      : runner_(runner), files_(files), clock_(clock) {}

 private:
  Result<run::Evidence> Wait(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::VerifyData>(step.args);
    return args.is_baseline ? Baseline(step, args, scope) : Compare(step, args, scope);
  }

  Result<ports::CommandResult> Ask(const plan::Step& step, const plan::VerifyData& args) {
    ports::Command command;
    command.argv = args.command;
    command.timeout = step.timeout;
    return runner_.Run(command);
  }

  Result<run::Evidence> Baseline(const plan::Step& step, const plan::VerifyData& args,
                                 run::StepScope& scope) {
    MU_TRY(const ports::CommandResult result, Ask(step, args));
    if (result.exit_code != 0) {
      return Fail(ErrorCode::kVerifyFailed,
                  fmt::format("the check by a client fails before the upgrade (exit code {}): {}",
                              result.exit_code,
                              Tail(Printable(result.err.empty() ? result.out : result.err), 3)),
                  "correct --verify-cmd or the service; nothing was touched");
    }
    MU_CHECK(files_.Replace(scope.RunFolder() + "/" + kVerifyBefore, result.out, 0600));
    return run::Evidence{{"exit_code", "0"}, {"output", Tail(Printable(result.out), 1)}};
  }

  Result<run::Evidence> Compare(const plan::Step& step, const plan::VerifyData& args,
                                run::StepScope& scope) {
    MU_TRY(const std::string before, HashBefore(scope.RunFolder() + "/"));
    std::string out;
    const auto look = [&]() -> Result<run::Observation> {
      MU_TRY(const ports::CommandResult result, Ask(step, args));
      out = result.out;
      if (result.exit_code != 0) {
        return run::Observation{
            false, fmt::format("exit code {}: {}", result.exit_code,
                               Tail(Printable(result.err.empty() ? result.out : result.err), 1))};
      }
      if (args.compares_output && Sha256(result.out) != before) {
        return run::Observation{false,
                                "another answer than before: " + Tail(Printable(result.out), 1)};
      }
      return run::Observation{true, "the same answer as before"};
    };
    const auto last =
        run::WaitFor("the check by a client", step.timeout, Millis(500), clock_, scope, look);
    MU_CHECK(files_.Replace(scope.RunFolder() + "/verify-after.out", out, 0600));
    if (!last) {
      Error error = last.error();
      if (error.code == ErrorCode::kGateTimeout) error.code = ErrorCode::kVerifyFailed;
      return Fail(std::move(error));
    }
    return run::Evidence{{"exit_code", "0"}, {"output", Tail(Printable(out), 1)}};
  }

  Result<std::string> HashBefore(const std::string& folder) {
    MU_TRY(const auto is_here, files_.Stat(folder + kVerifyBefore));
    MU_TRY(const std::string text,
           files_.Read(folder + (is_here ? kVerifyBefore : kVerifyBeforeHash)));
    return is_here ? Sha256(text) : text;
  }

  ports::Runner& runner_;
  ports::Files& files_;
  ports::Clock& clock_;
};

}  // namespace

void AddVerifyEffects(const EffectPorts& ports, EffectMap* effects) {
  (*effects)[plan::StepKind::kVerifyData] =
      std::make_unique<VerifyGate>(ports.runner, ports.files, ports.clock);
}

}  // namespace mu::effects
