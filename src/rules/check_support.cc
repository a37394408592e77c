// SPDX-License-Identifier: Apache-2.0
#include "rules/check_support.h"

#include <tuple>

#include "milvus_upgrade/base/text.h"

namespace mu::rules {

Status CheckNames(const std::vector<std::string>& ids, const std::vector<std::string>& skipped) {
  for (const std::string& name : skipped) {
    if (std::find(ids.begin(), ids.end(), name) != ids.end()) continue;
    const std::string nearest = Nearest(name, ids);
    return Fail(ErrorCode::kUsage, "there is no check \"" + name + "\" to skip",
                nearest.empty() ? "the checks are: " + Join(ids, ", ")
                                : "did you mean \"" + nearest + "\"?");
  }
  return {};
}

std::optional<model::Version> TargetOf(const CheckInput& in) {
  if (in.path != nullptr && !in.path->hops.empty()) return in.path->hops.back().to;
  if (const auto version = model::ParseVersion(in.config.to)) return *version;
  return std::nullopt;
}

std::optional<model::Version> RunningOf(const CheckInput& in) {
  if (const auto version = model::ParseVersion(in.config.from)) return *version;
  for (const model::MilvusService& milvus : in.observed.milvus) {
    if (milvus.tag_version) return milvus.tag_version;
  }
  for (const model::MilvusService& milvus : in.observed.milvus) {
    if (milvus.session_version) return milvus.session_version;
  }
  return std::nullopt;
}

const model::ComposeService* ServiceOf(const model::Observed& observed,
                                       const std::string& service) {
  const auto it = observed.project.services.find(service);
  return it == observed.project.services.end() ? nullptr : &it->second;
}

bool IsAtLeastMinor(const model::Version& version, int major, int minor) {
  return std::tie(version.major, version.minor) >= std::tie(major, minor);
}

bool IsWithin(std::string_view path, std::string_view folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.remove_suffix(1);
  if (path.empty() || folder.empty() || !path.starts_with(folder)) return false;
  return path.size() == folder.size() || folder == "/" || path[folder.size()] == '/';
}

std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::string_view NameOf(model::MessageQueue queue) {
  switch (queue) {
    case model::MessageQueue::kUnknown:
      return "unknown";
    case model::MessageQueue::kRocksmq:
      return "rocksmq";
    case model::MessageQueue::kPulsar:
      return "pulsar";
    case model::MessageQueue::kKafka:
      return "kafka";
    case model::MessageQueue::kNatsmq:
      return "natsmq";
    case model::MessageQueue::kWoodpecker:
      return "woodpecker";
  }
  return "unknown";
}

std::vector<std::string> AddressesOf(const model::Container& container) {
  std::vector<std::string> addresses;
  for (const auto& [network, address] : container.network_ips) {
    if (!address.empty()) addresses.push_back(address);
  }
  return addresses;
}

std::string HostOfAddress(const std::string& address) {
  const auto colon = address.rfind(':');
  std::string host = colon == std::string::npos ? address : address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace mu::rules
