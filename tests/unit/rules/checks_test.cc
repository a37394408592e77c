// SPDX-License-Identifier: Apache-2.0
// Every check fires on the fact that it is about, and stays silent on the nearest fact that is
// fine.
#include "milvus_upgrade/rules/checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "unit/rules/observed_samples.h"

namespace mu::rules {
namespace {

using model::Finding;
using model::Observed;
using model::Severity;
using model::Version;

constexpr Severity kError = Severity::kError;
constexpr Severity kWarning = Severity::kWarning;
constexpr Severity kInfo = Severity::kInfo;

enum class Stack { kStandalone, kCluster };

struct World {
  Observed observed;
  config::Config config;
  bool has_edited_files = false;
  std::vector<std::string> edited_files;
};

std::vector<Finding> FindingsOf(const World& world, Stack stack) {
  const Platform platform =
      stack == Stack::kStandalone ? Platform::kComposeStandalone : Platform::kComposeCluster;
  const auto to = model::ParseVersion(world.config.to);
  const std::optional<Version> from = world.observed.milvus.front().tag_version;
  std::optional<VersionPath> path;
  if (to && from) {
    if (auto found = FindPath(*from, *to, platform, world.observed.settings.queue, false))
      path = std::move(*found);
  }
  const CheckInput input{world.config, world.observed, path ? &*path : nullptr,
                         world.has_edited_files ? &world.edited_files : nullptr};
  auto findings = RunChecks(input);
  EXPECT_TRUE(findings);
  return findings ? *findings : std::vector<Finding>{};
}

World Healthy(Stack stack) {
  return {stack == Stack::kStandalone ? samples::HealthyStandalone() : samples::HealthyCluster(),
          samples::ConfigTo("2.3.5"),
          false,
          {}};
}

// Shorthand for the facts that cases change.
model::Container& Milvus(World& w) { return *w.observed.milvus.front().container; }
model::ComposeService& File(World& w, const std::string& service) {
  return w.observed.project.services.at(service);
}
// A container of someone else has the name of this service's container; its own is not there.
void HoldName(World& w, const std::string& service, const std::string& project,
              const std::string& folder) {
  model::Container holder;
  holder.name = "milvus-" + service;
  holder.image = "milvusdb/milvus:v2.2.16";
  if (!project.empty()) holder.labels["com.docker.compose.project"] = project;
  if (!folder.empty()) holder.labels["com.docker.compose.project.working_dir"] = folder;
  w.observed.name_holders[service] = holder;
}
void RunAs(World& w, const Version& version) {
  for (model::MilvusService& milvus : w.observed.milvus) {
    milvus.tag_version = version;
    milvus.session_version = version;
  }
}

// 2.1.4 on the way to 2.2.16, and the same with a migrate.yaml that agrees.
Observed& From21(World& w) {
  w.observed = samples::StandaloneOf21();
  w.config.to = "2.2.16";
  return w.observed;
}
model::MigrateFile& WithFile(World& w) { return From21(w).migration.file = samples::FileOf21(); }

struct Case {
  std::string id;
  Stack stack;
  std::function<void(World&)> change;
  Severity severity;
  std::string subject;
  std::string part;  // of the message
};

const std::vector<Case>& Firing() {
  static const std::vector<Case> cases = {
      {"version-known", Stack::kStandalone,
       [](World& w) {
         w.observed.milvus[0].image.tag = "latest";
         w.observed.milvus[0].tag_version.reset();
         w.observed.milvus[0].session_version.reset();
       },
       kError, "standalone", "milvusdb/milvus:latest"},
      {"mixed-versions", Stack::kCluster,
       [](World& w) {
         w.observed.milvus[7].tag_version = Version{2, 3, 5, ""};
       },
       kError, "Milvus services", "2.3.5: proxy"},
      {"version-agreement", Stack::kStandalone,
       [](World& w) {
         w.observed.milvus[0].session_version = Version{2, 1, 0, ""};
       },
       kError, "standalone", "its session says 2.1.0"},
      {"version-agreement", Stack::kStandalone,
       [](World& w) {
         w.observed.milvus[0].metrics_version = Version{2, 4, 0, ""};
       },
       kError, "standalone", "its /metrics says 2.4.0"},
      {"version-agreement", Stack::kStandalone,
       [](World& w) {
         w.observed.milvus[0].session_version.reset();
         for (auto& session : w.observed.etcd.sessions) session.version.clear();
       },
       kError, "standalone", "carries no version"},
      {"version-agreement", Stack::kStandalone,
       [](World& w) {
         w.observed.milvus[0].session_version = Version{2, 2, 14, ""};
       },
       kInfo, "standalone", "its session says 2.2.14"},
      {"metadata-era", Stack::kStandalone,
       [](World& w) {
         w.observed.etcd.has_meta_2_1 = true;
         w.observed.etcd.has_meta_2_2 = false;
       },
       kError, "by-dev/meta/", "in the form of 2.1 while 2.2.16 runs"},
      {"metadata-era", Stack::kStandalone, [](World& w) { w.observed.etcd.has_meta_2_1 = true; },
       kError, "by-dev/meta/", "partly still in the form of 2.1"},
      {"metadata-era", Stack::kStandalone,
       [](World& w) {
         RunAs(w, {2, 1, 4, ""});
       },
       kError, "by-dev/meta/", "in the form of 2.2 while 2.1.4 runs"},
      {"metadata-era", Stack::kStandalone,
       [](World& w) {
         w.observed.migration.metadata.form = model::MetadataForm::kMixed;
       },
       kError, "by-dev/meta/", "partly still in the form of 2.1"},
      {"metadata-era", Stack::kStandalone,
       [](World& w) {
         From21(w);
         w.observed.migration.metadata.is_cut = true;
       },
       kError, "by-dev/meta/", "was cut, and 2.1.4 runs on it"},
      {"metadata-conversion", Stack::kStandalone,
       [](World& w) { From21(w).migration.metadata.unread = "etcd is compacted"; }, kError,
       "by-dev/meta/", "cannot be read: etcd is compacted"},
      {"metadata-conversion", Stack::kStandalone,
       [](World& w) {
         From21(w).migration.metadata.unconvertible = "1 key cannot:\n  a: it is damaged";
       },
       kError, "by-dev/meta/", "a: it is damaged"},
      {"migrate-file", Stack::kStandalone,
       [](World& w) { WithFile(w).problem = "m.yaml:3: what"; }, kError,
       "/srv/milvus/migrate.yaml", "m.yaml:3: what"},
      {"migrate-file", Stack::kStandalone,
       [](World& w) { WithFile(w).rival = "/srv/milvus/migration.yaml"; }, kError,
       "/srv/milvus/migrate.yaml", "/srv/milvus/migration.yaml is there as well"},
      {"migrate-file", Stack::kStandalone,
       [](World& w) {
         WithFile(w).warnings = {"m.yaml:9: there is no such key"};
       },
       kWarning, "/srv/milvus/migrate.yaml", "m.yaml:9: there is no such key"},
      {"migrate-file", Stack::kStandalone,
       [](World& w) { WithFile(w).missing = {"/srv/milvus/ca.crt"}; }, kError,
       "/srv/milvus/migrate.yaml", "/srv/milvus/ca.crt is not there"},
      {"migrate-file", Stack::kStandalone,
       [](World& w) {
         w.observed.migration.file = samples::FileOf21();
         w.observed.migration.file.is_given = true;
       },
       kInfo, "/srv/milvus/migrate.yaml", "it is not used"},
      {"migrate-command", Stack::kStandalone, [](World& w) { WithFile(w).command = "rollback"; },
       kError, "/srv/milvus/migrate.yaml:3: cmd.type", "it says rollback"},
      {"migrate-source-version", Stack::kStandalone,
       [](World& w) {
         WithFile(w).source = {2, 1, 0, ""};
       },
       kError, "/srv/milvus/migrate.yaml:6: config.sourceVersion", "it says 2.1.0, and 2.1.4 runs"},
      {"migrate-target-version", Stack::kStandalone,
       [](World& w) {
         WithFile(w).target = Version{2, 1, 4, ""};
       },
       kError, "/srv/milvus/migrate.yaml:7: config.targetVersion", "nothing is migrated"},
      {"migrate-target-version", Stack::kStandalone,
       [](World& w) {
         WithFile(w).target = Version{2, 2, 0, "rc1"};
       },
       kError, "/srv/milvus/migrate.yaml:7: config.targetVersion", "it says 2.2.0-rc1"},
      {"migrate-target-version", Stack::kStandalone,
       [](World& w) {
         WithFile(w).target = Version{2, 3, 5, ""};
       },
       kError, "/srv/milvus/migrate.yaml:7: config.targetVersion", "it says 2.3.5"},
      {"migrate-target-version", Stack::kStandalone,
       [](World& w) {
         WithFile(w).target = Version{2, 2, 9, ""};
       },
       kWarning, "/srv/milvus/migrate.yaml:7: config.targetVersion", "goes to 2.2.16"},
      {"migrate-endpoints", Stack::kStandalone,
       [](World& w) { WithFile(w).strangers = {"localhost:2379"}; }, kError,
       "/srv/milvus/migrate.yaml:12: etcd.endpoints",
       "localhost:2379 does not lead to milvus-etcd"},
      {"migrate-endpoints", Stack::kStandalone,
       [](World& w) {
         WithFile(w).strangers = {"a:2379", "b:2379"};
         w.config.migration_engine = config::MigrationEngine::kBuiltin;
       },
       kWarning, "/srv/milvus/migrate.yaml:12: etcd.endpoints", "a:2379, b:2379 do not lead"},
      {"migrate-root-path", Stack::kStandalone,
       [](World& w) { WithFile(w).root_path = "my-release"; }, kError,
       "/srv/milvus/migrate.yaml:13: etcd.rootPath", "it says my-release"},
      {"migrate-meta-path", Stack::kStandalone, [](World& w) { WithFile(w).meta_path = "metadata"; },
       kError, "/srv/milvus/migrate.yaml:14: etcd.metaSubPath", "under meta"},
      {"migrate-auth", Stack::kStandalone, [](World& w) { WithFile(w).has_user = true; }, kError,
       "/srv/milvus/migrate.yaml: etcd.auth.enabled", "cannot give"},
      {"migrate-auth", Stack::kStandalone,
       [](World& w) { From21(w).etcd.status.is_auth_enabled = true; }, kError, "milvus-etcd",
       "cannot give"},
      {"migrate-auth", Stack::kStandalone,
       [](World& w) { From21(w).settings.has_etcd_tls = true; }, kError, "milvus-etcd",
       "no migrate.yaml names the certificates"},
      {"migration-image", Stack::kStandalone,
       [](World& w) {
         From21(w).images[samples::kTool].reset();
         w.observed.unavailable_images[samples::kTool] = "no such manifest";
       },
       kError, samples::kTool, "no such manifest"},
      {"migration-image", Stack::kStandalone,
       [](World& w) { From21(w).images[samples::kTool].reset(); }, kInfo, samples::kTool,
       "not on the engine yet"},
      {"migration-image", Stack::kStandalone,
       [](World& w) { From21(w).images[samples::kTool]->architecture = "arm64"; }, kError,
       samples::kTool, "it is for arm64"},
      {"migration-image", Stack::kStandalone,
       [](World& w) {
         w.config.migration_image = "milvus/meta-migration:v2.2.0";
         From21(w);
         w.observed.images["milvus/meta-migration:v2.2.0"] = w.observed.images[samples::kTool];
       },
       kWarning, "milvus/meta-migration:v2.2.0", "can lose metadata"},
      {"migration-sibling", Stack::kStandalone,
       [](World& w) { From21(w).migration.metadata.siblings = {"by-dev/meta2"}; }, kError,
       "by-dev/meta2", "would take these keys for by-dev/meta/"},
      {"migration-sibling", Stack::kStandalone,
       [](World& w) {
         From21(w).migration.metadata.siblings = {"by-dev/meta2"};
         w.config.migration_engine = config::MigrationEngine::kBuiltin;
         w.config.backs_up_with_tool = true;
       },
       kWarning, "by-dev/meta2", "would take these keys"},
      {"index-kinds", Stack::kStandalone,
       [](World& w) { w.observed.etcd.index_kinds["ANNOY"] = 2; }, kError, "ANNOY",
       "2 indexes are of kind ANNOY, which 2.3.5 cannot load"},
      {"roles", Stack::kCluster, [](World& w) { w.config.to = "2.6.1"; }, kError, "indexcoord",
       "2.6.1 has no role indexcoord"},
      {"roles", Stack::kCluster,
       [](World& w) { w.observed.milvus[4].role = model::Role::kStreamingNode; }, kError,
       "datanode", "has no role streamingnode"},
      {"roles", Stack::kCluster,
       [](World& w) { w.observed.milvus[0].role = model::Role::kStandalone; }, kError,
       "datacoord, indexcoord, querycoord, datanode, indexnode, querynode, proxy",
       "in one project"},
      {"queue-pin", Stack::kStandalone, [](World& w) { w.config.to = "2.6.1"; }, kError,
       "standalone", "not pinned"},
      {"queue-change", Stack::kStandalone,
       [](World& w) { File(w, "standalone").environment["MQ_TYPE"] = "woodpecker"; }, kError,
       "standalone", "(running: rocksmq, files: woodpecker)"},
      {"queue-change", Stack::kStandalone,
       [](World& w) { Milvus(w).environment["MQ_TYPE"] = "rocksmq"; }, kError, "standalone",
       "files: none named"},
      {"metastore", Stack::kStandalone, [](World& w) { w.observed.settings.metastore = "mysql"; },
       kError, "mysql", "which 2.3.5 cannot use"},
      {"metastore", Stack::kStandalone, [](World& w) { w.observed.settings.metastore = "tikv"; },
       kError, "tikv", "not in etcd but in tikv"},
      {"containers", Stack::kStandalone, [](World& w) { w.observed.milvus[0].container.reset(); },
       kError, "standalone", "no container"},
      {"containers", Stack::kStandalone,
       [](World& w) {
         Milvus(w).status = "exited";
         Milvus(w).exit_code = 137;
         Milvus(w).is_oom_killed = true;
       },
       kError, "standalone", "exited with exit code 137, killed for lack of memory"},
      {"containers", Stack::kStandalone,
       [](World& w) {
         Milvus(w).status = "restarting";
         Milvus(w).restart_count = 7;
       },
       kError, "standalone", "again and again (7 times)"},
      {"containers", Stack::kStandalone,
       [](World& w) {
         Milvus(w).health.status = "unhealthy";
         Milvus(w).health.last_output = "one\ncurl: (7) refused\n";
       },
       kError, "standalone", "unhealthy: curl: (7) refused"},
      {"containers", Stack::kStandalone, [](World& w) { Milvus(w).health.status = "starting"; },
       kWarning, "standalone", "not healthy yet"},
      {"container-names", Stack::kStandalone,
       [](World& w) { HoldName(w, "standalone", "other", "/srv/other"); }, kError, "standalone",
       "is of project other in /srv/other, not of milvus"},
      {"container-names", Stack::kStandalone, [](World& w) { HoldName(w, "standalone", "", ""); },
       kError, "standalone", "is of no Compose project"},
      {"container-names", Stack::kStandalone, [](World& w) { HoldName(w, "minio", "other", ""); },
       kWarning, "minio", "is of project other, not of milvus"},
      {"dependencies", Stack::kStandalone,
       [](World& w) { w.observed.other_containers[1].status = "dead"; }, kError, "minio",
       "milvus-minio is dead"},
      {"session-keys", Stack::kStandalone,
       [](World& w) {
         std::erase_if(w.observed.etcd.sessions, [](const auto& s) { return s.role == "proxy"; });
       },
       kError, "standalone", "no session key of proxy under by-dev/meta/session/"},
      {"session-keys", Stack::kCluster, [](World& w) { w.observed.etcd.sessions.clear(); }, kError,
       "querynode", "no session key of querynode"},
      {"session-keys", Stack::kCluster,
       [](World& w) { w.observed.etcd.sessions[0].address = "172.18.0.99:53100"; }, kError,
       "rootcoord", "not at its own address 172.18.0.4: rootcoord at 172.18.0.99:53100"},
      {"foreign-sessions", Stack::kStandalone,
       [](World& w) {
         w.observed.etcd.sessions.push_back(
             samples::SessionOf(model::Role::kQueryNode, 77, "10.0.0.9:21123"));
       },
       kError, "by-dev/meta/session/querynode-77", "querynode-77 at 10.0.0.9:21123"},
      {"restart-policy", Stack::kStandalone,
       [](World& w) { File(w, "standalone").restart = "always"; }, kWarning, "standalone",
       "policy is \"no\", the files say \"always\""},
      {"restart-policy", Stack::kStandalone,
       [](World& w) {
         File(w, "standalone").restart = "always";
         Milvus(w).restart_policy = "always";
       },
       kInfo, "standalone", "restart: always"},
      {"restart-policy", Stack::kStandalone,
       [](World& w) { w.observed.other_containers[0].restart_policy = "no"; }, kInfo, "milvus-etcd",
       "stay down"},
      {"autostarters", Stack::kStandalone,
       [](World& w) {
         model::Container watchtower;
         watchtower.name = "watchtower";
         watchtower.image = "containrrr/watchtower";
         w.observed.autostarters.push_back(watchtower);
       },
       kWarning, "watchtower", "containrrr/watchtower"},
      {"stop-grace", Stack::kStandalone,
       [](World& w) { File(w, "standalone").stop_grace_period = Millis(60'000); }, kInfo,
       "standalone", "1m00s"},
      {"data-in-container", Stack::kStandalone,
       [](World& w) {
         Milvus(w).mounts.clear();
         File(w, "standalone").mounts.clear();
       },
       kError, "standalone", "/var/lib/milvus/rdb_data of milvus-standalone is in the container"},
      {"data-in-container", Stack::kStandalone,
       [](World& w) { Milvus(w).mounts[0].type = "tmpfs"; }, kError, "standalone",
       "no folder or volume"},
      {"data-in-container", Stack::kStandalone,
       [](World& w) { Milvus(w).mounts[0].target = "/var/lib/milvus/rdb_dat"; }, kError,
       "standalone", "no folder or volume"},
      {"data-in-container", Stack::kCluster,
       [](World& w) { w.observed.settings.storage_type = "local"; }, kError, "datanode",
       "no folder or volume"},
      {"unnamed-volumes", Stack::kStandalone,
       [](World& w) {
         Milvus(w).mounts[0] = {"volume", std::string(64, 'a'), "/var/lib/milvus", false};
         File(w, "standalone").mounts[0] = {"volume", "", "/var/lib/milvus", false};
       },
       kWarning, "standalone", "is in a volume without a name (aaaaaaaaaaaa)"},
      {"mounts", Stack::kStandalone,
       [](World& w) {
         File(w, "standalone").mounts[0].source = "/home/ci/checkout/volumes/milvus";
       },
       kError, "standalone", "the files would mount /home/ci/checkout/volumes/milvus"},
      {"mounts", Stack::kStandalone, [](World& w) { Milvus(w).mounts.clear(); }, kError,
       "standalone", "has nothing mounted"},
      {"mounts", Stack::kStandalone, [](World& w) { File(w, "standalone").mounts.clear(); }, kError,
       "standalone", "the files mount nothing there"},
      {"mounts", Stack::kStandalone,
       [](World& w) {
         File(w, "standalone").mounts[0] = {"volume", "milvus_data", "/var/lib/milvus", false};
         Milvus(w).mounts[0] = {"volume", "other_data", "/var/lib/milvus", false};
       },
       kError, "standalone", "volume other_data"},
      {"mounts", Stack::kStandalone,
       [](World& w) { File(w, "etcd").mounts[0].source = "/elsewhere/etcd"; }, kWarning, "etcd",
       "/elsewhere/etcd"},
      {"working-folder", Stack::kStandalone,
       [](World& w) { w.observed.project_directory = "/home/ci/checkout"; }, kWarning,
       "/home/ci/checkout", "made from /srv/milvus"},
      {"working-folder", Stack::kStandalone,
       [](World& w) { w.observed.selectors.files = {"/srv/milvus/compose.yaml"}; }, kWarning,
       "standalone",
       "made from /srv/milvus/docker-compose.yml, the files taken here are /srv/milvus/compose.y"},
      {"working-folder", Stack::kStandalone,
       [](World& w) {
         Milvus(w).labels["com.docker.compose.project.config_files"] = "../a/docker-compose.yml";
         w.observed.selectors.files.push_back("/srv/milvus/docker-compose.override.yml");
       },
       kWarning, "standalone", "made from ../a/docker-compose.yml, the files taken here are"},
      {"project-folders", Stack::kStandalone,
       [](World& w) {
         w.observed.other_containers[0].labels["com.docker.compose.project.working_dir"] =
             "/srv/other";
       },
       kError, "milvus", "/srv/milvus, /srv/other"},
      {"config-drift", Stack::kStandalone,
       [](World& w) { File(w, "standalone").image = "milvusdb/milvus:v2.2.14"; }, kError,
       "standalone", "the files say milvusdb/milvus:v2.2.14"},
      {"config-drift", Stack::kStandalone,
       [](World& w) { File(w, "standalone").environment["ETCD_ENDPOINTS"] = "new-etcd:2379"; },
       kError, "standalone", "environment differs between the files and milvus-standalone: ETCD_E"},
      {"config-drift", Stack::kStandalone,
       [](World& w) { Milvus(w).environment["ADDED_BY_HAND"] = "1"; }, kError, "standalone",
       "ADDED_BY_HAND"},
      {"config-drift", Stack::kStandalone,
       [](World& w) {
         File(w, "standalone").command = {"milvus", "run", "mixture"};
       },
       kError, "standalone", "`milvus run mixture`"},
      {"etcd-embedded", Stack::kStandalone,
       [](World& w) { w.observed.settings.is_etcd_embedded = true; }, kError, "standalone",
       "embedded"},
      {"etcd-external", Stack::kStandalone,
       [](World& w) {
         w.observed.etcd = {};
         w.observed.etcd.unreachable = "no container";
       },
       kError, "etcd:2379", "not a container of this engine"},
      {"etcd-reachable", Stack::kStandalone,
       [](World& w) { w.observed.etcd.unreachable = "its container milvus-etcd is exited"; },
       kError, "milvus-etcd", "cannot be asked: its container milvus-etcd is exited"},
      {"etcd-auth", Stack::kStandalone,
       [](World& w) {
         w.observed.etcd.status.is_auth_enabled = true;
         w.observed.etcd.unreachable = "user name is empty";
       },
       kError, "milvus-etcd", "a user and a password"},
      {"etcd-alarms", Stack::kStandalone,
       [](World& w) { w.observed.etcd.status.alarms = {"NOSPACE"}; }, kError, "milvus-etcd",
       "NOSPACE"},
      {"etcd-alarms", Stack::kStandalone,
       [](World& w) { w.observed.etcd.status.alarms = {"CORRUPT"}; }, kError, "milvus-etcd",
       "CORRUPT"},
      {"etcd-version", Stack::kStandalone,
       [](World& w) { w.observed.etcd.status.version = "3.5.2"; }, kWarning, "milvus-etcd",
       "3.5.2"},
      {"etcd-shell", Stack::kStandalone, [](World& w) { w.observed.etcd.status.has_shell = false; },
       kInfo, "milvus-etcd", "no shell"},
      {"other-instances", Stack::kStandalone,
       [](World& w) { w.observed.etcd.other_roots = {"prod"}; }, kInfo, "milvus-etcd",
       "not of by-dev: prod"},
      {"compose-generation", Stack::kStandalone,
       [](World& w) { w.observed.compose_version = "1.29.2"; }, kError, "milvus",
       "made by Compose 2.40.3, at hand is 1.29.2"},
      {"compose-generation", Stack::kStandalone,
       [](World& w) {
         w.observed.made_by = model::ComposeGeneration::kV1;
         w.observed.made_by_version = "1.29.2";
       },
       kError, "milvus", "made by Compose 1.29.2, at hand is 2.40.3"},
      {"compose-v1-engine", Stack::kStandalone,
       [](World& w) {
         w.observed.made_by = model::ComposeGeneration::kV1;
         w.observed.made_by_version = w.observed.compose_version = "1.29.2";
         w.observed.engine.version = "28.1.0";
       },
       kError, "28.1.0", "cannot recreate"},
      {"images", Stack::kStandalone,
       [](World& w) { w.observed.images[samples::kNewImage].reset(); }, kInfo, "standalone",
       "milvusdb/milvus:v2.3.5 is not on the engine yet"},
      {"images", Stack::kStandalone,
       [](World& w) {
         w.observed.images[samples::kNewImage].reset();
         File(w, "standalone").pull_policy = "never";
       },
       kError, "standalone", "pull_policy is never"},
      {"images", Stack::kStandalone,
       [](World& w) {
         w.observed.images[samples::kNewImage].reset();
         w.observed.unavailable_images[samples::kNewImage] = "no such manifest";
       },
       kError, "standalone", "no such manifest"},
      {"images", Stack::kStandalone,
       [](World& w) { w.observed.images[samples::kOldImage].reset(); }, kWarning, "standalone",
       "no longer on the engine"},
      {"image-architecture", Stack::kStandalone,
       [](World& w) { w.observed.images[samples::kNewImage]->architecture = "arm64"; }, kError,
       "standalone", "is for arm64"},
      {"image-digest", Stack::kStandalone,
       [](World& w) { w.observed.milvus[0].image.digest = samples::kOldImageId; }, kWarning,
       "standalone", "pinned by digest: milvusdb/milvus:v2.2.16@sha256:2222"},
      {"pull-policy", Stack::kStandalone,
       [](World& w) { File(w, "standalone").pull_policy = "always"; }, kWarning, "standalone",
       "always"},
      {"build", Stack::kStandalone, [](World& w) { File(w, "standalone").has_build = true; },
       kError, "standalone", "built here"},
      {"files-replaceable", Stack::kStandalone,
       [](World& w) { w.observed.files[0].is_writable = false; }, kWarning,
       "/srv/milvus/docker-compose.yml", "may not be written"},
      {"files-replaceable", Stack::kStandalone,
       [](World& w) {
         w.observed.files[0].not_replaceable = "it is a mount point";
         w.has_edited_files = true;
         w.edited_files = {"/srv/milvus/docker-compose.yml"};
       },
       kError, "/srv/milvus/docker-compose.yml", "it is a mount point"},
      {"file-links", Stack::kStandalone,
       [](World& w) { w.observed.files[0].link_target = "/etc/milvus/compose.yml"; }, kInfo,
       "/srv/milvus/docker-compose.yml", "/etc/milvus/compose.yml"},
      {"shell-variables", Stack::kStandalone,
       [](World& w) { w.observed.shell_overrides["MILVUS_TAG"] = "v2.2.14"; }, kWarning,
       "MILVUS_TAG", "MILVUS_TAG=v2.2.14"},
      {"free-disk", Stack::kStandalone, [](World& w) { w.observed.free_bytes_state = 67'000'000; },
       kError, "/srv/milvus/.milvus-upgrade", "63 MiB are free, 67 MiB are needed"},
      {"ci-workspace", Stack::kStandalone,
       [](World& w) { w.observed.ci_workspace = "/srv/milvus/"; }, kWarning,
       "/srv/milvus/.milvus-upgrade", "CI job's workspace"},
      {"queue-backup", Stack::kStandalone, [](World&) {}, kInfo, "/var/lib/milvus/rdb_data",
       "not backed up"},
      {"queue-backup", Stack::kCluster, [](World&) {}, kInfo, "kafka", "(kafka)"},
      {"queue-backup", Stack::kCluster, [](World& w) { w.config.backs_up_queue = true; }, kWarning,
       "kafka", "--backup-mq cannot"},
  };
  return cases;
}

struct SilentCase {
  std::string id;
  Stack stack;
  std::function<void(World&)> change;
};

const std::vector<SilentCase>& Silent() {
  static const std::vector<SilentCase> cases = {
      {"version-known", Stack::kStandalone,
       [](World& w) {
         w.observed.milvus[0].tag_version.reset();
         w.observed.milvus[0].session_version.reset();
         w.config.from = "2.2.16";
         w.observed.milvus[0].image.tag = "latest";
       }},
      {"mixed-versions", Stack::kCluster,
       [](World& w) {
         RunAs(w, {2, 2, 3, ""});
       }},
      {"version-agreement", Stack::kStandalone,  // 2.1 writes no version
       [](World& w) {
         RunAs(w, {2, 1, 4, ""});
         w.observed.milvus[0].session_version.reset();
         for (auto& session : w.observed.etcd.sessions) session.version.clear();
       }},
      {"metadata-era", Stack::kStandalone,
       [](World& w) {
         RunAs(w, {2, 1, 4, ""});
         w.observed.etcd.has_meta_2_1 = true;
         w.observed.etcd.has_meta_2_2 = false;
       }},
      {"metadata-era", Stack::kStandalone, [](World& w) { w.observed.etcd.has_meta_2_2 = false; }},
      {"metadata-conversion", Stack::kStandalone,
       [](World& w) {
         From21(w).migration.metadata.losses = {"one key with a field that is not known"};
       }},
      // Nothing is converted on this way.
      {"metadata-conversion", Stack::kStandalone,
       [](World& w) { w.observed.migration.metadata.unconvertible = "1 key cannot"; }},
      {"migrate-file", Stack::kStandalone, [](World& w) { WithFile(w); }},
      {"migrate-file", Stack::kStandalone,
       [](World& w) { w.observed.migration.file = samples::FileOf21(); }},
      {"migrate-command", Stack::kStandalone, [](World& w) { WithFile(w); }},
      {"migrate-source-version", Stack::kStandalone,
       [](World& w) {
         WithFile(w).source = {2, 1, 0, ""};
         w.config.from = "2.1.0";
       }},
      {"migrate-target-version", Stack::kStandalone, [](World& w) { WithFile(w); }},
      // A backup has none.
      {"migrate-target-version", Stack::kStandalone, [](World& w) { WithFile(w).target.reset(); }},
      {"migrate-endpoints", Stack::kStandalone, [](World& w) { WithFile(w); }},
      {"migrate-root-path", Stack::kStandalone, [](World& w) { WithFile(w); }},
      {"migrate-meta-path", Stack::kStandalone, [](World& w) { WithFile(w); }},
      // A file that cannot be understood has one finding.
      {"migrate-root-path", Stack::kStandalone,
       [](World& w) {
         WithFile(w) = {};
         w.observed.migration.file.path = "/srv/milvus/migrate.yaml";
         w.observed.migration.file.problem = "it is no map";
       }},
      {"migrate-auth", Stack::kStandalone,
       [](World& w) {
         WithFile(w).has_user = true;
         w.config.migration_engine = config::MigrationEngine::kBuiltin;
       }},
      {"migrate-auth", Stack::kStandalone,
       [](World& w) {
         WithFile(w).tls.is_enabled = true;
         w.observed.settings.has_etcd_tls = true;
       }},
      {"migration-image", Stack::kStandalone, [](World& w) { From21(w); }},
      {"migration-image", Stack::kStandalone,
       [](World& w) {
         From21(w).images[samples::kTool].reset();
         w.config.migration_engine = config::MigrationEngine::kBuiltin;
       }},
      {"migration-sibling", Stack::kStandalone,
       [](World& w) {
         From21(w).migration.metadata.siblings = {"by-dev/meta2"};
         w.config.migration_engine = config::MigrationEngine::kBuiltin;
       }},
      {"index-kinds", Stack::kStandalone,
       [](World& w) {
         w.observed.etcd.index_kinds["ANNOY"] = 1;
         w.config.to = "2.2.17";
       }},
      {"roles", Stack::kCluster, [](World& w) { w.config.to = "2.5.27"; }},
      {"roles", Stack::kStandalone, [](World& w) { w.config.to = "2.6.1"; }},
      {"queue-pin", Stack::kStandalone,
       [](World& w) {
         w.config.to = "2.6.1";
         w.observed.settings.is_queue_pinned = true;
       }},
      {"queue-change", Stack::kStandalone,  // pinning what runs is no change
       [](World& w) { File(w, "standalone").environment["MQ_TYPE"] = "rocksmq"; }},
      {"metastore", Stack::kStandalone, [](World& w) { w.observed.settings.metastore = "etcd"; }},
      {"containers", Stack::kStandalone,
       [](World& w) {
         Milvus(w).has_healthcheck = false;
         Milvus(w).health = {};
       }},
      {"container-names", Stack::kStandalone, [](World&) {}},
      {"unnamed-volumes", Stack::kStandalone,  // nothing is kept there
       [](World& w) {
         Milvus(w).mounts[0] = {"volume", std::string(64, 'a'), "/var/lib/milvus", false};
         w.observed.settings.queue = model::MessageQueue::kKafka;
       }},
      {"unnamed-volumes", Stack::kStandalone,  // it has a name
       [](World& w) {
         Milvus(w).mounts[0] = {"volume", "milvus_data", "/var/lib/milvus", false};
       }},
      {"dependencies", Stack::kStandalone,  // a job that has done its work
       [](World& w) { w.observed.other_containers[1].status = "exited"; }},
      {"dependencies", Stack::kStandalone,  // nobody needs it
       [](World& w) {
         w.observed.other_containers[1].status = "dead";
         File(w, "standalone").depends_on = {"etcd"};
       }},
      {"session-keys", Stack::kStandalone,  // the host's network: no address to compare
       [](World& w) {
         Milvus(w).network_ips = {{"host", ""}};
       }},
      {"session-keys", Stack::kCluster,  // two of a role
       [](World& w) { w.observed.etcd.sessions.push_back(w.observed.etcd.sessions.back()); }},
      {"session-keys", Stack::kCluster,  // from 2.3 on indexcoord's key is datacoord's
       [](World& w) {
         RunAs(w, {2, 3, 5, ""});
         w.config.to = "2.4.23";
         w.observed.etcd.sessions[2].address = w.observed.etcd.sessions[1].address;
       }},
      {"foreign-sessions", Stack::kStandalone,
       [](World& w) {
         Milvus(w).network_ips = {{"host", ""}};
       }},
      {"restart-policy", Stack::kStandalone,
       [](World& w) {
         File(w, "standalone").restart = "on-failure:3";
         Milvus(w).restart_policy = "on-failure";
       }},
      {"autostarters", Stack::kStandalone, [](World&) {}},
      {"stop-grace", Stack::kStandalone,
       [](World& w) { File(w, "minio").stop_grace_period = Millis(60'000); }},
      {"data-in-container", Stack::kStandalone,  // carried over by Compose
       [](World& w) {
         Milvus(w).mounts = {{"volume", samples::HexId(1), "/var/lib/milvus/rdb_data", false}};
       }},
      {"data-in-container", Stack::kStandalone,  // nothing is kept there
       [](World& w) {
         Milvus(w).mounts.clear();
         w.observed.settings.queue = model::MessageQueue::kPulsar;
       }},
      {"mounts", Stack::kStandalone,
       [](World& w) { File(w, "standalone").mounts[0].source = "/srv/milvus/volumes/milvus/"; }},
      {"mounts", Stack::kStandalone,
       [](World& w) {
         File(w, "standalone").mounts[0] = {"volume", "milvus_data", "/var/lib/milvus", false};
         Milvus(w).mounts[0] = {"volume", "milvus_data", "/var/lib/milvus", false};
       }},
      {"mounts", Stack::kStandalone,  // of the image, of `configs`, of `secrets`
       [](World& w) {
         Milvus(w).mounts.push_back({"volume", std::string(64, 'f'), "/data", false});
         Milvus(w).mounts.push_back({"bind", "/srv/milvus/user.yaml", "/user.yaml", true});
         Milvus(w).mounts.push_back({"bind", "/srv/milvus/key", "/run/secrets/key", false});
       }},
      {"working-folder", Stack::kStandalone,
       [](World& w) { w.observed.project_directory = "/srv/milvus/"; }},
      {"project-folders", Stack::kStandalone,
       [](World& w) { w.observed.other_containers[0].labels.clear(); }},
      {"config-drift", Stack::kStandalone,  // entrypoint of the image
       [](World& w) {
         w.observed.images[samples::kOldImage]->entrypoint = {"/tini", "--"};
         Milvus(w).command = {"/tini", "--", "milvus", "run", "standalone"};
       }},
      {"config-drift", Stack::kStandalone,  // an image that is gone: nothing to compare with
       [](World& w) {
         w.observed.images[samples::kOldImage].reset();
         Milvus(w).environment["OF_THE_IMAGE"] = "1";
       }},
      {"etcd-embedded", Stack::kStandalone, [](World&) {}},
      {"etcd-external", Stack::kStandalone,  // embedded has a row of its own
       [](World& w) {
         w.observed.etcd.container_id.clear();
         w.observed.settings.is_etcd_embedded = true;
       }},
      {"etcd-external", Stack::kStandalone,  // of another project, but on this engine
       [](World& w) { w.observed.etcd.service.clear(); }},
      {"etcd-reachable", Stack::kStandalone,  // external has a row of its own
       [](World& w) {
         w.observed.etcd.container_id.clear();
         w.observed.etcd.unreachable = "no container";
       }},
      {"etcd-auth", Stack::kStandalone,  // the credentials were taken
       [](World& w) { w.observed.etcd.status.is_auth_enabled = true; }},
      {"etcd-alarms", Stack::kStandalone, [](World&) {}},
      {"etcd-version", Stack::kStandalone,
       [](World& w) { w.observed.etcd.status.version = "3.5.21"; }},
      {"etcd-shell", Stack::kStandalone,
       [](World& w) {
         w.observed.etcd.container_id.clear();
         w.observed.etcd.status.has_shell = false;
       }},
      {"other-instances", Stack::kStandalone, [](World&) {}},
      {"compose-generation", Stack::kStandalone,
       [](World& w) { w.observed.compose_version = "v5.0.1"; }},
      {"compose-v1-engine", Stack::kStandalone,
       [](World& w) {
         w.observed.made_by = model::ComposeGeneration::kV1;
         w.observed.engine.version = "20.10.24";
       }},
      {"compose-v1-engine", Stack::kStandalone,
       [](World& w) { w.observed.engine.version = "28.1.0"; }},
      {"images", Stack::kStandalone, [](World& w) { File(w, "standalone").pull_policy = "never"; }},
      {"image-architecture", Stack::kStandalone,
       [](World& w) { w.observed.images[samples::kNewImage]->architecture = ""; }},
      {"image-digest", Stack::kStandalone, [](World&) {}},
      {"config-drift", Stack::kStandalone,  // the client's proxy settings; a tag that has moved on
       [](World& w) {
         Milvus(w).environment["HTTP_PROXY"] = "http://proxy:3128";
         w.observed.images[samples::kOldImage]->id = samples::kNewImageId;
         w.observed.images[samples::kOldImage]->environment.clear();
       }},
      {"pull-policy", Stack::kStandalone, [](World& w) { File(w, "etcd").pull_policy = "always"; }},
      {"build", Stack::kStandalone, [](World& w) { File(w, "minio").has_build = true; }},
      {"files-replaceable", Stack::kStandalone,  // not a file that is edited
       [](World& w) {
         w.observed.files[0].is_writable = false;
         w.has_edited_files = true;
         w.edited_files = {"/srv/milvus/.env"};
       }},
      {"file-links", Stack::kStandalone, [](World&) {}},
      {"shell-variables", Stack::kStandalone, [](World&) {}},
      {"free-disk", Stack::kStandalone, [](World& w) { w.observed.free_bytes_state.reset(); }},
      {"free-disk", Stack::kStandalone,
       [](World& w) { w.observed.free_bytes_state = 64 * 1024 * 1024 + 4'000'000; }},
      {"ci-workspace", Stack::kStandalone, [](World& w) { w.observed.ci_workspace = "/srv/mil"; }},
      {"queue-backup", Stack::kStandalone, [](World& w) { w.config.backs_up_queue = true; }},
  };
  return cases;
}

std::string TextOf(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& f : findings)
    text += f.id + " " + std::to_string(static_cast<int>(f.severity)) + " " + f.subject + ": " +
            f.message + "\n";
  return text;
}

TEST(Checks, AHealthyStackHasNeitherErrorsNorWarnings) {
  for (const Stack stack : {Stack::kStandalone, Stack::kCluster}) {
    const std::vector<Finding> findings = FindingsOf(Healthy(stack), stack);
    for (const Finding& finding : findings) EXPECT_EQ(finding.severity, kInfo) << TextOf({finding});
    EXPECT_FALSE(HasErrors(findings));
  }
}

TEST(Checks, AStackOf21ThatCanBeMigratedHasNeitherErrorsNorWarnings) {
  World world = Healthy(Stack::kStandalone);
  WithFile(world);
  for (const Finding& finding : FindingsOf(world, Stack::kStandalone))
    EXPECT_EQ(finding.severity, kInfo) << TextOf({finding});
}

TEST(Checks, EachFiresOnItsFact) {
  for (const Case& c : Firing()) {
    World world = Healthy(c.stack);
    c.change(world);
    const std::vector<Finding> findings = FindingsOf(world, c.stack);
    const bool is_found = std::any_of(findings.begin(), findings.end(), [&](const Finding& f) {
      return f.id == c.id && f.severity == c.severity && f.subject == c.subject &&
             f.message.find(c.part) != std::string::npos;
    });
    EXPECT_TRUE(is_found) << c.id << " / " << c.part << "; found:\n" << TextOf(findings);
  }
}

TEST(Checks, EachIsSilentOnTheNearestFineFact) {
  for (const SilentCase& c : Silent()) {
    World world = Healthy(c.stack);
    c.change(world);
    for (const Finding& finding : FindingsOf(world, c.stack))
      EXPECT_NE(finding.id, c.id) << TextOf({finding});
  }
}

TEST(Checks, EveryRowHasACaseOfBothKinds) {
  std::set<std::string> firing;
  std::set<std::string> silent;
  for (const Case& c : Firing()) firing.insert(c.id);
  for (const SilentCase& c : Silent()) silent.insert(c.id);
  std::set<std::string> rows;
  for (const CheckRow& row : CheckTable()) {
    EXPECT_TRUE(rows.insert(std::string(row.id)).second) << row.id;
    EXPECT_FALSE(row.title.empty()) << row.id;
    EXPECT_FALSE(row.why.empty()) << row.id;
  }
  EXPECT_EQ(firing, rows);
  EXPECT_EQ(silent, rows);
}

TEST(Checks, EveryProblemSaysWhyAndWhatToDo) {
  for (const Case& c : Firing()) {
    World world = Healthy(c.stack);
    c.change(world);
    for (const Finding& f : FindingsOf(world, c.stack)) {
      EXPECT_FALSE(f.subject.empty()) << TextOf({f});
      EXPECT_FALSE(f.message.empty()) << TextOf({f});
      EXPECT_FALSE(f.cause.empty()) << TextOf({f});
      if (f.severity != kInfo) {
        EXPECT_FALSE(f.fix.empty()) << TextOf({f});
      }
      for (const std::string& sentence : {f.message, f.cause, f.fix})
        EXPECT_FALSE(sentence.ends_with('.')) << sentence;
    }
  }
}

TEST(Checks, OneCauseIsOneFinding) {
  // etcd that cannot be asked is not also "no session keys".
  World world = Healthy(Stack::kStandalone);
  world.observed.etcd.sessions.clear();
  world.observed.etcd.unreachable = "connection refused";
  int errors = 0;
  for (const Finding& f : FindingsOf(world, Stack::kStandalone)) errors += f.severity == kError;
  EXPECT_EQ(errors, 1);
}

TEST(Checks, SkippedByNameDoesNotCount) {
  World world = Healthy(Stack::kStandalone);
  world.observed.etcd.status.alarms = {"NOSPACE"};
  EXPECT_TRUE(HasErrors(FindingsOf(world, Stack::kStandalone)));
  world.config.skipped_checks = {"etcd-alarms"};
  const std::vector<Finding> findings = FindingsOf(world, Stack::kStandalone);
  EXPECT_FALSE(HasErrors(findings));
  const auto skipped = std::count_if(findings.begin(), findings.end(),
                                     [](const Finding& f) { return f.is_skipped; });
  EXPECT_EQ(skipped, 1);
}

TEST(Checks, AnUnknownNameToSkipIsRefused) {
  World world = Healthy(Stack::kStandalone);
  world.config.skipped_checks = {"etcd-alarm"};
  const auto findings = RunChecks({world.config, world.observed, nullptr, nullptr});
  ASSERT_FALSE(findings);
  EXPECT_EQ(findings.error().code, ErrorCode::kUsage);
  EXPECT_EQ(findings.error().hint, "did you mean \"etcd-alarms\"?");
  world.config.skipped_checks = {"quite-another-thing"};
  EXPECT_NE(RunChecks({world.config, world.observed, nullptr, nullptr}).error().hint.find("mounts"),
            std::string::npos);
}

TEST(Checks, RunWithoutAPathAndWithoutFacts) {
  const Observed nothing;
  const config::Config config;
  EXPECT_TRUE(RunChecks({config, nothing, nullptr, nullptr}));
}

}  // namespace
}  // namespace mu::rules
