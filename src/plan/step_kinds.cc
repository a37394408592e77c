// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "milvus_upgrade/plan/step.h"

namespace mu::plan {
namespace {

using K = StepKind;
using D = OnDrift;

// In the order of the numbers, which is also that of StepArgs (checked below and by a test).
constexpr StepKindRow kRows[] = {
    {K::kPullImage, "pull-image", "pull an image", false, D::kAgain},
    {K::kSaveSnapshot, "save-snapshot", "save an etcd snapshot on this host", false, D::kAgain},
    {K::kBackupKeys, "backup-keys", "back up the instance's keys", false, D::kAgain},
    {K::kVerifyData, "verify-data", "check the data with a client", true, D::kAgain},
    {K::kSetRestartPolicy, "set-restart-policy", "set the restart policy", false, D::kAgain},
    {K::kStopContainers, "stop-containers", "stop containers", false, D::kAgain},
    {K::kReleaseSessions, "release-sessions", "release the sessions of stopped containers", false,
     D::kAgain},
    {K::kBackupQueue, "backup-queue", "copy the message queue's folder", false, D::kStop},
    {K::kReplaceFile, "replace-file", "replace a project file", false, D::kStop},
    {K::kUpServices, "up-services", "create and start services", false, D::kAgain},
    {K::kStartContainers, "start-containers", "start stopped containers", false, D::kAgain},
    {K::kWaitServices, "wait-services", "wait until services are healthy", true, D::kAgain},
    {K::kWaitSessions, "wait-sessions", "wait until roles have registered", true, D::kAgain},
    {K::kWaitStable, "wait-stable", "wait for a time without restarts", true, D::kAgain},
    {K::kMigrateMetadata, "migrate-metadata", "migrate the metadata", false, D::kStop},
    {K::kRecordSessions, "record-sessions", "record the sessions of running containers", false,
     D::kStop},
    {K::kRehearseMigration, "rehearse-migration", "rehearse the migration on a copy", false,
     D::kStop},
    {K::kConfirmMigration, "confirm-migration", "confirm the migrated metadata", true, D::kAgain},
    {K::kRestoreMetadata, "restore-metadata", "restore the metadata from its backup", false,
     D::kAgain},
    {K::kExtractKeys, "extract-keys", "take the keys out of a snapshot", false, D::kAgain},
    {K::kKeepRelease, "keep-release", "keep the Deployments as they are", false, D::kStop},
    {K::kTryPatches, "try-patches", "have the server try each change", true, D::kAgain},
    {K::kEditConfigMap, "edit-config-map", "edit the configuration of the release", false,
     D::kStop},
    {K::kPatchDeployment, "patch-deployment", "patch a Deployment", false, D::kStop},
    {K::kWaitRollout, "wait-rollout", "wait until a rollout is truly done", true, D::kAgain},
    {K::kRestoreDeployment, "restore-deployment", "put a Deployment back as it was", false,
     D::kStop},
};
static_assert(std::size(kRows) == std::variant_size_v<StepArgs>);

}  // namespace

std::span<const StepKindRow> StepKindTable() { return kRows; }

const StepKindRow& RowOf(StepKind kind) { return kRows[static_cast<std::size_t>(kind) - 1]; }

}  // namespace mu::plan
