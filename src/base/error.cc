// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/base/error.h"

#include <string>
#include <utility>

namespace mu {
namespace {

using E = ErrorCode;
using X = ExitCode;

constexpr ErrorRow kRows[] = {
    {E::kInternal, "internal", X::kUnexpected, false, "something that cannot happen happened",
     "report it together with the journal of the run"},
    {E::kUsage, "usage", X::kUsage, false, "a flag or argument is unknown, missing or malformed",
     "see `milvus-upgrade COMMAND --help`"},
    {E::kNoTty, "no-tty", X::kUsage, false,
     "a question would have to be asked and there is no terminal to ask it on",
     "add --yes to answer it; --dry-run, where the command has it, only shows"},
    {E::kNotInThisBuild, "not-in-this-build", X::kPathRefused, false,
     "the plan needs something that this version of the tool cannot do yet",
     "nothing was touched; see CHANGELOG.md for what each version can do"},
    {E::kInterrupted, "interrupted", X::kInterrupted, true, "a signal asked the tool to stop",
     "run `milvus-upgrade resume`"},
    {E::kFileRead, "file-read", X::kUsage, false,
     "a file is missing, is a folder, or may not be read", "check the path and its permissions"},
    {E::kFileWrite, "file-write", X::kUnexpected, false, "a file could not be written or replaced",
     "check the permissions of the file and its folder"},
    {E::kFileSync, "file-sync", X::kUnexpected, false,
     "the disk did not confirm a write (fsync failed): what it holds is not known",
     "check the disk, then run `milvus-upgrade status`"},
    {E::kDiskFull, "disk-full", X::kUnexpected, true,
     "no space is left where the run's files are kept",
     "free space, or choose another place with --state-dir"},
    {E::kFileChanged, "file-changed", X::kStalePlan, false,
     "a file is no longer what the plan was made from",
     "look at the difference, then make a new plan"},
    {E::kReadOnly, "read-only", X::kUsage, false, "the file system of the run's files is read-only",
     "choose another place with --state-dir"},
    {E::kInvalidInput, "invalid-input", X::kUsage, false,
     "an input file does not hold what it must", "correct the place that the message names"},
    {E::kYamlSyntax, "yaml-syntax", X::kUsage, false, "a file is not YAML",
     "correct the line that the message names"},
    {E::kYamlNoServices, "yaml-no-services", X::kUsage, false, "the compose file has no services",
     "check that this is the compose file of the Milvus stack"},
    {E::kNoMilvusService, "no-milvus-service", X::kUsage, false,
     "no service of the project is a Milvus component",
     "check the project (-f, -p, --project-directory); Milvus services are found by image and "
     "command"},
    {E::kMixedVersions, "mixed-versions", X::kCheckFailed, false,
     "the Milvus services do not all have one version", "bring them to one version first"},
    {E::kVersionUnknown, "version-unknown", X::kUsage, false,
     "a version cannot be read from a tag (latest, a digest, a branch build)",
     "give it with --from or --to"},
    {E::kEditRefused, "edit-refused", X::kCheckFailed, false,
     "the image cannot be changed safely where it is written",
     "change that place by hand as the message says, then run again"},
    {E::kEditProof, "edit-proof", X::kCheckFailed, false,
     "the edited files would change more than the images of the Milvus services",
     "report it with the files; nothing was touched"},
    {E::kCommandNotFound, "command-not-found", X::kUnexpected, false,
     "a program that is needed is not on PATH", "install it or correct PATH"},
    {E::kCommandFailed, "command-failed", X::kUnexpected, false,
     "a child program ended with an error", "read its output in the run's journal"},
    {E::kCommandTimeout, "command-timeout", X::kUnexpected, true,
     "a child program did not end in its time and was stopped",
     "run the same command again; raise --timeout if the machine is slow"},
    {E::kCommandOutput, "command-output", X::kUnexpected, false,
     "a child program ended well but its output cannot be understood",
     "check that the program on PATH is the real one"},
    {E::kDockerMissing, "docker-missing", X::kUsage, false, "there is no docker client on PATH",
     "install the docker client"},
    {E::kDockerDown, "docker-down", X::kTryLater, true, "the Docker engine does not answer",
     "start the engine, or correct DOCKER_HOST or the docker context"},
    {E::kDockerDenied, "docker-denied", X::kUsage, false,
     "this user may not use the Docker engine's socket",
     "run as a user of the docker group, or with sudo"},
    {E::kComposeMissing, "compose-missing", X::kUsage, false,
     "the Compose generation that made this stack is not installed",
     "install it; mixing generations recreates or breaks a stack"},
    {E::kImageMissing, "image-missing", X::kCheckFailed, false,
     "an image is neither on the engine nor can it be pulled",
     "check the name and tag, the registry and the login"},
    {E::kContainerGone, "container-gone", X::kUnexpected, false,
     "a container that the plan relies on is gone", "run `milvus-upgrade status`"},
    {E::kContainerFailed, "container-failed", X::kUnexpected, false,
     "a container ended, restarts again and again, or cannot start",
     "read the last lines of its log in the report"},
    {E::kContainerStarted, "container-started", X::kUnexpected, false,
     "someone started a Milvus container that was held down",
     "stop what starts it (watchtower, autoheal, a person), then `milvus-upgrade resume`"},
    {E::kComposeGeneration, "compose-generation", X::kCheckFailed, false,
     "the stack was made by another Compose generation than the one at hand",
     "use the generation that made it"},
    {E::kComposeFailed, "compose-failed", X::kUnexpected, false,
     "docker compose ended with an error", "read its output in the report"},
    {E::kKubectlMissing, "kubectl-missing", X::kUsage, false, "there is no kubectl on PATH",
     "install kubectl, or correct PATH"},
    {E::kKubeConfig, "kube-config", X::kUsage, false,
     "the kubeconfig or its context cannot be used",
     "correct --context, --kubeconfig or KUBECONFIG"},
    {E::kKubeDown, "kube-down", X::kTryLater, true,
     "the Kubernetes API does not answer, or asks to be asked later",
     "check that `kubectl get --raw /readyz` says ok, then run the same command again"},
    {E::kKubeDenied, "kube-denied", X::kUsage, false,
     "this user may not do what the upgrade needs on the cluster",
     "log in again, or have the right of the message granted in that namespace"},
    {E::kKubeConflict, "kube-conflict", X::kStalePlan, true,
     "someone else changed or made an object of the cluster at the same time",
     "find who changes it (a person, Helm, an operator, GitOps), then make a new plan"},
    {E::kKubeGone, "kube-gone", X::kUnexpected, false,
     "an object of the cluster that the plan relies on is gone", "run `milvus-upgrade status`"},
    {E::kKubeRefused, "kube-refused", X::kCheckFailed, false,
     "the cluster refused a change: an admission webhook, a policy, a quota or validation",
     "read its words in the message; nothing of that change was made"},
    {E::kKubeNoDryRun, "kube-no-dry-run", X::kCheckFailed, false,
     "an admission webhook takes no dry run", "the change can be tried only by making it"},
    {E::kKubeFailed, "kube-failed", X::kUnexpected, false,
     "the Kubernetes API answered with an error", "read the message of the API"},
    {E::kNoRelease, "no-release", X::kUsage, false,
     "the namespace has no Deployment of a Milvus release of that name",
     "check -n, -i and --context; Deployments are found by their labels"},
    {E::kEtcdUnreachable, "etcd-unreachable", X::kTryLater, true, "etcd does not answer",
     "start etcd; check its container's log"},
    {E::kEtcdFailed, "etcd-failed", X::kUnexpected, false, "etcd refused a request",
     "read the message of etcd"},
    {E::kSessionForeign, "session-foreign", X::kPaused, true,
     "a Milvus process that is not of this project holds a session under the same root path",
     "find and stop it: its address is in the message"},
    {E::kSessionChanged, "session-changed", X::kUnexpected, false,
     "the session keys are not those that were recorded while the containers ran",
     "run `milvus-upgrade status`"},
    {E::kSnapshotBad, "snapshot-bad", X::kUnexpected, false,
     "the etcd snapshot on the host is not whole",
     "check the disk, then run the same command again"},
    {E::kBackupBad, "backup-bad", X::kUnexpected, false,
     "the backup of the keys is not whole or does not equal the live keys",
     "check the disk and etcd, then run the same command again"},
    {E::kEtcdCompacted, "etcd-compacted", X::kTryLater, true,
     "etcd was compacted while its keys were read", "run the same command again"},
    {E::kEtcdNoSpace, "etcd-no-space", X::kTryLater, true,
     "etcd's quota is used up (NOSPACE alarm): it takes no writes",
     "compact, defragment, then `etcdctl alarm disarm`"},
    {E::kEtcdNoGateway, "etcd-no-gateway", X::kUsage, false,
     "etcd's JSON gateway is switched off, or cannot take the identity that etcd asks for",
     "reach etcd by etcdctl inside its container instead"},
    {E::kCheckFailed, "check-failed", X::kCheckFailed, false, "one or more checks failed",
     "mend each finding, or skip one by name with --skip-check"},
    {E::kPathRefused, "path-refused", X::kPathRefused, false,
     "there is no safe way from this version to that one", "see `milvus-upgrade versions FROM TO`"},
    {E::kStalePlan, "stale-plan", X::kStalePlan, false,
     "the world is no longer what the plan was made from", "make a new plan"},
    {E::kPlanDamaged, "plan-damaged", X::kUsage, false,
     "a plan file is cut, changed by hand, or of a newer format", "make a new plan"},
    {E::kLocked, "locked", X::kLocked, true, "another run works on this stack",
     "wait for it; `milvus-upgrade status` shows it"},
    {E::kJournalDamaged, "journal-damaged", X::kNeedsPerson, false,
     "the journal of a run is damaged in the middle",
     "keep the run folder; compare the line that the message names"},
    {E::kJournalNewer, "journal-newer", X::kUsage, false,
     "the journal was written by a newer version of this tool", "use that version or a later one"},
    {E::kNoSuchRun, "no-such-run", X::kUsage, false,
     "there is no run of that name, or none at all, in the state folder",
     "see `milvus-upgrade history`; check --state-dir"},
    {E::kDrift, "drift", X::kNeedsPerson, false,
     "something that the run had done was undone by someone else",
     "look at the difference; `milvus-upgrade status`"},
    {E::kLoopGuard, "loop-guard", X::kNeedsPerson, false, "the same step was entered too often",
     "read the journal: the step fails in the same way each time"},
    {E::kGateTimeout, "gate-timeout", X::kPaused, true,
     "a state that was waited for did not come in its time",
     "look at the observed value in the message; `milvus-upgrade resume` waits again"},
    {E::kGateStuck, "gate-stuck", X::kUnexpected, false,
     "a state that was waited for can no longer come", "the cause is in the message"},
    {E::kVerifyFailed, "verify-failed", X::kUnexpected, false,
     "the check by a client failed or its answer changed",
     "compare the two outputs in the run folder"},
    {E::kIrreversible, "irreversible", X::kNeedsPerson, false,
     "the new version has started and the old one cannot read what it wrote",
     "mend forward, or restore from the backups named in the report"},
    {E::kMetaUnconvertible, "meta-unconvertible", X::kCheckFailed, false,
     "keys of the 2.1 metadata cannot be converted; nothing was touched",
     "each is named in the message: mend or remove them with Milvus 2.1, then run again"},
    {E::kMetaWrongScope, "meta-wrong-scope", X::kUsage, false,
     "there is no Milvus metadata under the root and meta path",
     "correct etcd.rootPath and etcd.metaSubPath; the message says which roots exist"},
    {E::kMetaCut, "meta-cut", X::kNeedsPerson, false,
     "the metadata is half 2.1 and half 2.2: a migration by another tool was cut",
     "roll back from the backup of that migration"},
    {E::kMigrationRunning, "migration-running", X::kLocked, true,
     "another migration holds the lock in etcd",
     "wait for it; a killed one's lock ends with its lease, within a minute"},
    {E::kLiveSessions, "live-sessions", X::kCheckFailed, false,
     "Milvus processes are running on this metadata", "stop each of those in the message first"},
    {E::kMigrationLost, "migration-lost", X::kPaused, true,
     "the migration's lock in etcd was lost, or the metadata was changed by someone, while it ran",
     "find who writes there and stop it; then run the same command again, or roll back"},
    {E::kForeignBackup, "foreign-backup", X::kUsage, false,
     "the backup file is of another instance or meta path",
     "correct config.backupFilePath, or etcd.rootPath and etcd.metaSubPath"},
    {E::kMigrationFailed, "migration-failed", X::kUnexpected, false,
     "the migration ended with an error, did not end, or did not do what it must",
     "read its log in the run folder; --migration-engine builtin migrates without that image"},
    {E::kRehearsalFailed, "rehearsal-failed", X::kCheckFailed, false,
     "the migration went wrong on a copy of the metadata; the stack was not touched",
     "read its log in the run folder; --migration-engine builtin migrates without that image"},
};

}  // namespace

std::span<const ErrorRow> ErrorCatalog() { return kRows; }

const ErrorRow& RowOf(ErrorCode code) {
  for (const ErrorRow& row : kRows) {
    if (row.code == code) return row;
  }
  return kRows[0];
}

std::string IdOf(ErrorCode code) { return "MU-" + std::to_string(static_cast<int>(code)); }

Error Error::WithContext(std::string where) && {
  context.push_back(std::move(where));
  return std::move(*this);
}

std::string Error::Text() const {
  std::string text = IdOf(code) + ": " + message;
  if (!context.empty()) {
    text += " (while ";
    for (auto it = context.rbegin(); it != context.rend(); ++it) {
      if (it != context.rbegin()) text += ": ";
      text += *it;
    }
    text += ")";
  }
  return text;
}

std::string_view Error::Hint() const {
  return hint.empty() ? RowOf(code).fix : std::string_view(hint);
}

}  // namespace mu
