// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <utility>

#include "effects/parts.h"
#include "milvus_upgrade/base/text.h"

namespace mu::effects {
namespace {

class UpEffect : public run::Effect {
 public:
  UpEffect(ports::Docker& docker, ports::Compose& compose) : docker_(docker), compose_(compose) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step,
                                            run::StepScope& scope) override {
    MU_TRY(const auto containers, Look(step));
    for (const Wanted& wanted : containers) {
      if (!wanted.container || !wanted.container->IsRunning() ||
          wanted.container->image_id != wanted.image_id) {
        return std::nullopt;
      }
    }
    // Where `up` has worked and its answer did not reach us, the start is told here.
    MU_CHECK(TellStarts(containers, scope));
    return EvidenceOf(containers);
  }

  Status Act(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::UpServices>(step.args);
    MU_CHECK(RemoveLeftovers(args));
    const Status up = compose_.Up(args.generation, args.selectors, args.services);
    // What matters is what has happened, whatever Compose says: a port in use or a missing image is
    // before the first start, a crash after it.
    MU_TRY(const auto containers, Look(step));
    MU_CHECK(TellStarts(containers, scope));
    if (up) {
      looked_ = containers;  // it decides, and each look is outage
      return {};
    }
    Error error = up.error();
    for (const Wanted& wanted : containers) {
      if (wanted.container && !wanted.container->error.empty())
        error.message += Printable("; " + wanted.container->name + ": " + wanted.container->error);
    }
    return Fail(std::move(error));
  }

  // One look decides: a container that ends and is restarted is another thing at the next look.
  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope&) override {
    auto looked = std::exchange(looked_, {});
    if (looked.empty()) {
      MU_TRY(looked, Look(step));
    }
    const std::vector<Wanted>& containers = looked;
    for (const Wanted& wanted : containers) {
      if (!wanted.container) {
        return Fail(ErrorCode::kContainerGone, fmt::format("{} was not created", wanted.name));
      }
      if (wanted.container->image_id != wanted.image_id) {
        return Fail(ErrorCode::kContainerFailed,
                    fmt::format("{} runs {} and not {}", wanted.name, wanted.container->image,
                                wanted.reference));
      }
      if (!wanted.container->IsRunning()) {
        const std::string cause = observe::CauseOf(*wanted.container, docker_);
        return Fail(ErrorCode::kContainerFailed,
                    fmt::format("{} does not run: {}", wanted.name,
                                cause.empty() ? wanted.container->status : cause));
      }
    }
    return EvidenceOf(containers);
  }

 private:
  struct Wanted {
    std::string name;
    std::string reference;
    std::string image_id;
    std::optional<model::Container> container;
  };

  // For the journal: which containers of the wanted image have really started.
  static Status TellStarts(const std::vector<Wanted>& containers, run::StepScope& scope) {
    run::Evidence started;
    for (const Wanted& wanted : containers) {
      if (wanted.container && wanted.container->image_id == wanted.image_id &&
          wanted.container->HasEverStarted())
        started[wanted.container->name] = wanted.container->started_at;
    }
    return started.empty() ? Status() : scope.Event("first-start", started);
  }

  static run::Evidence EvidenceOf(const std::vector<Wanted>& containers) {
    run::Evidence evidence;
    for (const Wanted& wanted : containers) {
      evidence[wanted.name] = wanted.container->image + " " + wanted.container->image_id +
                              " since " + wanted.container->started_at;
    }
    return evidence;
  }

  Result<std::vector<Wanted>> Look(const plan::Step& step) {
    const auto& args = std::get<plan::UpServices>(step.args);
    std::vector<Wanted> all;
    std::vector<std::string> names;
    std::map<std::string, std::string> ids;
    for (const std::string& service : args.services) {
      const std::string& reference = args.images.at(service);
      if (!ids.contains(reference)) {
        MU_TRY(const auto image, docker_.InspectImage(reference));
        if (!image)
          return Fail(ErrorCode::kImageMissing,
                      fmt::format("the image {} is gone from the engine", reference));
        ids[reference] = image->id;
      }
      all.push_back({args.containers.at(service), reference, ids[reference], std::nullopt});
      names.push_back(all.back().name);
    }
    MU_TRY(const auto containers, docker_.Inspect(names));
    for (std::size_t i = 0; i < all.size(); ++i) all[i].container = containers[i];
    return all;
  }

  // An `up` that was killed between creating the new container and removing the old one leaves the
  // new one as "<old id>_<name>", and the next `up` would start it under that name (measured,
  // Compose 2.40.3). It has never started: nothing is lost with it.
  Status RemoveLeftovers(const plan::UpServices& args) {
    if (args.selectors.project_name.empty()) return {};
    MU_TRY(const auto ids,
           docker_.List({"com.docker.compose.project=" + args.selectors.project_name}));
    MU_TRY(const auto found, docker_.Inspect(ids));
    for (const auto& container : found) {
      if (!container || container->HasEverStarted()) continue;
      const auto name = args.containers.find(container->Label("com.docker.compose.service"));
      if (name != args.containers.end() && container->name.ends_with("_" + name->second))
        MU_CHECK(docker_.Remove(container->id, false));
    }
    return {};
  }

  ports::Docker& docker_;
  ports::Compose& compose_;
  std::vector<Wanted> looked_;  // by the last act, for its proof
};

}  // namespace

void AddComposeEffects(const EffectPorts& ports, EffectMap* effects) {
  (*effects)[plan::StepKind::kUpServices] = std::make_unique<UpEffect>(ports.docker, ports.compose);
}

}  // namespace mu::effects
