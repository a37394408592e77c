// SPDX-License-Identifier: Apache-2.0
#include "migrate/etcd_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/model/version.h"

namespace mu::migrate {
namespace {

using Members = std::vector<ports::EtcdMember>;

constexpr int kTries = 3;

// etcd-io/etcd issue 13766: killed under load, such a member can come back with keys that differ
// from the others'. 3.5.3 is without it.
bool CanDiverge(const std::string& text) {
  const auto version = model::ParseVersion(text);
  return version && version->major == 3 && version->minor == 5 && version->patch <= 2;
}

bool Has(const std::vector<std::string>& alarms, std::string_view name) {
  return std::find(alarms.begin(), alarms.end(), name) != alarms.end();
}

Status CheckAlarms(const std::vector<std::string>& alarms, const std::string& name,
                   Listener& listener, Use use) {
  if (Has(alarms, "CORRUPT"))
    return Fail(ErrorCode::kEtcdFailed,
                fmt::format("etcd at {} has its CORRUPT alarm on: it has found that its members "
                            "hold different keys",
                            name),
                "repair etcd first: replace the member that is wrong, then etcdctl alarm disarm");
  if (!Has(alarms, "NOSPACE")) return {};
  if (use == Use::kRead) {
    listener.Note(fmt::format("etcd at {} is out of space; it can be read, not written", name));
    return {};
  }
  return Fail(ErrorCode::kEtcdNoSpace,
              fmt::format("etcd at {} has its NOSPACE alarm on and takes no more writes", name),
              "make space first: etcdctl compact, defrag and alarm disarm, or a larger "
              "--quota-backend-bytes");
}

// Of one revision and, so that they can be compared, of one compaction; no members where etcd is
// compacted again and again meanwhile.
Result<Members> HashesOf(ports::EtcdClient& etcd, Patience& patience, std::int64_t* revision) {
  const ports::PageQuery any{"", model::EndOfPrefix(""), 0, 1, true};
  for (int i = 0; i < kTries; ++i) {
    MU_TRY(const ports::KeyPage now, patience.Ask([&] { return etcd.GetPage(any); }));
    *revision = now.revision;
    auto members = etcd.HashMembers(now.revision);
    if (!members && members.error().code == ErrorCode::kEtcdCompacted) continue;
    if (!members) return members;
    const bool are_alike = std::all_of(members->begin(), members->end(), [&](const auto& member) {
      return member.compact_revision == members->front().compact_revision;
    });
    if (are_alike) return members;
  }
  return Members{};
}

Status CheckHashes(const Members& members, std::int64_t revision, const std::string& name) {
  const bool are_alike = std::all_of(members.begin(), members.end(), [&](const auto& member) {
    return member.hash == members.front().hash;
  });
  if (are_alike) return {};
  std::vector<std::string> hashes;
  for (const ports::EtcdMember& member : members)
    hashes.push_back(fmt::format("{} {:08x}", member.name, member.hash));
  return Fail(ErrorCode::kEtcdFailed,
              fmt::format("the members of etcd at {} do not hold the same keys at revision {}; "
                          "hashes of all keys: {}",
                          name, revision, Join(hashes, ", ")),
              "find out which member is right, replace the others, and come again");
}

}  // namespace

Status CheckEtcd(ports::EtcdClient& etcd, Patience& patience, Listener& listener, Use use) {
  const auto status = patience.Ask([&] { return etcd.Observe(); });
  if (!status && status.error().code != ErrorCode::kEtcdFailed) return Fail(status.error());
  if (!status) {
    listener.Note(
        fmt::format("etcd's alarms and members are not looked at: {}", status.error().message));
    return {};
  }
  MU_CHECK(CheckAlarms(status->alarms, etcd.Name(), listener, use));
  std::vector<std::string> diverging;
  if (CanDiverge(status->version)) diverging.push_back(status->version);
  if (status->members > 1) {
    std::int64_t revision = 0;
    const auto members = HashesOf(etcd, patience, &revision);
    if (!members || members->empty()) {
      listener.Note(fmt::format(
          "the members of etcd are not compared: {}",
          members ? "it is compacted again and again meanwhile" : members.error().message));
    } else {
      MU_CHECK(CheckHashes(*members, revision, etcd.Name()));
      diverging.clear();
      for (const ports::EtcdMember& member : *members) {
        if (CanDiverge(member.version))
          diverging.push_back(fmt::format("{} of {}", member.version, member.name));
      }
    }
  }
  if (!diverging.empty())
    listener.Note(
        fmt::format("etcd is {}: 3.5.0 to 3.5.2 have a data inconsistency bug (etcd "
                    "issue 13766): killed under load, a member can lose or keep what the "
                    "others do not. Do not kill it meanwhile; 3.5.4 is safe",
                    Join(diverging, ", ")));
  return {};
}

}  // namespace mu::migrate
