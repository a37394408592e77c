// SPDX-License-Identifier: Apache-2.0
#include "observe/settings.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>

#include "milvus_upgrade/base/text.h"

namespace mu::observe {
namespace {

// As Milvus's config manager compares keys (its formatKey): lower case, separators left out.
std::string Folded(std::string_view key) {
  std::string folded;
  for (char c : key) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      folded += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return folded;
}

// Milvus joins root, meta and kv path with Go's path.Join, which cleans: "/by-dev/" is "/by-dev".
std::string CleanPath(const std::string& path) {
  std::string clean = std::filesystem::path(path).lexically_normal().string();
  while (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
  return clean;
}

// Flattens a YAML tree to folded key -> values (a list keeps its items).
void Flatten(const YAML::Node& node, const std::string& path,
             std::map<std::string, std::vector<std::string>>* out) {
  if (node.IsMap()) {
    for (const auto& item : node) {
      if (item.first.IsScalar()) Flatten(item.second, path + Folded(item.first.Scalar()), out);
    }
  } else if (node.IsSequence()) {
    std::vector<std::string> items;
    for (const auto& item : node) {
      if (item.IsScalar()) items.push_back(item.Scalar());
    }
    (*out)[path] = items;
  } else if (node.IsScalar()) {
    (*out)[path] = {node.Scalar()};
  }
}

class Lookup {
 public:
  Lookup(const std::map<std::string, std::string>& environment,
         std::map<std::string, std::vector<std::string>> yaml)
      : yaml_(std::move(yaml)) {
    for (const auto& [name, value] : environment) environment_[Folded(name)] = value;
  }
  bool HasEnvironment(std::string_view key) const { return environment_.contains(Folded(key)); }
  std::string Get(std::string_view key, std::string_view fallback) const {
    const std::string folded = Folded(key);
    if (const auto it = environment_.find(folded); it != environment_.end()) return it->second;
    if (const auto it = yaml_.find(folded); it != yaml_.end() && !it->second.empty())
      return it->second.front();
    return std::string(fallback);
  }
  std::vector<std::string> GetList(std::string_view key) const {
    std::vector<std::string> items;
    const std::string folded = Folded(key);
    if (const auto it = environment_.find(folded); it != environment_.end()) {
      items = Split(it->second, ',');
    } else if (const auto found = yaml_.find(folded); found != yaml_.end()) {
      for (const std::string& item : found->second) {
        for (const std::string& part : Split(item, ',')) items.push_back(part);
      }
    }
    for (std::string& item : items) item = std::string(Trim(item));
    std::erase(items, "");
    return items;
  }

 private:
  std::map<std::string, std::string> environment_;
  std::map<std::string, std::vector<std::string>> yaml_;
};

model::MessageQueue QueueOfName(const std::string& name) {
  const std::string lower = ToLower(name);
  if (lower == "rocksmq") return model::MessageQueue::kRocksmq;
  if (lower == "pulsar") return model::MessageQueue::kPulsar;
  if (lower == "kafka") return model::MessageQueue::kKafka;
  if (lower == "natsmq") return model::MessageQueue::kNatsmq;
  if (lower == "woodpecker") return model::MessageQueue::kWoodpecker;
  return model::MessageQueue::kUnknown;
}

// The default order of Milvus 2.1-2.5 (milvus.yaml's comment on mq.type): standalone rocksmq,
// pulsar, kafka; cluster pulsar, kafka, each when its address is set.
model::MessageQueue DefaultQueue(const Lookup& lookup, bool is_standalone) {
  if (is_standalone && !lookup.Get("rocksmq.path", "/var/lib/milvus/rdb_data").empty())
    return model::MessageQueue::kRocksmq;
  if (!lookup.Get("pulsar.address", "").empty()) return model::MessageQueue::kPulsar;
  if (!lookup.Get("kafka.brokerList", "").empty()) return model::MessageQueue::kKafka;
  return model::MessageQueue::kUnknown;
}

Result<Lookup> Read(const std::map<std::string, std::string>& environment,
                    const std::vector<NamedText>& yamls) {
  std::map<std::string, std::vector<std::string>> flat;
  for (const NamedText& yaml : yamls) {
    try {
      Flatten(YAML::Load(yaml.text), "", &flat);
    } catch (const YAML::Exception& error) {
      return Fail(ErrorCode::kYamlSyntax,
                  fmt::format("{}:{}: {}", yaml.name, error.mark.line + 1, error.msg),
                  "the running Milvus reads this file: correct it first");
    }
  }
  return Lookup(environment, std::move(flat));
}

}  // namespace

Result<std::set<std::string>> StandbyOf(const std::map<std::string, std::string>& environment,
                                        const std::vector<NamedText>& yamls) {
  MU_TRY(const Lookup lookup, Read(environment, yamls));
  std::set<std::string> on;
  for (const char* coordinator :
       {"rootcoord", "datacoord", "indexcoord", "querycoord", "mixcoord"}) {
    const std::string key = std::string(coordinator) + ".enableActiveStandby";
    if (ToLower(lookup.Get(key, "false")) == "true") on.insert(coordinator);
  }
  return on;
}

Result<model::MilvusSettings> SettingsOf(const std::map<std::string, std::string>& environment,
                                         const std::vector<NamedText>& yamls, bool is_standalone) {
  MU_TRY(const Lookup lookup, Read(environment, yamls));
  model::MilvusSettings settings;
  settings.root_path = CleanPath(lookup.Get("etcd.rootPath", "by-dev"));
  settings.meta_sub_path = CleanPath(lookup.Get("etcd.metaSubPath", "meta"));
  settings.kv_sub_path = CleanPath(lookup.Get("etcd.kvSubPath", "kv"));
  settings.metastore = ToLower(lookup.Get("metastore.type", "etcd"));
  settings.is_etcd_embedded = ToLower(lookup.Get("etcd.use.embed", "false")) == "true";
  settings.has_etcd_tls = ToLower(lookup.Get("etcd.ssl.enabled", "false")) == "true";
  settings.etcd_endpoints = lookup.GetList("etcd.endpoints");
  settings.storage_type = ToLower(lookup.Get("common.storageType", "minio"));
  settings.data_dir = lookup.Get("rocksmq.path", "/var/lib/milvus/rdb_data");
  const std::string port = lookup.Get("metrics.port", "9091");
  if (std::from_chars(port.data(), port.data() + port.size(), settings.metrics_port).ec !=
      std::errc()) {
    settings.metrics_port = 9091;
  }
  settings.queue = QueueOfName(lookup.Get("mq.type", lookup.Get("messageQueue", "default")));
  settings.is_queue_pinned = settings.queue != model::MessageQueue::kUnknown;
  if (!settings.is_queue_pinned) settings.queue = DefaultQueue(lookup, is_standalone);
  const bool from_environment = lookup.HasEnvironment("etcd.rootPath");
  settings.source = from_environment ? "environment (etcd.rootPath)"
                    : yamls.empty() ? "defaults (the container has no milvus.yaml that can be read)"
                                    : yamls.front().name;
  return settings;
}

}  // namespace mu::observe
