// SPDX-License-Identifier: Apache-2.0
// Checks of etcd.
#include <fmt/format.h>

#include "milvus_upgrade/base/text.h"
#include "rules/check_support.h"

namespace mu::rules {
namespace {

std::string SubjectOf(const model::Observed& observed) {
  if (!observed.etcd.container_name.empty()) return observed.etcd.container_name;
  const std::string endpoints = Join(observed.settings.etcd_endpoints, ", ");
  return endpoints.empty() ? "etcd" : endpoints;
}

bool IsExternal(const model::Observed& observed) {
  return observed.etcd.container_id.empty() && !observed.settings.is_etcd_embedded;
}

}  // namespace

void CheckEtcdEmbedded(const CheckInput& in, Findings& out) {
  if (!in.observed.settings.is_etcd_embedded) return;
  AddError(
      out, in.observed.milvus.empty() ? "etcd" : in.observed.milvus.front().service,
      "etcd runs inside the Milvus process (embedded)",
      "it stops together with Milvus, so that its keys can be neither watched nor backed up in "
      "the outage",
      "move to an etcd in a container of its own; an embedded etcd is not supported");
}

void CheckEtcdExternal(const CheckInput& in, Findings& out) {
  if (!IsExternal(in.observed)) return;
  AddError(out, SubjectOf(in.observed), "etcd is not a container of this engine",
           "sessions, backups and leases are read with the etcdctl of etcd's own container",
           "what works: an etcd that runs as a container on the engine that runs Milvus, in this "
           "project or another. With any other etcd this build cannot upgrade the stack");
}

void CheckEtcdReachable(const CheckInput& in, Findings& out) {
  const model::EtcdFacts& etcd = in.observed.etcd;
  if (etcd.unreachable.empty() || IsExternal(in.observed)) return;
  if (in.observed.settings.is_etcd_embedded) return;
  AddError(out, SubjectOf(in.observed), fmt::format("etcd cannot be asked: {}", etcd.unreachable),
           "without it nothing can be said of sessions and metadata, and nothing can be backed up",
           fmt::format("check that {} runs and that `docker exec {} etcdctl endpoint health` works",
                       SubjectOf(in.observed), SubjectOf(in.observed)));
}

void CheckEtcdAuth(const CheckInput& in, Findings& out) {
  const model::EtcdFacts& etcd = in.observed.etcd;
  if (!etcd.status.is_auth_enabled || etcd.unreachable.empty()) return;
  AddError(
      out, SubjectOf(in.observed),
      "etcd asks for a user and a password, and none that it takes was given",
      "its keys can be neither read nor backed up",
      "give them by environment, never on the command line: ETCDCTL_USER and ETCDCTL_PASSWORD");
}

void CheckEtcdAlarms(const CheckInput& in, Findings& out) {
  for (const std::string& alarm : in.observed.etcd.status.alarms) {
    const bool is_space = alarm == "NOSPACE";
    AddError(
        out, SubjectOf(in.observed), fmt::format("etcd has raised the alarm {}", alarm),
        is_space ? "its quota is used up and it refuses every write: the new version could not "
                   "register and would not start (milvus-io/milvus#49947)"
                 : "its members do not hold the same data: a backup of it may not be whole",
        is_space ? "compact and defragment etcd, raise its quota, then `etcdctl alarm disarm`"
                 : "restore the damaged member as the etcd documentation says, before anything "
                   "else");
  }
}

void CheckEtcdVersion(const CheckInput& in, Findings& out) {
  const std::string& version = in.observed.etcd.status.version;
  if (version != "3.5.0" && version != "3.5.1" && version != "3.5.2") return;
  AddWarning(
      out, SubjectOf(in.observed),
      fmt::format("etcd {} can lose a committed write when it is killed", version),
      "etcd's own changelog advises against 3.5.0 to 3.5.2 in production (data inconsistency)",
      "plan a change to a later 3.5; the upgrade itself leaves etcd running and untouched");
}

void CheckEtcdShell(const CheckInput& in, Findings& out) {
  if (in.observed.etcd.status.has_shell || in.observed.etcd.container_id.empty()) return;
  AddInfo(
      out, SubjectOf(in.observed), "the etcd image has no shell",
      "all that is needed works without one: etcdctl is run directly, and the snapshot is copied "
      "out by the engine",
      "");
}

void CheckOtherInstances(const CheckInput& in, Findings& out) {
  const std::vector<std::string>& roots = in.observed.etcd.other_roots;
  if (roots.empty()) return;
  AddInfo(
      out, SubjectOf(in.observed),
      fmt::format("etcd also holds keys that are not of {}: {}", in.observed.settings.root_path,
                  Join(roots, ", ")),
      "only keys under this instance's root path are backed up one by one and ever changed; the "
      "snapshot holds all",
      "");
}

}  // namespace mu::rules
