// SPDX-License-Identifier: Apache-2.0
#include "observe/migration_facts.h"

#include <algorithm>
#include <filesystem>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/config/migrate_yaml.h"
#include "milvus_upgrade/meta/collections.h"
#include "milvus_upgrade/meta/convert.h"
#include "milvus_upgrade/rules/checks.h"
#include "milvus_upgrade/rules/migration.h"
#include "observe/etcd_facts.h"

namespace mu::observe {
namespace {

// Both names are the document's.
constexpr std::string_view kFileNames[] = {"migrate.yaml", "migration.yaml"};

std::vector<std::string> FilesBeside(ports::Files& files, const std::string& compose_file) {
  std::vector<std::string> found;
  for (const std::string_view name : kFileNames) {
    const std::string path =
        (std::filesystem::path(compose_file).parent_path() / std::string(name)).string();
    const auto facts = files.Stat(path);
    if (facts && *facts) found.push_back(path);
  }
  return found;
}

std::string NameOf(config::MigrateCommand command) {
  switch (command) {
    case config::MigrateCommand::kRun:
      return "run";
    case config::MigrateCommand::kBackup:
      return "backup";
    case config::MigrateCommand::kRollback:
      return "rollback";
  }
  return {};
}

void ReadFile(ports::Files& files, model::MigrateFile* file) {
  const auto text = files.Read(file->path);
  if (!text) {
    file->problem = text.error().Text();
    return;
  }
  file->sha256 = Sha256(*text);
  auto yaml = config::ParseMigrateYaml(*text, file->path);
  if (!yaml) {
    file->problem = yaml.error().message;
    return;
  }
  file->warnings = std::move(yaml->warnings);
  file->command = NameOf(yaml->command);
  file->runs_with_backup = yaml->runs_with_backup;
  file->backup_file = std::move(yaml->backup_file);
  file->source = yaml->source;
  file->target = yaml->target;
  file->endpoints = std::move(yaml->endpoints);
  file->root_path = std::move(yaml->root_path);
  file->meta_path = std::move(yaml->meta_path);
  file->kv_path = std::move(yaml->kv_path);
  file->tls = std::move(yaml->tls);
  file->has_user = !yaml->user.empty();
  file->lines = std::move(yaml->lines);
  // A path in a file is meant from the folder of that file, wherever we are called from.
  for (std::string* path : {&file->tls.certificate, &file->tls.key, &file->tls.authority}) {
    if (path->empty()) continue;
    *path = (std::filesystem::path(file->path).parent_path() / *path).lexically_normal().string();
    const auto facts = files.Stat(*path);
    if (file->tls.is_enabled && !(facts && *facts)) file->missing.push_back(*path);
  }
}

void ReadFile(const World& world, const config::Config& config, const model::Observed& observed,
              bool has_migration, model::MigrateFile* file) {
  if (!config.migrate_file.empty()) {
    file->path = world.files.Absolute(config.migrate_file);
    file->is_given = true;
  } else if (has_migration && !observed.selectors.files.empty()) {
    const auto found = FilesBeside(world.files, observed.selectors.files.front());
    if (!found.empty()) file->path = found.front();
    if (found.size() > 1) file->rival = found.back();
  }
  if (!file->path.empty()) ReadFile(world.files, file);
}

model::MetadataForm FormOf(meta::Generation generation) {
  switch (generation) {
    case meta::Generation::kEmpty:
      return model::MetadataForm::kEmpty;
    case meta::Generation::k21:
      return model::MetadataForm::k21;
    case meta::Generation::k22:
      return model::MetadataForm::k22;
    case meta::Generation::kMixed:
      return model::MetadataForm::kMixed;
  }
  return model::MetadataForm::kUnknown;
}

void ReadMetadata(ports::Etcd& etcd, const model::Observed& observed, model::MetadataFacts* facts) {
  const meta::Scope scope{observed.settings.root_path, observed.settings.meta_sub_path};
  auto range =
      etcd.GetPrefix(observed.etcd.container_name, scope.Prefix(), ports::KeysOnly::kNo, 0);
  if (!range) {
    facts->unread = range.error().Text();
    return;
  }
  std::vector<model::KeyValue>& keys = range->kvs;
  std::erase_if(keys, [](const model::KeyValue& kv) { return kv.lease != 0; });
  facts->revision = range->revision;
  facts->keys = static_cast<std::int64_t>(keys.size());
  facts->form = FormOf(meta::GenerationOf(keys, scope));
  if (facts->form != model::MetadataForm::k21 && facts->form != model::MetadataForm::kMixed) return;
  facts->collections = meta::CollectionsOf(keys, scope);
  auto changes = meta::Convert(keys, scope);
  if (!changes) {
    facts->unconvertible = changes.error().message;
    return;
  }
  const meta::Summary& summary = changes->summary;
  facts->counts = {summary.collections,        summary.partitions,       summary.indexes,
                   summary.segments,           summary.segment_indexes,  summary.aliases,
                   summary.loaded_collections, summary.loaded_partitions};
  for (const meta::LoadedAgain& item : summary.needs_load)
    facts->needs_load.push_back({item.name, item.reason});
  facts->losses = std::move(changes->losses);
}

// One on which a Milvus container reaches it by the addresses of the settings, if there is one.
void FindWay(const std::vector<model::Container>& containers, const model::Observed& observed,
             model::MigrationFacts* facts) {
  const auto etcd =
      std::find_if(containers.begin(), containers.end(), [&](const model::Container& container) {
        return container.id == observed.etcd.container_id;
      });
  if (etcd == containers.end()) return;
  for (const auto& [network, address] : etcd->network_ips) {
    const bool is_shared = std::any_of(
        observed.milvus.begin(), observed.milvus.end(), [&, &name = network](const auto& milvus) {
          return milvus.container && milvus.container->network_ips.contains(name);
        });
    if (!is_shared || (!facts->network.empty() && !HasNames(network))) continue;
    facts->network = network;
    facts->endpoints = observed.settings.etcd_endpoints;
  }
  if (facts->network.empty() && !etcd->network_ips.empty()) {
    facts->network = etcd->network_ips.begin()->first;
    facts->endpoints = {etcd->name + ":2379"};
  }
  // What Milvus itself goes by is no stranger: the other members of the same etcd.
  const std::vector<std::string>& own = observed.settings.etcd_endpoints;
  for (const std::string& endpoint : facts->file.endpoints) {
    if (!LeadsTo(endpoint, *etcd) && std::find(own.begin(), own.end(), endpoint) == own.end())
      facts->file.strangers.push_back(endpoint);
  }
}

}  // namespace

std::optional<rules::VersionPath> PathOf(const config::Config& config,
                                         const model::Observed& observed) {
  const auto to = model::ParseVersion(config.to);
  const auto from = rules::RunningOf({config, observed});
  if (!to || !from) return std::nullopt;
  auto path =
      rules::FindPath(*from, *to, rules::PlatformOf(observed), observed.settings.queue, false);
  if (!path) return std::nullopt;
  return *std::move(path);
}

void ReadMigrationFacts(const World& world, const config::Config& config,
                        const std::vector<model::Container>& containers,
                        const std::optional<rules::VersionPath>& path, model::Observed* observed) {
  model::MigrationFacts& facts = observed->migration;
  ReadFile(world, config, *observed, path && rules::MigrationHopOf(*path) != nullptr, &facts.file);
  FindWay(containers, *observed, &facts);
  const model::EtcdFacts& etcd = observed->etcd;
  if (!etcd.unreachable.empty()) return;
  const auto running = rules::RunningOf({config, *observed});
  const bool is_21 = running && running->major == 2 && running->minor == 1;
  if (is_21 || etcd.has_meta_2_1 || facts.metadata.is_cut) {
    ReadMetadata(world.etcd, *observed, &facts.metadata);
  } else if (etcd.has_meta_2_2) {
    facts.metadata.form = model::MetadataForm::k22;
  }
}

}  // namespace mu::observe
