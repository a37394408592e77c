// SPDX-License-Identifier: Apache-2.0
// Checks of what the files would make against what runs: the label config-hash of Compose cannot be
// computed by others, so image, command, environment and mounts are compared one by one.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "milvus_upgrade/base/text.h"
#include "rules/check_support.h"

namespace mu::rules {
namespace {

using model::ComposeService;
using model::Container;
using model::MilvusService;
using model::Mount;

// Volumes that Compose carries over by itself have names of 64 hex digits.
bool IsAnonymous(const Mount& mount) {
  return mount.type == "volume" &&
         (mount.source.empty() ||
          (mount.source.size() == 64 &&
           mount.source.find_first_not_of("0123456789abcdef") == std::string::npos));
}

// `wanted` of the files and `actual` of the engine name the same data.
bool IsSameSource(const Mount& wanted, const Mount& actual) {
  if (wanted.type != actual.type) return false;
  return wanted.source.empty() || WithoutSlash(wanted.source) == WithoutSlash(actual.source);
}

std::string Describe(const Mount& mount) {
  if (IsAnonymous(mount)) return "an unnamed volume";
  return mount.type == "bind" ? mount.source : mount.type + " " + mount.source;
}

void CompareMounts(const model::Observed& observed, const std::string& service_name,
                   const Container& container, model::Severity severity, Findings& out) {
  const ComposeService* service = ServiceOf(observed, service_name);
  if (service == nullptr) return;
  const std::string cause =
      severity == model::Severity::kError
          ? "the container is made anew from the files: on other folders it would start an empty "
            "database"
          : "this service is not touched, but whoever brings it up from these files starts it "
            "empty";
  const std::string fix =
      fmt::format("run from the folder that the stack was made in ({}), or correct the files",
                  container.Label(std::string(kWorkingDirLabel)));
  const auto find = [](const std::vector<Mount>& mounts, const std::string& target) {
    return std::find_if(mounts.begin(), mounts.end(), [&](const Mount& mount) {
      return WithoutSlash(mount.target) == WithoutSlash(target);
    });
  };
  for (const Mount& wanted : service->mounts) {
    if (wanted.type == "tmpfs") continue;
    const auto actual = find(container.mounts, wanted.target);
    if (actual == container.mounts.end()) {
      Add(out, severity, service_name,
          fmt::format("the files mount {} at {}, where {} has nothing mounted", Describe(wanted),
                      wanted.target, container.name),
          cause, fix);
    } else if (!IsSameSource(wanted, *actual)) {
      Add(out, severity, service_name,
          fmt::format("{} has {} at {}, the files would mount {}", container.name,
                      Describe(*actual), wanted.target, Describe(wanted)),
          cause, fix);
    }
  }
  for (const Mount& actual : container.mounts) {
    // Read-only ones are Compose's `configs` and `secrets`, which are not in the list of mounts.
    if (actual.read_only || actual.type == "tmpfs" || IsAnonymous(actual)) continue;
    if (actual.target.starts_with("/run/secrets/")) continue;
    if (find(service->mounts, actual.target) != service->mounts.end()) continue;
    Add(out, severity, service_name,
        fmt::format("{} has {} at {}, the files mount nothing there", container.name,
                    Describe(actual), actual.target),
        cause, fix);
  }
}

// What this container keeps in its data folder and nowhere else, in words; "" when nothing.
std::string DataKeptBy(const model::MilvusSettings& settings, const MilvusService& milvus) {
  const bool has_local_queue = settings.queue == model::MessageQueue::kRocksmq ||
                               settings.queue == model::MessageQueue::kNatsmq;
  if (!milvus.container || settings.data_dir.empty()) return {};
  if (settings.storage_type == "local") return "Milvus keeps its data there";
  if (milvus.role == model::Role::kStandalone && has_local_queue)
    return "the message queue keeps rows there that are not stored yet";
  return {};
}

// The lasting mount that holds the data folder; null when it is in the container's own layer.
const Mount* DataMountOf(const model::MilvusSettings& settings, const Container& container) {
  const auto it =
      std::find_if(container.mounts.begin(), container.mounts.end(), [&](const Mount& mount) {
        return mount.type != "tmpfs" && IsWithin(settings.data_dir, mount.target);
      });
  return it == container.mounts.end() ? nullptr : &*it;
}

// The image that the container was made from; null when its name now means another one.
const model::Image* ImageOf(const model::Observed& observed, const Container& container) {
  const auto it = observed.images.find(container.image);
  if (it == observed.images.end() || !it->second) return nullptr;
  return it->second->id == container.image_id ? &*it->second : nullptr;
}

// Clients put their own proxy settings into the containers that they make.
bool IsProxyName(const std::string& name) { return ToLower(name).ends_with("_proxy"); }

// The command that the files make, or nothing when it depends on an image that is not known.
std::vector<std::string> WantedCommand(const ComposeService& service, const model::Image* image) {
  std::vector<std::string> command = service.entrypoint;
  if (command.empty()) {
    if (image == nullptr) return {};
    command = image->entrypoint;
  }
  if (!service.command.empty()) {
    command.insert(command.end(), service.command.begin(), service.command.end());
  } else if (service.entrypoint.empty()) {
    command.insert(command.end(), image->command.begin(), image->command.end());
  }
  return command;
}

std::vector<std::string> EnvironmentDrift(const ComposeService& service, const Container& container,
                                          const model::Image* image) {
  std::vector<std::string> names;
  for (const auto& [name, wanted] : service.environment) {
    const auto actual = container.environment.find(name);
    if (actual == container.environment.end() || wanted != actual->second) names.push_back(name);
  }
  if (image == nullptr) return names;
  for (const auto& [name, value] : container.environment) {
    if (service.environment.contains(name) || IsProxyName(name)) continue;
    const auto own = image->environment.find(name);
    if (own == image->environment.end() || own->second != value) names.push_back(name);
  }
  return names;
}

}  // namespace

void CheckDataInContainer(const CheckInput& in, Findings& out) {
  for (const MilvusService& milvus : in.observed.milvus) {
    const std::string kept = DataKeptBy(in.observed.settings, milvus);
    if (kept.empty() || DataMountOf(in.observed.settings, *milvus.container) != nullptr) continue;
    const std::string& folder = in.observed.settings.data_dir;
    AddError(
        out, milvus.service,
        fmt::format("{} of {} is in the container itself: no folder or volume is mounted there",
                    folder, milvus.container->name),
        fmt::format("{}; an upgrade makes the container anew, which would destroy it", kept),
        fmt::format("flush all collections, copy the folder out (docker cp {}:{} .), mount it "
                    "there in the compose file and bring the old version up with it first",
                    milvus.container->name, folder));
  }
}

void CheckUnnamedVolumes(const CheckInput& in, Findings& out) {
  for (const MilvusService& milvus : in.observed.milvus) {
    const std::string kept = DataKeptBy(in.observed.settings, milvus);
    if (kept.empty()) continue;
    const Mount* mount = DataMountOf(in.observed.settings, *milvus.container);
    if (mount == nullptr || !IsAnonymous(*mount)) continue;
    AddWarning(
        out, milvus.service,
        fmt::format("{} of {} is in a volume without a name ({})", in.observed.settings.data_dir,
                    milvus.container->name, mount->source.substr(0, 12)),
        fmt::format("{}; the upgrade carries it over, but `down`, `rm -v` or `up "
                    "--renew-anon-volumes` leaves an empty one in its place",
                    kept),
        fmt::format("give it a place of its own: stop Milvus, copy the folder out (docker cp "
                    "{}:{} .), mount a folder or a named volume with it there, and bring the old "
                    "version up with it",
                    milvus.container->name, in.observed.settings.data_dir));
  }
}

void CheckMounts(const CheckInput& in, Findings& out) {
  for (const MilvusService& milvus : in.observed.milvus) {
    if (milvus.container)
      CompareMounts(in.observed, milvus.service, *milvus.container, model::Severity::kError, out);
  }
  for (const Container& container : in.observed.other_containers) {
    CompareMounts(in.observed, container.Label(std::string(kServiceLabel)), container,
                  model::Severity::kWarning, out);
  }
}

namespace {

// v1 writes paths as they were given, from whatever folder: of those the names alone tell.
bool IsMadeFrom(const std::vector<std::string>& made_from, const std::vector<std::string>& files) {
  const auto is_same = [](const std::string& made, const std::string& file) {
    if (made.starts_with('/')) return made == file;
    return std::filesystem::path(made).filename() == std::filesystem::path(file).filename();
  };
  return std::equal(made_from.begin(), made_from.end(), files.begin(), files.end(), is_same);
}

void CompareComposeFiles(const model::Observed& observed, Findings& out) {
  for (const MilvusService& milvus : observed.milvus) {
    if (!milvus.container) continue;
    const std::string made_from = milvus.container->Label(std::string(kConfigFilesLabel));
    const std::vector<std::string> files = Split(made_from, ',');
    if (made_from.empty() || IsMadeFrom(files, observed.selectors.files)) continue;
    AddWarning(
        out, milvus.service,
        fmt::format("{} was made from {}, the files taken here are {}", milvus.container->name,
                    Join(files, ", "), Join(observed.selectors.files, ", ")),
        "the files taken here are edited, and the new container is made from them",
        fmt::format("name the files that are meant: -f {}", Join(files, " -f ")));
    return;
  }
}

}  // namespace

void CheckWorkingFolder(const CheckInput& in, Findings& out) {
  const std::string here = WithoutSlash(in.observed.project_directory);
  std::set<std::string> folders;
  for (const MilvusService& milvus : in.observed.milvus) {
    if (milvus.container)
      folders.insert(WithoutSlash(milvus.container->Label(std::string(kWorkingDirLabel))));
  }
  folders.erase("");
  if (here.empty() || folders.empty()) return;
  // Files of another folder have other paths anyhow.
  if (folders.contains(here)) return CompareComposeFiles(in.observed, out);
  AddWarning(
      out, here,
      fmt::format("the stack was made from {}, not from here",
                  Join({folders.begin(), folders.end()}, ", ")),
      "relative folders of the files mean other places here; the check \"mounts\" tells whether "
      "any does",
      fmt::format("run from {}, or give --project-directory", *folders.begin()));
}

void CheckProjectFolders(const CheckInput& in, Findings& out) {
  std::set<std::string> folders;
  const auto add = [&](const Container& container) {
    folders.insert(WithoutSlash(container.Label(std::string(kWorkingDirLabel))));
  };
  for (const MilvusService& milvus : in.observed.milvus) {
    if (milvus.container) add(*milvus.container);
  }
  for (const Container& container : in.observed.other_containers) add(container);
  folders.erase("");
  if (folders.size() < 2) return;
  AddError(out, in.observed.project.name,
           fmt::format("containers of this project were made from several folders: {}",
                       Join({folders.begin(), folders.end()}, ", ")),
           "two stacks under one project name replace each other's containers",
           "give each stack a project name of its own (-p), or bring the whole stack up from one "
           "folder first");
}

void CheckConfigDrift(const CheckInput& in, Findings& out) {
  constexpr std::string_view kCause =
      "the running stack has never seen this edit: it would come into force together with the new "
      "version, and a failure could be of either";
  const std::string fix =
      "bring it up once with the old version, or take the edit back, then run again";
  for (const MilvusService& milvus : in.observed.milvus) {
    const ComposeService* service = ServiceOf(in.observed, milvus.service);
    if (service == nullptr || !milvus.container) continue;
    const Container& container = *milvus.container;
    if (!service->image.empty() && service->image != container.image) {
      AddError(out, milvus.service,
               fmt::format("the files say {}, {} runs {}", service->image, container.name,
                           container.image),
               std::string(kCause), fix);
    }
    const model::Image* image = ImageOf(in.observed, container);
    const std::vector<std::string> wanted = WantedCommand(*service, image);
    if (!wanted.empty() && wanted != container.command) {
      AddError(out, milvus.service,
               fmt::format("the files run `{}`, {} runs `{}`", Join(wanted, " "), container.name,
                           Join(container.command, " ")),
               std::string(kCause), fix);
    }
    const std::vector<std::string> names = EnvironmentDrift(*service, container, image);
    if (!names.empty()) {
      AddError(out, milvus.service,
               fmt::format("the environment differs between the files and {}: {}", container.name,
                           Join(names, ", ")),
               std::string(kCause), fix);
    }
  }
}

}  // namespace mu::rules
