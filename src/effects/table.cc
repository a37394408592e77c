// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "effects/parts.h"
#include "milvus_upgrade/base/text.h"

namespace mu::effects {
namespace {

class Table : public run::EffectTable {
 public:
  explicit Table(const EffectPorts& ports) : ports_(ports) {
    AddImageEffects(ports_, &effects_);
    AddBackupEffects(ports_, &effects_);
    AddContainerEffects(ports_, &effects_);
    AddSessionEffects(ports_, &effects_);
    AddFileEffects(ports_, &effects_);
    AddComposeEffects(ports_, &effects_);
    AddGateEffects(ports_, &effects_);
    AddVerifyEffects(ports_, &effects_);
    AddMigrationEffects(ports_, &effects_);
    if (ports_.kube != nullptr) AddRollingEffects(ports_, &effects_);
  }

  run::Effect& For(plan::StepKind kind) override { return *effects_.at(kind); }

  Status Check(const plan::Expectation& expectation) override {
    switch (expectation.kind) {
      case plan::Expectation::Kind::kFileHash:
        return CheckFile(expectation.subjects.at(0), expectation.value);
      case plan::Expectation::Kind::kContainersDown:
        return CheckDown(expectation.subjects);
      case plan::Expectation::Kind::kNoForeignSession:
        return CheckSessions(expectation.subjects.at(0), expectation.subjects.at(1));
      case plan::Expectation::Kind::kImagePresent:
        return CheckImage(expectation.subjects.at(0), expectation.value);
    }
    return Fail(ErrorCode::kInternal, "an expectation of an unknown kind");
  }

 private:
  Status CheckFile(const std::string& path, const std::string& sha256) {
    MU_TRY(const std::string now, ports_.files.Sha256Of(path));
    if (now == sha256) return {};
    return Fail(
        ErrorCode::kFileChanged,
        fmt::format("{} was changed by someone since the plan was made (SHA-256 {} instead of {})",
                    path, now.substr(0, 12), sha256.substr(0, 12)));
  }

  Status CheckDown(const std::vector<std::string>& names) {
    MU_TRY(const auto containers, ports_.docker.Inspect(names));
    for (const auto& container : containers) {
      if (!container || (!container->IsRunning() && container->status != "restarting")) continue;
      return Fail(ErrorCode::kContainerStarted,
                  fmt::format("{} is {} since {}, but the upgrade holds it down", container->name,
                              container->status, container->started_at));
    }
    return {};
  }

  Status CheckSessions(const std::string& container, const std::string& prefix) {
    MU_TRY(const auto sessions, observe::ReadSessions(ports_.etcd, container, prefix));
    if (sessions.empty()) return {};
    const model::Session& session = sessions.front();
    return Fail(ErrorCode::kSessionForeign,
                fmt::format("a Milvus process at {} holds {} while all of this project are down",
                            session.address, session.key));
  }

  Status CheckImage(const std::string& reference, const std::string& id) {
    MU_TRY(const auto image, ports_.docker.InspectImage(reference));
    if (!image)
      return Fail(ErrorCode::kImageMissing,
                  fmt::format("the image {} is gone from the engine", reference));
    if (id.empty() || image->id == id) return {};
    return Fail(ErrorCode::kStalePlan,
                fmt::format("{} names another image than when the plan was made ({} instead of {})",
                            reference, image->id, id));
  }

  EffectPorts ports_;
  EffectMap effects_;
};

}  // namespace

Result<std::vector<model::Container>> InspectAll(ports::Docker& docker,
                                                 const std::vector<std::string>& names) {
  MU_TRY(const auto found, docker.Inspect(names));
  std::vector<model::Container> containers;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i])
      return Fail(ErrorCode::kContainerGone,
                  fmt::format("there is no container {} any more", names[i]));
    containers.push_back(*found[i]);
  }
  return containers;
}

std::vector<std::string> NamesOf(const std::vector<plan::ContainerRef>& containers) {
  std::vector<std::string> names;
  for (const plan::ContainerRef& container : containers) names.push_back(container.name);
  return names;
}

Status Gate::Act(const plan::Step& step, run::StepScope& scope) {
  MU_TRY(evidence_, Wait(step, scope));
  return {};
}

Result<run::Evidence> Gate::Confirm(const plan::Step&, run::StepScope&) { return evidence_; }

std::unique_ptr<run::EffectTable> MakeEffects(const EffectPorts& ports) {
  return std::make_unique<Table>(ports);
}

}  // namespace mu::effects
