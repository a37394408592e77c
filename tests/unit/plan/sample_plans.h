// SPDX-License-Identifier: Apache-2.0
// Plans as values for tests: one with a step of every kind, every field filled.
#pragma once

#include <string>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/plan/plan.h"

namespace mu::plan::samples {

inline ReplaceFile SampleReplace() {
  return {"/srv/milvus/docker-compose.yml",
          Sha256("image: milvusdb/milvus:v2.2.16\n"),
          Sha256("image: milvusdb/milvus:v2.3.5\n"),
          {{23, "v2.2.16", "v2.3.5"}},
          "files/0-docker-compose.yml"};
}

inline Migration SampleMigration() {
  return {MigrationEngine::kContainer,
          "milvusdb/meta-migration:v2.2.0-bugfix-20230112",
          "sha256:cd",
          "milvus",
          "milvus-etcd",
          "milvus",
          {"etcd:2379"},
          "by-dev",
          "meta",
          "kv",
          "2.1.0",
          "2.2.16",
          "/srv/milvus/migrate.yaml",
          Sha256("migrate"),
          true};
}

inline constexpr char kSelector[] = "app.kubernetes.io/instance=r";

inline EditConfigMap SampleEdit() {
  return {"r-milvus",
          "u-2",
          "user.yaml",
          Sha256(""),
          Sha256("rootCoord:\n"),
          {{0, "", "rootCoord:\n  enableActiveStandby: true\n"}}};
}

inline PatchDeployment SamplePatch() {
  return {kSelector,
          "r-milvus-proxy",
          "u-1",
          "proxy",
          "milvusdb/milvus:v2.2.3",
          "milvusdb/milvus:v2.2.4",
          "2.2.4",
          Sha256("t"),
          R"({"type":"Recreate"})"};
}

// Args of each kind, in the order of the kinds' numbers.
inline std::vector<StepArgs> AllArgs() {
  const ContainerRef milvus{"standalone", "milvus-standalone", "0123456789ab"};
  const model::ComposeSelectors selectors{
      {"/srv/milvus/docker-compose.yml"}, "milvus", "/srv/milvus", {"/srv/milvus/.env"}, {"gpu"}};
  return {
      PullImage{"milvusdb/milvus:v2.3.5"},
      SaveSnapshot{"milvus-etcd", "backup/etcd.snap"},
      BackupKeys{"milvus-etcd", "by-dev/", "by-dev", "meta", "backup/keys.bak"},
      VerifyData{{"python3", "check it.py"}, true, true},
      SetRestartPolicy{{{milvus, "on-failure", "no", 3}}},
      StopContainers{{milvus}, Millis(1500)},
      ReleaseSessions{"milvus-etcd", "by-dev/meta/session/", {milvus}, "sessions.json", false},
      BackupQueue{milvus, "/var/lib/milvus/rdb_data", "backup/rocksmq.tar"},
      SampleReplace(),
      UpServices{model::ComposeGeneration::kV1,
                 selectors,
                 {"standalone"},
                 {{"standalone", "milvusdb/milvus:v2.3.5"}},
                 {{"standalone", "milvusdb/milvus:v2.2.16"}},
                 {{"standalone", "milvus-standalone"}}},
      StartContainers{{milvus}},
      WaitServices{{{"standalone",
                     "milvus-standalone",
                     "milvusdb/milvus:v2.3.5",
                     "sha256:ab",
                     {{"bind", "/srv/milvus/volumes/milvus", "/var/lib/milvus", true}}}},
                   9092,
                   1},
      WaitSessions{"milvus-etcd", "by-dev/meta/session/", {"rootcoord", "proxy"}, "2.3.5"},
      WaitStable{{"milvus-standalone"}, Millis(5000)},
      MigrateMetadata{SampleMigration(), "backup/metadata.bak"},
      RecordSessions{"milvus-etcd", "by-dev/meta/session/", {milvus}, "sessions.json"},
      RehearseMigration{SampleMigration(), "backup/etcd.snap", "rehearsal.json"},
      ConfirmMigration{SampleMigration(), "backup/metadata.bak"},
      RestoreMetadata{SampleMigration(), "backup/metadata.bak"},
      ExtractKeys{SampleMigration(), "backup/etcd.snap", "backup/from-snapshot.bak"},
      KeepRelease{kSelector, {{"r-milvus-proxy", "u-1", Sha256("t"), Sha256("s")}}, "release.json"},
      TryPatches{{SampleEdit()}, {SamplePatch()}},
      SampleEdit(),
      SamplePatch(),
      WaitRollout{kSelector,
                  {{"r-milvus-proxy", "u-1", "proxy", "milvusdb/milvus:v2.2.4", true}},
                  Millis(5000)},
      RestoreDeployment{kSelector, "r-milvus-proxy", "u-1", "release.json", true,
                        R"({"type":"Recreate"})"},
  };
}

inline Plan EveryKind() {
  Plan plan;
  plan.tool_version = "0.1.0";
  plan.kind = PlanKind::kCompose;
  plan.instance = "milvus";
  plan.engine = "unix:///var/run/docker.sock (ABCD)";
  plan.project_directory = "/srv/milvus";
  plan.selectors.files = {"/srv/milvus/docker-compose.yml"};
  plan.kube = {"/home/me/.kube/config", "staging", "https://10.0.0.1:6443", "default"};
  plan.from = "2.2.16";
  plan.to = "2.3.5";
  plan.hops = {{"2.2.16", "2.3.5", "R24", "image", "next minor", false, "rocksmq changed"}};
  plan.fingerprint = Sha256("facts");
  plan.findings = {{"mq-pin", model::Severity::kWarning, "standalone", "not pinned", "the default",
                    "set MQ_TYPE", true}};
  for (const StepArgs& args : AllArgs()) {
    Step step;
    step.kind = static_cast<StepKind>(args.index() + 1);
    step.id = "step/" + std::string(RowOf(step.kind).name);
    step.rule = "B1";
    step.cause = "why it is here";
    if (!plan.steps.empty()) step.needs = {plan.steps.back().id};
    step.args = args;
    step.expects = {{Expectation::Kind::kContainersDown, {"milvus-standalone"}, ""}};
    step.estimate = Millis(100);
    step.timeout = Millis(60'000);
    plan.steps.push_back(step);
  }
  plan.steps[0].expects = {{Expectation::Kind::kImagePresent, {"a:1", "sha256:ab"}, ""}};
  plan.steps[1].expects = {{Expectation::Kind::kNoForeignSession, {"etcd", "by-dev/"}, ""}};
  plan.steps[5].outage = OutageMark::kOpens;
  plan.steps[5].undo = Undo::kInverse;
  plan.steps[8].expects = {{Expectation::Kind::kFileHash, {"/srv/x"}, "abcd"}};
  plan.steps[9].undo = Undo::kImpossible;
  plan.steps[12].outage = OutageMark::kCloses;
  plan.steps[14].on_crash = OnCrash::kRestoreThenRetry;
  plan.steps[15].on_crash = OnCrash::kAsk;
  plan.point_of_no_return = "step/up-services";
  plan.not_backed_up = {"objects in MinIO"};
  plan.notes = {"clients see UNAVAILABLE"};
  plan.afterwards = {"helm upgrade r"};
  plan.probe_url = "http://127.0.0.1:9091/healthz";
  plan.probe_reason = "published";
  plan.probe_inside = {"http://milvus-standalone:9091/healthz", "milvus", "sha256:0123"};
  plan.probe_command = {"python3", "probe.py"};
  plan.rolls_back = "20261125-120000-ab12";
  return plan;
}

}  // namespace mu::plan::samples
