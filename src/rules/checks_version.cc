// SPDX-License-Identifier: Apache-2.0
// Checks of versions, roles, message queue and metadata.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "milvus_upgrade/base/text.h"
#include "rules/check_support.h"

namespace mu::rules {
namespace {

using model::MessageQueue;
using model::Role;
using model::Version;

// Index kinds that a version can no longer load.
struct LostIndexRow {
  std::string_view kind;
  Version since;
  std::string_view source;
};
const LostIndexRow kLostIndexes[] = {
    {"ANNOY", {2, 3, 0, ""}, "run: 2.3.5 retries `bad_function_call` for ever"},
};

// The queue that an environment names, as Milvus reads it: MQ_TYPE, mq.type, messageQueue.
std::string QueueOfEnvironment(const std::map<std::string, std::string>& environment) {
  for (const auto& [name, value] : environment) {
    std::string folded;
    for (const char c : ToLower(name)) {
      if (c != '_' && c != '.' && c != '-' && c != '/') folded += c;
    }
    if (folded == "mqtype" || folded == "messagequeue") return ToLower(value);
  }
  return {};
}

bool IsRoleOfFourCoordinators(Role role) {
  return role == Role::kRootCoord || role == Role::kDataCoord || role == Role::kIndexCoord ||
         role == Role::kQueryCoord;
}

// " (of trees)", where the metadata was read so far.
std::string CollectionsWith(const CheckInput& in, const std::string& kind) {
  std::vector<std::string> names;
  for (const model::CollectionFacts& collection : in.observed.migration.metadata.collections) {
    const bool has = std::any_of(
        collection.indexes.begin(), collection.indexes.end(),
        [&](const model::FieldIndex& index) { return ToLower(index.kind) == ToLower(kind); });
    if (has) names.push_back(collection.name);
  }
  return names.empty() ? "" : fmt::format(" (of {})", Join(names, ", "));
}

}  // namespace

void CheckVersionKnown(const CheckInput& in, Findings& out) {
  if (!in.config.from.empty() || RunningOf(in)) return;
  for (const model::MilvusService& milvus : in.observed.milvus) {
    AddError(out, milvus.service,
             fmt::format("the running version cannot be read from {}", milvus.image.Text()),
             "the way to a version depends on the one that runs, and it is never guessed (R0)",
             "say which version runs: --from VERSION");
    return;
  }
}

void CheckMixedVersions(const CheckInput& in, Findings& out) {
  std::map<std::string, std::vector<std::string>> services;  // version -> services
  for (const model::MilvusService& milvus : in.observed.milvus)
    services[milvus.tag_version ? milvus.tag_version->Text() : milvus.image.Text()].push_back(
        milvus.service);
  if (services.size() < 2) return;
  std::vector<std::string> parts;
  for (const auto& [version, names] : services)
    parts.push_back(fmt::format("{}: {}", version, Join(names, ", ")));
  AddError(
      out, "Milvus services", fmt::format("they do not have one version ({})", Join(parts, "; ")),
      "an upgrade starts from one version; a half-changed stack may be an upgrade that was left "
      "in the middle",
      "bring all Milvus services to one version first; `milvus-upgrade status` tells of a run "
      "that was left");
}

void CheckVersionAgreement(const CheckInput& in, Findings& out) {
  for (const model::MilvusService& milvus : in.observed.milvus) {
    if (!milvus.tag_version) continue;
    const Version& tag = *milvus.tag_version;
    const auto compare = [&](const std::optional<Version>& other, std::string_view who) {
      if (!other || *other == tag) return;
      if (other->SameMinor(tag)) {
        // The version that a server reports is a constant of its source and may lag (milvus.md 9).
        AddInfo(out, milvus.service,
                fmt::format("its tag says {}, {} says {}", tag.Text(), who, other->Text()),
                "a server may report an earlier patch of its minor than its tag says", "");
        return;
      }
      AddError(
          out, milvus.service,
          fmt::format("its tag says {}, {} says {}", tag.Text(), who, other->Text()),
          "the image is not what its tag says, or the container was not made from it; the wrong "
          "path would be chosen",
          "find out which is true, then give it with --from");
    };
    compare(milvus.session_version, "its session");
    compare(milvus.metrics_version, "its /metrics");
    if (!milvus.container || milvus.session_version || !IsAtLeastMinor(tag, 2, 2)) continue;
    const std::vector<std::string> own = AddressesOf(*milvus.container);
    for (const model::Session& session : in.observed.etcd.sessions) {
      const bool is_own =
          std::find(own.begin(), own.end(), HostOfAddress(session.address)) != own.end();
      if (!is_own || !session.version.empty()) continue;
      AddError(out, milvus.service,
               fmt::format("its tag says {}, but its session {} carries no version", tag.Text(),
                           session.name),
               "servers write their version from 2.2 on; one that writes none is 2.1, "
               "and 2.1 needs its metadata migrated",
               "find out which version runs, then give it with --from");
      break;
    }
  }
}

void CheckIndexKinds(const CheckInput& in, Findings& out) {
  const auto target = TargetOf(in);
  if (!target) return;
  for (const auto& [kind, count] : in.observed.etcd.index_kinds) {
    for (const LostIndexRow& lost : kLostIndexes) {
      if (count <= 0 || ToLower(kind) != ToLower(lost.kind) || *target < lost.since) continue;
      AddError(out, kind,
               fmt::format("{} {} of kind {}{}, which {} cannot load", count,
                           count == 1 ? "index is" : "indexes are", kind, CollectionsWith(in, kind),
                           target->Text()),
               std::string(lost.source),
               "drop the index and build another kind (IVF_FLAT, HNSW) while the old version runs");
    }
  }
}

void CheckRoles(const CheckInput& in, Findings& out) {
  const auto target = TargetOf(in);
  bool has_standalone = false;
  std::vector<std::string> cluster;
  for (const model::MilvusService& milvus : in.observed.milvus) {
    if (milvus.role == Role::kStandalone) {
      has_standalone = true;
    } else {
      cluster.push_back(milvus.service);
    }
    if (!target) continue;
    const bool is_gone_in_2_6 =
        IsRoleOfFourCoordinators(milvus.role) || milvus.role == Role::kIndexNode;
    if (is_gone_in_2_6 && IsAtLeastMinor(*target, 2, 6)) {
      AddError(out, milvus.service,
               fmt::format("{} has no role {}", target->Text(), model::NameOf(milvus.role)),
               "2.6 merged the coordinators into mixcoord and dropped indexnode",
               "stay on 2.5, or move to the roles of 2.6 by Helm or the operator");
    }
    if (milvus.role == Role::kStreamingNode && !IsAtLeastMinor(*target, 2, 6)) {
      AddError(out, milvus.service, fmt::format("{} has no role streamingnode", target->Text()),
               "streamingnode exists from 2.6 on", "take the service out, or go to 2.6");
    }
  }
  if (has_standalone && !cluster.empty()) {
    AddError(
        out, Join(cluster, ", "), "a standalone and cluster components are in one project",
        "they would work on one root path against each other, or are two instances that cannot "
        "be told apart here",
        "put them into projects of their own");
  }
}

void CheckQueuePin(const CheckInput& in, Findings& out) {
  const model::MilvusSettings& settings = in.observed.settings;
  if (in.path == nullptr || in.path->requirements.empty() || settings.is_queue_pinned) return;
  const std::string queue(settings.queue == MessageQueue::kUnknown ? "rocksmq"
                                                                   : NameOf(settings.queue));
  const std::string service =
      in.observed.milvus.empty() ? std::string() : in.observed.milvus.front().service;
  AddError(
      out, service, "the message queue is not pinned: it is chosen by default",
      "2.6 chooses another queue by default and keeps it for ever after its first start; what is "
      "in the old queue would be lost (R15)",
      fmt::format("add MQ_TYPE: {} to the environment of {}, bring it up once with the old "
                  "version, then run again",
                  queue, service));
}

void CheckQueueChange(const CheckInput& in, Findings& out) {
  const std::string now(NameOf(in.observed.settings.queue));
  for (const model::MilvusService& milvus : in.observed.milvus) {
    const model::ComposeService* service = ServiceOf(in.observed, milvus.service);
    if (service == nullptr || !milvus.container) continue;
    const std::string wanted = QueueOfEnvironment(service->environment);
    const std::string running = QueueOfEnvironment(milvus.container->environment);
    if (wanted == running || wanted == now) continue;
    const auto say = [](const std::string& name) {
      return name.empty() ? std::string("none named") : name;
    };
    AddError(out, milvus.service,
             fmt::format("the files would change the message queue (running: {}, files: {})",
                         running.empty() ? now : running, say(wanted)),
             "what is in the old queue would be lost; a queue is never changed together with a "
             "version (R16)",
             fmt::format("set the queue that runs now ({})", running.empty() ? now : running));
  }
}

void CheckMetastore(const CheckInput& in, Findings& out) {
  const std::string& metastore = in.observed.settings.metastore;
  if (metastore == "etcd" || metastore.empty()) return;
  const auto target = TargetOf(in);
  const bool is_removed = metastore == "mysql" && target && !(*target < Version{2, 3, 1, ""});
  AddError(out, metastore,
           is_removed ? fmt::format("the metadata is in MySQL, which {} cannot use", target->Text())
                      : fmt::format("the metadata is not in etcd but in {}", metastore),
           is_removed ? "MySQL as a metastore was removed in 2.3.1 (R22)"
                      : "the backups before each hop are taken from etcd: they would not hold the "
                        "metadata",
           is_removed ? "stay below 2.3.1, or copy the data to a new stack"
                      : "back it up with its own tools; then skip this check");
}

}  // namespace mu::rules
