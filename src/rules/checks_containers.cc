// SPDX-License-Identifier: Apache-2.0
// Checks of the containers that run, and of their sessions.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "milvus_upgrade/base/text.h"
#include "rules/check_support.h"

namespace mu::rules {
namespace {

using model::Container;
using model::MilvusService;
using model::Session;

// "on-failure:3" and "on-failure" are one policy; "" in a file means "no".
std::string PolicyName(const std::string& restart) {
  const std::string name = restart.substr(0, restart.find(':'));
  return name.empty() ? "no" : name;
}

std::vector<std::string> AddressesOfMilvus(const model::Observed& observed) {
  std::vector<std::string> all;
  for (const MilvusService& milvus : observed.milvus) {
    if (!milvus.container) continue;
    for (std::string& address : AddressesOf(*milvus.container)) all.push_back(std::move(address));
  }
  return all;
}

// A container on the host's network has no address of its own: then sessions cannot be told by it.
bool CanTellByAddress(const model::Observed& observed) {
  return std::all_of(observed.milvus.begin(), observed.milvus.end(), [](const MilvusService& m) {
    return m.container && !AddressesOf(*m.container).empty();
  });
}

// From 2.3 on datacoord does the work of indexcoord and holds its key: the container of indexcoord
// runs without a session (measured, tests/real/stop_table).
bool RunsWithoutSession(model::Role role, const std::optional<model::Version>& running) {
  return role == model::Role::kIndexCoord && running && IsAtLeastMinor(*running, 2, 3);
}

bool Holds(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

void CheckContainers(const CheckInput& in, Findings& out) {
  for (const MilvusService& milvus : in.observed.milvus) {
    const std::string& service = milvus.service;
    if (!milvus.container) {
      AddError(out, service, "it has no container",
               "the upgrade starts from a stack that runs: versions, sessions and mounts are read "
               "from it",
               "bring the stack up with its present version first; if it runs, check the project "
               "name (-p) and folder (--project-directory)");
      continue;
    }
    const Container& container = *milvus.container;
    const std::string& status = container.status;
    if (status == "restarting") {
      AddError(out, service,
               fmt::format("{} restarts again and again ({} times)", container.name,
                           container.restart_count),
               "a server that does not run cannot be upgraded with its data proven",
               fmt::format("read `docker logs --tail 50 {}` and mend it first", container.name));
    } else if (!container.IsRunning()) {
      std::string detail;
      if (status == "exited") detail = fmt::format(" with exit code {}", container.exit_code);
      if (container.is_oom_killed) detail += ", killed for lack of memory";
      if (!container.error.empty()) detail += ": " + container.error;
      AddError(out, service, fmt::format("{} is {}{}", container.name, status, detail),
               "the upgrade starts from a stack that runs: versions and sessions are read from it",
               status == "paused" ? "unpause it first" : "start it with its present version first");
    } else if (container.health.status == "unhealthy") {
      std::string probe = Printable(Tail(container.health.last_output, 1));
      AddError(out, service,
               fmt::format("{} is unhealthy{}", container.name,
                           probe.empty() ? "" : ": " + std::string(Trim(probe))),
               "what is wrong before an upgrade is rarely mended by it, and cannot be told apart "
               "afterwards",
               fmt::format("read `docker logs --tail 50 {}` and mend it first", container.name));
    } else if (container.health.status == "starting") {
      AddWarning(out, service, fmt::format("{} has started but is not healthy yet", container.name),
                 "sessions and versions may still be missing", "wait until it is healthy");
    }
  }
}

void CheckContainerNames(const CheckInput& in, Findings& out) {
  for (const auto& [service, holder] : in.observed.name_holders) {
    const bool is_milvus = std::any_of(
        in.observed.milvus.begin(), in.observed.milvus.end(),
        [&name = service](const MilvusService& milvus) { return milvus.service == name; });
    const std::string project = holder.Label(std::string(kProjectLabel));
    const std::string folder = holder.Label(std::string(kWorkingDirLabel));
    std::string owner = project.empty() ? "no Compose project" : "project " + project;
    if (!folder.empty()) owner += " in " + folder;
    Add(out, is_milvus ? model::Severity::kError : model::Severity::kWarning, service,
        fmt::format("the container {} ({}) is of {}, not of {}", holder.name, holder.image, owner,
                    in.observed.project.name),
        "a name is given once on an engine: Compose cannot make a container of this service while "
        "another has it",
        project.empty() ? fmt::format("rename or remove it, if it is not this stack's: docker "
                                      "inspect {}",
                                      holder.name)
                        : fmt::format("if that is the stack to upgrade, name its project: -p {}{}; "
                                      "else give this one other container names",
                                      project, folder.empty() ? "" : ", run from " + folder));
  }
}

void CheckDependencies(const CheckInput& in, Findings& out) {
  std::set<std::string> needed;
  for (const MilvusService& milvus : in.observed.milvus) {
    const model::ComposeService* service = ServiceOf(in.observed, milvus.service);
    if (service != nullptr) needed.insert(service->depends_on.begin(), service->depends_on.end());
  }
  for (const Container& container : in.observed.other_containers) {
    const std::string service = container.Label(std::string(kServiceLabel));
    const bool is_finished_job = container.status == "exited" && container.exit_code == 0;
    if (!needed.contains(service) || is_finished_job) continue;
    const bool is_unhealthy = container.health.status == "unhealthy";
    if (container.IsRunning() && !is_unhealthy) continue;
    AddError(
        out, service,
        fmt::format("{} is {}", container.name, is_unhealthy ? "unhealthy" : container.status),
        "Milvus depends on it, and the upgrade never touches it: the new version could not start",
        fmt::format("start or mend it first: `docker logs --tail 50 {}`", container.name));
  }
}

void CheckSessionKeys(const CheckInput& in, Findings& out) {
  const model::EtcdFacts& etcd = in.observed.etcd;
  if (!etcd.unreachable.empty()) return;  // etcd-reachable says so
  const auto running = RunningOf(in);
  const int minor = !running ? 2 : running->major == 2 ? running->minor : 6;
  for (const MilvusService& milvus : in.observed.milvus) {
    if (!milvus.container || !milvus.container->IsRunning()) continue;
    if (RunsWithoutSession(milvus.role, running)) continue;
    const std::vector<std::string> own = AddressesOf(*milvus.container);
    std::vector<std::string> missing;
    std::vector<std::string> elsewhere;
    for (const model::Role role : model::SessionRolesOf(milvus.role, minor)) {
      const std::string name(model::NameOf(role));
      std::string other;
      bool is_seen = false;
      for (const Session& session : etcd.sessions) {
        if (session.role != name) continue;
        if (own.empty() || Holds(own, HostOfAddress(session.address))) {
          is_seen = true;
        } else {
          other = session.address;
        }
      }
      if (is_seen) continue;
      if (other.empty()) {
        missing.push_back(name);
      } else {
        elsewhere.push_back(name + " at " + other);
      }
    }
    const std::string prefix = in.observed.settings.SessionPrefix();
    if (!missing.empty()) {
      AddError(
          out, milvus.service,
          fmt::format("no session key of {} under {}", Join(missing, ", "), prefix),
          "the upgrade waits for these keys to go and to come back; on a wrong root path, or on "
          "another etcd, it would see them gone at once and go on too early",
          fmt::format("check the root path (read from: {}) and that {} is fully started",
                      in.observed.settings.source, milvus.service));
    }
    if (!elsewhere.empty()) {
      AddError(
          out, milvus.service,
          fmt::format("its session keys are not at its own address {}: {}", Join(own, ", "),
                      Join(elsewhere, ", ")),
          "keys that are not proven to be its own are never taken for it",
          "find the process at that address; if it is this container's old address, wait until "
          "its lease has ended (at most 60 s)");
    }
  }
}

void CheckForeignSessions(const CheckInput& in, Findings& out) {
  if (!CanTellByAddress(in.observed)) return;
  const std::vector<std::string> own = AddressesOfMilvus(in.observed);
  for (const Session& session : in.observed.etcd.sessions) {
    if (Holds(own, HostOfAddress(session.address))) continue;
    AddError(
        out, session.key,
        fmt::format("a Milvus process that is not of this project ({} at {}) works under the "
                    "same root path",
                    session.name, session.address),
        "it would go on writing while this stack is down, and its key is never revoked: the "
        "upgrade would wait for it in vain",
        "stop that process. If it is a left-over of an earlier container, it goes by itself when "
        "its lease ends (at most 60 s)");
  }
}

void CheckRestartPolicy(const CheckInput& in, Findings& out) {
  std::vector<std::string> held;
  for (const MilvusService& milvus : in.observed.milvus) {
    const model::ComposeService* service = ServiceOf(in.observed, milvus.service);
    if (!milvus.container || service == nullptr) continue;
    const std::string running = PolicyName(milvus.container->restart_policy);
    const std::string wanted = PolicyName(service->restart);
    if (running != wanted) {
      AddWarning(out, milvus.service,
                 fmt::format("the container's restart policy is \"{}\", the files say \"{}\"",
                             running, wanted),
                 "an earlier run that was left may have switched it off, or someone has; the new "
                 "container gets the one of the files",
                 fmt::format("docker update --restart={} {}", wanted, milvus.container->name));
    }
    if (running == "always") held.push_back(milvus.service);
  }
  if (!held.empty()) {
    AddInfo(
        out, Join(held, ", "), "the engine would start these again by itself (restart: always)",
        "so that an engine restart in the outage cannot bring them back, the policy is switched "
        "off for the outage and put back afterwards",
        "");
  }
  std::vector<std::string> stay_down;
  for (const Container& container : in.observed.other_containers) {
    if (container.IsRunning() && PolicyName(container.restart_policy) == "no")
      stay_down.push_back(container.name);
  }
  if (!stay_down.empty()) {
    AddInfo(out, Join(stay_down, ", "),
            "these stay down when the engine restarts (no restart policy)",
            "an engine restart in the outage would leave Milvus without them",
            "nothing for the upgrade; `restart: unless-stopped` keeps them up");
  }
}

void CheckAutostarters(const CheckInput& in, Findings& out) {
  for (const Container& container : in.observed.autostarters) {
    AddWarning(out, container.name,
               fmt::format("{} ({}) starts or replaces containers by itself", container.name,
                           container.image),
               "if it starts a Milvus container that is held down, the upgrade stops at once",
               fmt::format("docker stop {} until the upgrade is done", container.name));
  }
}

void CheckStopGrace(const CheckInput& in, Findings& out) {
  for (const MilvusService& milvus : in.observed.milvus) {
    const model::ComposeService* service = ServiceOf(in.observed, milvus.service);
    if (service == nullptr || !service->stop_grace_period) continue;
    AddInfo(out, milvus.service,
            fmt::format("stop_grace_period {} is honoured in full",
                        FormatDuration(*service->stop_grace_period)),
            "a process that does not end by itself makes the outage longer by that much", "");
  }
}

}  // namespace mu::rules
