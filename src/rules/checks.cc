// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/rules/checks.h"

#include <algorithm>

#include "rules/check_support.h"

namespace mu::rules {
namespace {

// In the order in which findings are shown: what runs, its data, etcd, Compose and images, files.
constexpr CheckRow kRows[] = {
    {"version-known", "the running version can be read",
     "a guessed version leads down a wrong path (R0)", CheckVersionKnown},
    {"mixed-versions", "all Milvus services have one version",
     "a half-changed stack has no version to start from", CheckMixedVersions},
    {"version-agreement", "tag, session and /metrics tell the same version",
     "the tag may lie about what runs", CheckVersionAgreement},
    {"metadata-era", "the metadata has the form of the running version",
     "a 2.2 server on metadata of 2.1 says healthy and finds nothing", CheckMetadataEra},
    {"metadata-conversion", "all metadata of 2.1 can be converted",
     "a migration would stop in the middle or lose it", CheckMetadataConversion},
    {"migrate-file", "migrate.yaml, where there is one, can be understood",
     "a migration would do something else than was meant", CheckMigrateFile},
    {"migrate-command", "migrate.yaml is for a run", "a rollback is no upgrade",
     CheckMigrateCommand},
    {"migrate-source-version", "migrate.yaml names the version that runs",
     "it was written for another stack", CheckMigrateSourceVersion},
    {"migrate-target-version", "migrate.yaml names the 2.2 that the upgrade goes to",
     "for others nothing is migrated", CheckMigrateTargetVersion},
    {"migrate-endpoints", "migrate.yaml leads to the etcd of the stack",
     "another etcd would be migrated", CheckMigrateEndpoints},
    {"migrate-root-path", "migrate.yaml names the root path of the stack",
     "nothing would be migrated, and success reported", CheckMigrateRootPath},
    {"migrate-meta-path", "migrate.yaml names the metadata's path",
     "nothing would be migrated, and success reported", CheckMigrateMetaPath},
    {"migrate-auth", "the migration can log in to etcd",
     "Milvus's own tool ignores users, and finds no certificate by itself", CheckMigrateAuth},
    {"migration-image", "the image of Milvus's own tool is at hand and the good one",
     "the migration could not start, or lose metadata", CheckMigrationImage},
    {"migration-sibling", "no other metadata's path begins like this one's",
     "Milvus's own tool would take it along", CheckMigrationSibling},
    {"index-kinds", "the target can load every kind of index",
     "a collection with a kind that is gone never loads, without an error", CheckIndexKinds},
    {"roles", "the target has every role of the stack",
     "a container of a role that is gone cannot start", CheckRoles},
    {"queue-pin", "the message queue is pinned before 2.6",
     "2.6 would choose another queue and keep it (R15)", CheckQueuePin},
    {"queue-change", "the files name the message queue that runs",
     "rows in the old queue would be lost (R16)", CheckQueueChange},
    {"metastore", "the metadata is in etcd",
     "MySQL was removed in 2.3.1, and backups are of etcd (R22)", CheckMetastore},
    {"containers", "every Milvus container runs and is healthy",
     "faults from before cannot be told from faults of the upgrade", CheckContainers},
    {"container-names", "nobody else has the names of the project's containers",
     "Compose could not make the new container", CheckContainerNames},
    {"dependencies", "what Milvus depends on runs", "the new version could not start",
     CheckDependencies},
    {"session-keys", "every running role has its session key",
     "a gate on the wrong root path would pass at once", CheckSessionKeys},
    {"foreign-sessions", "no other Milvus works under the same root path",
     "it would write while the stack is down", CheckForeignSessions},
    {"restart-policy", "restart policies are known and as in the files",
     "an engine restart in the outage starts or loses containers", CheckRestartPolicy},
    {"autostarters", "nothing else starts containers here",
     "a container that is held down would start", CheckAutostarters},
    {"stop-grace", "grace periods are said", "they are part of the outage", CheckStopGrace},
    {"data-in-container", "no data lies in a container's own layer",
     "making the container anew destroys it", CheckDataInContainer},
    {"unnamed-volumes", "no data lies in a volume without a name",
     "it is found through its container only", CheckUnnamedVolumes},
    {"mounts", "the files mount what the containers have mounted",
     "the new container would start an empty database", CheckMounts},
    {"working-folder", "the stack was made from this folder and these files",
     "relative folders mean other places elsewhere, and other files are edited",
     CheckWorkingFolder},
    {"project-folders", "one folder uses the project name",
     "two stacks under one name replace each other's containers", CheckProjectFolders},
    {"config-drift", "the containers were made from the files as they are",
     "an edit that never ran would come into force with the new version", CheckConfigDrift},
    {"etcd-embedded", "etcd is a process of its own", "an embedded etcd is down in the outage",
     CheckEtcdEmbedded},
    {"etcd-external", "etcd is a container of this engine",
     "its etcdctl is what reads and backs up", CheckEtcdExternal},
    {"etcd-reachable", "etcd answers", "nothing could be seen or backed up", CheckEtcdReachable},
    {"etcd-auth", "etcd takes the credentials", "nothing could be read or backed up",
     CheckEtcdAuth},
    {"etcd-alarms", "etcd has no alarm", "it refuses writes, or its data is not whole",
     CheckEtcdAlarms},
    {"etcd-version", "etcd is not of 3.5.0 to 3.5.2", "these can lose a committed write",
     CheckEtcdVersion},
    {"etcd-shell", "an etcd image without a shell is said", "what works without one",
     CheckEtcdShell},
    {"other-instances", "other instances in the same etcd are said", "they are not touched",
     CheckOtherInstances},
    {"compose-generation", "the Compose that made the stack is at hand",
     "the other generation breaks or recreates it", CheckComposeGeneration},
    {"compose-v1-engine", "Compose v1 can recreate containers on this engine",
     "it stops with 'ContainerConfig' in the middle", CheckComposeV1Engine},
    {"images", "old and new images are on the engine", "going on or back would wait for a registry",
     CheckImages},
    {"image-architecture", "the new image is for this machine", "it would not start",
     CheckImageArchitecture},
    {"image-digest", "the image is written by tag",
     "the digest of the old image says nothing of the new one", CheckImageDigest},
    {"pull-policy", "nothing is pulled in the outage", "the outage would depend on a registry",
     CheckPullPolicy},
    {"build", "Milvus images are not built by Compose", "the old Dockerfile would get the new name",
     CheckBuild},
    {"files-replaceable", "the files can be replaced", "the change would fail while Milvus is down",
     CheckFilesReplaceable},
    {"file-links", "symbolic links are said", "the link stays, its target is replaced",
     CheckFileLinks},
    {"shell-variables", "the shell does not override .env",
     "the next one to run Compose would get other values", CheckShellVariables},
    {"free-disk", "there is room for the backups", "a backup that does not fit is none",
     CheckFreeDisk},
    {"ci-workspace", "the run's files survive the CI job",
     "the backups would go with the workspace", CheckCiWorkspace},
    {"queue-backup", "what is not backed up is said", "it cannot be brought back",
     CheckQueueBackup},
};

}  // namespace

std::span<const CheckRow> CheckTable() { return kRows; }

Result<std::vector<model::Finding>> RunChecks(const CheckInput& input) {
  return RunRows(CheckTable(), input);
}

bool HasErrors(const std::vector<model::Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const model::Finding& finding) {
    return finding.severity == model::Severity::kError && !finding.is_skipped;
  });
}

}  // namespace mu::rules
