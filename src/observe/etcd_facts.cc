// SPDX-License-Identifier: Apache-2.0
#include "observe/etcd_facts.h"

#include <algorithm>
#include <set>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/meta/scope.h"
#include "milvus_upgrade/observe/compose_observer.h"

namespace mu::observe {
namespace {

constexpr char kServiceLabel[] = "com.docker.compose.service";

std::string HostOf(std::string endpoint) {
  if (const auto scheme = endpoint.find("://"); scheme != std::string::npos)
    endpoint = endpoint.substr(scheme + 3);
  return endpoint.substr(0, endpoint.find(':'));
}

// The value of "index_type" in a Milvus 2.1 or 2.2 index record: a KeyValuePair message {1: key, 2:
// value} whose bytes are the key, 0x12, a length of one byte, the value (FORMAT of both eras is the
// same here).
std::string IndexKindIn(const std::string& value) {
  static const std::string kMark = std::string("index_type") + '\x12';
  const auto at = value.find(kMark);
  if (at == std::string::npos || at + kMark.size() >= value.size()) return {};
  const auto length = static_cast<unsigned char>(value[at + kMark.size()]);
  return value.substr(at + kMark.size() + 1, length);
}

Status ReadKeys(ports::Etcd& etcd, const model::MilvusSettings& settings, model::EtcdFacts* facts,
                model::MetadataFacts* metadata) {
  const std::string& container = facts->container_name;
  MU_TRY(const model::KeyRange keys, etcd.GetPrefix(container, "", ports::KeysOnly::kYes, 0));
  facts->revision = keys.revision;
  const std::string root = settings.root_path + "/";
  const std::string meta = settings.MetaPrefix();
  const meta::Scope scope{settings.root_path, settings.meta_sub_path};
  std::set<std::string> roots;
  std::set<std::string> siblings;
  for (const model::KeyValue& kv : keys.kvs) {
    if (!kv.key.starts_with(root)) {
      roots.insert(kv.key.substr(0, kv.key.find('/', 1)));
      continue;
    }
    ++facts->keys;
    if (kv.key == scope.Marker()) metadata->is_cut = true;
    if (kv.key.starts_with(root + settings.meta_sub_path) && !kv.key.starts_with(meta))
      siblings.insert(kv.key.substr(0, kv.key.find('/', root.size())));
    const std::string_view below =
        kv.key.starts_with(meta) ? std::string_view(kv.key).substr(meta.size()) : "";
    if (below.starts_with("root-coord/index/") || below.starts_with("indexes/") ||
        below.starts_with("root-coord/segment-index/") ||
        below.starts_with("root-coord/collection-alias/")) {
      facts->has_meta_2_1 = true;
    }
    if (below.starts_with("field-index/") || below.starts_with("segment-index/"))
      facts->has_meta_2_2 = true;
  }
  facts->other_roots.assign(roots.begin(), roots.end());
  metadata->siblings.assign(siblings.begin(), siblings.end());
  MU_TRY(facts->sessions, ReadSessions(etcd, container, settings.SessionPrefix()));
  const std::string indexes = meta + (facts->has_meta_2_2 ? "field-index/" : "root-coord/index/");
  if (facts->has_meta_2_1 || facts->has_meta_2_2) {
    MU_TRY(const model::KeyRange kinds,
           etcd.GetPrefix(container, indexes, ports::KeysOnly::kNo, 0));
    for (const model::KeyValue& kv : kinds.kvs) {
      if (const std::string kind = IndexKindIn(kv.value); !kind.empty()) ++facts->index_kinds[kind];
    }
  }
  return {};
}

}  // namespace

bool HasNames(const std::string& network) {
  return network != "bridge" && network != "host" && network != "none";
}

std::string NamedNetworkOf(const model::Container& container) {
  for (const auto& [network, address] : container.network_ips) {
    if (HasNames(network)) return network;
  }
  return {};
}

bool LeadsTo(const std::string& endpoint, const model::Container& container) {
  const std::string host = HostOf(endpoint);
  if (host.empty()) return false;
  return container.name == host || container.Label(kServiceLabel) == host ||
         std::any_of(container.network_ips.begin(), container.network_ips.end(),
                     [&](const auto& item) { return item.second == host; });
}

const model::Container* FindEtcd(const std::vector<model::Container>& containers,
                                 const model::MilvusSettings& settings, std::string* service) {
  for (const std::string& endpoint : settings.etcd_endpoints) {
    for (const model::Container& container : containers) {
      if (!LeadsTo(endpoint, container)) continue;
      *service = container.Label(kServiceLabel);
      return &container;
    }
  }
  return nullptr;
}

void ReadEtcdFacts(ports::Etcd& etcd, const model::MilvusSettings& settings,
                   model::EtcdFacts* facts, model::MetadataFacts* metadata) {
  auto status = etcd.Observe(facts->container_name);
  if (!status) {
    facts->unreachable = status.error().Text();
    return;
  }
  facts->status = std::move(*status);
  if (const Status read = ReadKeys(etcd, settings, facts, metadata); !read)
    facts->unreachable = read.error().Text();
}

}  // namespace mu::observe
