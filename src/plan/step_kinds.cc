// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "milvus_upgrade/plan/step.h"

namespace mu::plan {
namespace {

using K = StepKind;

// In the order of the numbers, which is also that of StepArgs (checked below and by a test).
constexpr StepKindRow kRows[] = {
    {K::kPullImage, "pull-image", "pull an image", false},
    {K::kSaveSnapshot, "save-snapshot", "save an etcd snapshot on this host", false},
    {K::kBackupKeys, "backup-keys", "back up the instance's keys", false},
    {K::kVerifyData, "verify-data", "check the data with a client", true},
    {K::kSetRestartPolicy, "set-restart-policy", "set the restart policy", false},
    {K::kStopContainers, "stop-containers", "stop containers", false},
    {K::kReleaseSessions, "release-sessions", "release the sessions of stopped containers", false},
    {K::kBackupQueue, "backup-queue", "copy the message queue's folder", false},
    {K::kReplaceFile, "replace-file", "replace a project file", false},
    {K::kUpServices, "up-services", "create and start services", false},
    {K::kStartContainers, "start-containers", "start stopped containers", false},
    {K::kWaitServices, "wait-services", "wait until services are healthy", true},
    {K::kWaitSessions, "wait-sessions", "wait until roles have registered", true},
    {K::kWaitStable, "wait-stable", "wait for a time without restarts", true},
    {K::kMigrateMetadata, "migrate-metadata", "migrate the metadata", false},
    {K::kRecordSessions, "record-sessions", "record the sessions of running containers", false},
    {K::kRehearseMigration, "rehearse-migration", "rehearse the migration on a copy", false},
    {K::kConfirmMigration, "confirm-migration", "confirm the migrated metadata", true},
    {K::kRestoreMetadata, "restore-metadata", "restore the metadata from its backup", false},
    {K::kExtractKeys, "extract-keys", "take the keys out of a snapshot", false},
};
static_assert(std::size(kRows) == std::variant_size_v<StepArgs>);

}  // namespace

std::span<const StepKindRow> StepKindTable() { return kRows; }

const StepKindRow& RowOf(StepKind kind) { return kRows[static_cast<std::size_t>(kind) - 1]; }

}  // namespace mu::plan
