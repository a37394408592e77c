// SPDX-License-Identifier: Apache-2.0
// Checks of Compose, the engine and the images.
#include <fmt/format.h>

#include <charconv>
#include <set>

#include "rules/check_support.h"

namespace mu::rules {
namespace {

using model::ComposeGeneration;
using model::MilvusService;

// The first engine whose images Compose v1 cannot recreate a container from: it left the field
// ContainerConfig out (docker/compose#11742).
constexpr int kFirstEngineWithoutContainerConfig = 25;

int MajorOf(std::string_view version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major;
}

// The references that the services will have: one for each hop of the path.
std::set<std::string> WantedReferences(const CheckInput& in, const MilvusService& milvus) {
  std::set<std::string> wanted;
  if (in.path == nullptr) return wanted;
  for (const HopRule& hop : in.path->hops) {
    wanted.insert(milvus.image.WithTag(model::TagForVersion(milvus.image.tag, hop.to)).Text());
  }
  return wanted;
}

}  // namespace

void CheckComposeGeneration(const CheckInput& in, Findings& out) {
  const int major = MajorOf(in.observed.compose_version);
  if (in.observed.made_by_version.empty() || major == 0) return;
  const bool is_v1 = major == 1;
  if (is_v1 == (in.observed.made_by == ComposeGeneration::kV1)) return;
  AddError(out, in.observed.project.name,
           fmt::format("the stack was made by Compose {}, at hand is {}",
                       in.observed.made_by_version, in.observed.compose_version),
           is_v1 ? "Compose v1 would recreate every container of a v2 stack, etcd included"
                 : "Compose v2 refuses the network of a v1 stack in the middle of the change "
                   "",
           is_v1 ? "install the Compose plugin (docker-compose-plugin)"
                 : "install docker-compose 1.29, or bring the stack down and up once with v2");
}

void CheckComposeV1Engine(const CheckInput& in, Findings& out) {
  if (in.observed.made_by != ComposeGeneration::kV1) return;
  if (MajorOf(in.observed.engine.version) < kFirstEngineWithoutContainerConfig) return;
  AddError(
      out, in.observed.engine.version,
      fmt::format("Compose v1 cannot recreate containers on engine {}", in.observed.engine.version),
      "it stops with KeyError 'ContainerConfig' after the old container is gone "
      "(docker/compose#11742)",
      "move the stack to Compose v2 first: down with v1, up with v2 (never with -v)");
}

void CheckImages(const CheckInput& in, Findings& out) {
  std::set<std::string> said;
  for (const MilvusService& milvus : in.observed.milvus) {
    const model::ComposeService* service = ServiceOf(in.observed, milvus.service);
    for (const std::string& reference : WantedReferences(in, milvus)) {
      const auto it = in.observed.images.find(reference);
      if (it == in.observed.images.end() || it->second || !said.insert(reference).second) continue;
      if (service != nullptr && service->pull_policy == "never") {
        AddError(out, milvus.service,
                 fmt::format("{} is not on the engine and pull_policy is never", reference),
                 "the new container could not be made",
                 fmt::format("bring the image in: docker load, or docker pull {}", reference));
      } else if (const auto gone = in.observed.unavailable_images.find(reference);
                 gone != in.observed.unavailable_images.end()) {
        AddError(
            out, milvus.service, gone->second,
            "the image is neither on the engine nor in its registry",
            "check the version, the registry and the login, or bring the image in: docker load");
      } else {
        AddInfo(
            out, milvus.service, fmt::format("{} is not on the engine yet", reference),
            "it is pulled first, while the old version serves; if that fails nothing was stopped",
            "");
      }
    }
    if (!milvus.container) continue;
    const std::string& running = milvus.container->image;
    const auto it = in.observed.images.find(running);
    if (it != in.observed.images.end() && !it->second && said.insert(running).second) {
      AddWarning(out, milvus.service,
                 fmt::format("{}, which runs, is no longer on the engine", running),
                 "going back would have to pull it first, with Milvus down",
                 fmt::format("docker pull {} before the upgrade", running));
    }
  }
}

void CheckImageArchitecture(const CheckInput& in, Findings& out) {
  for (const MilvusService& milvus : in.observed.milvus) {
    if (!milvus.container) continue;
    const auto running = in.observed.images.find(milvus.container->image);
    if (running == in.observed.images.end() || !running->second) continue;
    for (const std::string& reference : WantedReferences(in, milvus)) {
      const auto wanted = in.observed.images.find(reference);
      if (wanted == in.observed.images.end() || !wanted->second) continue;
      const std::string& old_one = running->second->architecture;
      const std::string& new_one = wanted->second->architecture;
      if (old_one.empty() || new_one.empty() || old_one == new_one) continue;
      AddError(
          out, milvus.service,
          fmt::format("{} is for {}, the image that runs is for {}", reference, new_one, old_one),
          "it would not start on this machine, or run very slowly",
          fmt::format("pull the right one: docker pull --platform linux/{} {}", old_one,
                      reference));
    }
  }
}

void CheckImageDigest(const CheckInput& in, Findings& out) {
  for (const MilvusService& milvus : in.observed.milvus) {
    if (milvus.image.digest.empty()) continue;
    AddWarning(out, milvus.service,
               fmt::format("its image is pinned by digest: {}", milvus.image.Text()),
               "the digest names the old image only: the new one is written by tag",
               "add the digest of the new image afterwards; the report tells it");
  }
}

void CheckPullPolicy(const CheckInput& in, Findings& out) {
  for (const MilvusService& milvus : in.observed.milvus) {
    const model::ComposeService* service = ServiceOf(in.observed, milvus.service);
    if (service == nullptr || service->pull_policy != "always") continue;
    AddWarning(
        out, milvus.service, "pull_policy is always",
        "Compose asks the registry again while Milvus is down: the outage is longer by it, and "
        "without the registry the new container is not made",
        "set pull_policy: missing; the image is pulled before the outage anyway");
  }
}

void CheckBuild(const CheckInput& in, Findings& out) {
  for (const MilvusService& milvus : in.observed.milvus) {
    const model::ComposeService* service = ServiceOf(in.observed, milvus.service);
    if (service == nullptr || !service->has_build) continue;
    AddError(out, milvus.service, "its image is built here (build:)",
             "with another tag Compose would build the same Dockerfile again and give it the new "
             "version's name",
             "change the version in the Dockerfile yourself, or use a ready image");
  }
}

}  // namespace mu::rules
