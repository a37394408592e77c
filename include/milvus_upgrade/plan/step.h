// SPDX-License-Identifier: Apache-2.0
// A step is a value: printed, saved, hashed, resumed. One outside effect per step. It holds
// everything that its effect needs; the executor and the effects never look back at flags or at the
// world that the plan was made from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/model/compose.h"
#include "milvus_upgrade/model/splice.h"

namespace mu::plan {

// Explicit numbers, never renumbered, never reused; plans hold the names of StepKindTable. The args
// of kind n are alternative n - 1 of StepArgs.
enum class StepKind : int {
  kPullImage = 1,
  kSaveSnapshot = 2,
  kBackupKeys = 3,
  kVerifyData = 4,
  kSetRestartPolicy = 5,
  kStopContainers = 6,
  kReleaseSessions = 7,
  kBackupQueue = 8,
  kReplaceFile = 9,
  kUpServices = 10,
  kStartContainers = 11,
  kWaitServices = 12,
  kWaitSessions = 13,
  kWaitStable = 14,
  kMigrateMetadata = 15,
  kRecordSessions = 16,
  kRehearseMigration = 17,
  kConfirmMigration = 18,
  kRestoreMetadata = 19,
  kExtractKeys = 20,
  kKeepRelease = 21,
  kTryPatches = 22,
  kEditConfigMap = 23,
  kPatchDeployment = 24,
  kWaitRollout = 25,
  kRestoreDeployment = 26,
};

// A container named in a plan: by name for people and for what comes after it is recreated, by id
// for what must be it.
struct ContainerRef {
  std::string service;
  std::string name;
  std::string id;
  bool operator==(const ContainerRef&) const = default;
};

struct PullImage {
  std::string image;
  bool operator==(const PullImage&) const = default;
};
struct SaveSnapshot {  // hot etcdctl snapshot, copied to `file` of the run folder, hash checked
  std::string etcd_container;
  std::string file;
  bool operator==(const SaveSnapshot&) const = default;
};
struct BackupKeys {  // all keys without a lease under `prefix`, at one revision, into `file` of the
                     // run folder
  std::string etcd_container;
  std::string prefix;
  std::string root_path;  // for the backup header
  std::string meta_path;
  std::string file;
  // With nothing running: etcd holds what the file holds until the migration begins, or it is taken
  // again.
  bool is_at_rest = false;
  bool operator==(const BackupKeys&) const = default;
};
struct VerifyData {  // a client's check: run before, and again after until it agrees
  std::vector<std::string> command;
  bool is_baseline = false;  // true: record the answer; false: compare with the baseline
  bool compares_output = false;
  bool operator==(const VerifyData&) const = default;
};
struct SetRestartPolicy {
  struct Change {
    ContainerRef container;
    std::string before;
    std::string after;
    int max_retries = 0;
    bool operator==(const Change&) const = default;
  };
  std::vector<Change> changes;
  bool operator==(const SetRestartPolicy&) const = default;
};
struct StopContainers {  // SIGTERM, wait at most `grace`, SIGKILL; side by side
  std::vector<ContainerRef> containers;
  Millis grace{10'000};
  bool operator==(const StopContainers&) const = default;
};
struct RecordSessions {  // the session keys of running containers, with the time left of their
                         // leases, into `file`
  std::string etcd_container;
  std::string session_prefix;
  std::vector<ContainerRef> containers;
  std::string file;
  bool operator==(const RecordSessions&) const = default;
};
struct ReleaseSessions {  // of proven-exited containers: revoke the recorded leases; wait for
                          // everyone else's
  std::string etcd_container;
  std::string session_prefix;
  std::vector<ContainerRef> containers;
  std::string record;  // the file of RecordSessions
  bool may_revoke =
      true;  // false where the stop table has no measured row: leases run out by themselves
  bool operator==(const ReleaseSessions&) const = default;
};
struct BackupQueue {  // the rocksmq folder of a proven-exited container, as a tar in the run folder
  ContainerRef container;
  std::string folder;
  std::string file;
  bool operator==(const BackupQueue&) const = default;
};
struct ReplaceFile {
  std::string path;
  std::string sha256_before;
  std::string sha256_after;
  std::vector<model::Splice> splices;  // ascending, not overlapping
  std::string original;                // copy of the old file in the run folder
  bool operator==(const ReplaceFile&) const = default;
};
struct UpServices {  // compose up -d --no-deps SERVICE...
  model::ComposeGeneration generation = model::ComposeGeneration::kV2;
  model::ComposeSelectors selectors;
  std::vector<std::string> services;
  std::map<std::string, std::string> images;  // service -> image reference that must run afterwards
  std::map<std::string, std::string>
      images_before;  // service -> image reference that ran before: the way back
  std::map<std::string, std::string> containers;  // service -> container name
  bool operator==(const UpServices&) const = default;
};
struct StartContainers {  // docker start of containers that were stopped and still exist
  std::vector<ContainerRef> containers;
  bool operator==(const StartContainers&) const = default;
};
struct WaitServices {  // running the wanted image, healthy (or /healthz 200), same mounts as before
  struct Wanted {
    std::string service;
    std::string container;
    std::string image;     // reference as in the edited files
    std::string image_id;  // "" when the image was not on the engine at planning time
    std::vector<model::Mount> mounts;
    bool operator==(const Wanted&) const = default;
  };
  std::vector<Wanted> services;
  int health_port = 9091;
  // How often a container that ended by itself is started once more: 2.2 can panic at its first
  // start after a right migration (measured: one in 18, FromDmlCPLoadDelete).
  int starts_again = 0;
  bool operator==(const WaitServices&) const = default;
};
struct WaitSessions {  // at least one session key of each role, with this version ("" for 2.1.x:
                       // any)
  std::string etcd_container;
  std::string session_prefix;
  std::vector<std::string> roles;
  std::string version;
  bool operator==(const WaitSessions&) const = default;
};
struct WaitStable {  // no restart, still running, for so long
  std::vector<std::string> containers;
  Millis period{5'000};
  bool operator==(const WaitStable&) const = default;
};
// Who migrates: the image of Milvus's meta-migration tool, or this program itself.
enum class MigrationEngine : int { kContainer = 1, kBuiltin = 2 };
// The values of migrate.yaml, as they were checked against the stack, and who works by them. Of an
// etcd that wants certificates or a user only where they are said: the file and its hash.
struct Migration {
  MigrationEngine engine = MigrationEngine::kContainer;
  std::string image;     // of the container engine; "" for builtin
  std::string image_id;  // "" when it was not on the engine at planning time
  std::string project;   // of Compose: part of the names of what is created
  std::string etcd_container;
  std::string network;                 // of the engine: where the endpoints are known
  std::vector<std::string> endpoints;  // "etcd:2379"
  std::string root_path;
  std::string meta_path;
  std::string kv_path;
  std::string source_version;
  std::string target_version;
  std::string migrate_file;  // the user's migrate.yaml; "" when all was derived
  std::string migrate_sha256;
  bool has_tool_backup = false;  // the container engine makes a backup of its own as well
  bool operator==(const Migration&) const = default;
};
struct RehearseMigration {  // the snapshot in a scratch etcd, migrated and judged; nothing of the
                            // stack is touched
  Migration migration;
  std::string snapshot;      // of the run folder
  std::string report;        // counts and times, in the run folder
  Millis outage_besides{0};  // of the predicted outage, what is not the migration itself
  bool operator==(const RehearseMigration&) const = default;
};
struct MigrateMetadata {
  Migration migration;
  std::string backup;  // of the run folder: what etcd holds now, verified
  bool operator==(const MigrateMetadata&) const = default;
};
struct ConfirmMigration {  // etcd holds exactly what the backup becomes in 2.2's form
  Migration migration;
  std::string backup;
  bool operator==(const ConfirmMigration&) const = default;
};
struct RestoreMetadata {  // once no migrator lives: the keys of the scope are those of the backup
  Migration migration;
  std::string backup;
  bool operator==(const RestoreMetadata&) const = default;
};

struct ExtractKeys {  // the scope's keys out of a snapshot, as a backup file
  Migration migration;
  std::string snapshot;  // both of the run folder
  std::string file;
  bool operator==(const ExtractKeys&) const = default;
};

// The way back of a release on Kubernetes: template, strategy and version label of its Deployments,
// exactly as they are, in `file` of the run folder. A plan holds their hashes only: a template may
// hold a secret.
struct KeepRelease {
  struct Kept {
    std::string deployment;
    std::string uid;
    std::string template_hash;
    std::string strategy_hash;
    bool operator==(const Kept&) const = default;
  };
  std::string selector;  // label selector of the release: what is watched
  std::vector<Kept> deployments;
  std::string file;
  bool operator==(const KeepRelease&) const = default;
};
struct EditConfigMap {  // one key; a pod that runs does not see it, one that starts does
  std::string config_map;
  std::string uid;
  std::string key;
  std::string sha256_before;  // of the key's text
  std::string sha256_after;
  std::vector<model::Splice> splices;  // ascending, not overlapping
  bool operator==(const EditConfigMap&) const = default;
};
struct PatchDeployment {  // one patch: image of the component's container, version label, strategy
  std::string selector;
  std::string deployment;
  std::string uid;
  std::string container;
  std::string image_before;
  std::string image;
  std::string version;        // for the label app.kubernetes.io/version
  std::string template_hash;  // that the plan was made from: another one is someone's change
  std::string strategy;       // JSON for the time of the rollout; "" leaves it as it is
  bool operator==(const PatchDeployment&) const = default;
};
struct TryPatches {  // asks the server what it would say to each of these; nothing is stored
  std::vector<EditConfigMap> config_maps;
  std::vector<PatchDeployment> deployments;
  bool operator==(const TryPatches&) const = default;
};
struct WaitRollout {  // all pods run the image, ready, as many as wanted, no restart for a time
  struct Wanted {
    std::string deployment;
    std::string uid;
    std::string container;
    std::string image;
    bool waits_for_gone = true;  // no old pod is left, terminating ones included
    bool operator==(const Wanted&) const = default;
  };
  std::string selector;
  std::vector<Wanted> deployments;
  Millis stable_for{5'000};
  bool operator==(const WaitRollout&) const = default;
};
struct RestoreDeployment {  // as kept by KeepRelease
  std::string selector;
  std::string deployment;
  std::string uid;
  std::string file;               // of KeepRelease
  bool is_strategy_only = false;  // else template and version label
  std::string strategy;           // JSON for the time of the rollout; "" leaves it as it is
  bool operator==(const RestoreDeployment&) const = default;
};

using StepArgs =
    std::variant<PullImage, SaveSnapshot, BackupKeys, VerifyData, SetRestartPolicy, StopContainers,
                 ReleaseSessions, BackupQueue, ReplaceFile, UpServices, StartContainers,
                 WaitServices, WaitSessions, WaitStable, MigrateMetadata, RecordSessions,
                 RehearseMigration, ConfirmMigration, RestoreMetadata, ExtractKeys, KeepRelease,
                 TryPatches, EditConfigMap, PatchDeployment, WaitRollout, RestoreDeployment>;

// What to do when the journal ends in the middle of this step (run/resume.h has the table).
enum class OnCrash : int { kReobserve = 1, kRestoreThenRetry = 2, kAsk = 3 };
// How rollback undoes it. kNone: nothing to undo (reads, copies). kImpossible: the point of no
// return.
enum class Undo : int { kNone = 1, kInverse = 2, kImpossible = 3 };
enum class OutageMark : int { kNone = 1, kOpens = 2, kCloses = 3 };

// A fact that must hold just before the step acts: cheap to read, checked by the executor, abort
// when it does not.
struct Expectation {
  enum class Kind : int {
    kFileHash = 1,
    kContainersDown = 2,
    kNoForeignSession = 3,
    kImagePresent = 4
  };
  Kind kind = Kind::kFileHash;
  std::vector<std::string>
      subjects;  // a path | container names | {etcd container, session prefix} | {reference, id}
  std::string value;  // the hash
  bool operator==(const Expectation&) const = default;
};

struct Step {
  std::string id;  // stable and readable: "stop/node", "files/docker-compose.yml"
  StepKind kind = StepKind::kPullImage;
  std::string rule;                // "R24", "B1"
  std::string cause;               // one sentence: why this step is here
  std::vector<std::string> needs;  // ids that must be done before
  StepArgs args;
  std::vector<Expectation> expects;
  OnCrash on_crash = OnCrash::kReobserve;
  Undo undo = Undo::kNone;
  OutageMark outage = OutageMark::kNone;
  Millis estimate{0};
  Millis timeout{600'000};
  int hop = 0;  // index into Plan::hops
  bool operator==(const Step&) const = default;
};

// What becomes of a step that was done and is no longer so when its run is gone on with: someone
// else, or a restart of the machine, has undone it. kAgain: it is entered again, where that takes
// nothing from anyone (what was held down is held down again). kStop: only a person can tell.
enum class OnDrift : int { kAgain = 1, kStop = 2 };

// The one table of step kinds: number, name, title for people, whether the kind only reads, and
// what is done when it was undone.
struct StepKindRow {
  StepKind kind;
  std::string_view name;   // "replace-file"
  std::string_view title;  // "replace a project file"
  bool is_read_only;
  OnDrift on_drift;
};
std::span<const StepKindRow> StepKindTable();
const StepKindRow& RowOf(StepKind kind);

}  // namespace mu::plan
