// SPDX-License-Identifier: Apache-2.0
// Checks of the project's files, variables, disk and backups.
#include <fmt/format.h>

#include <algorithm>

#include "milvus_upgrade/rules/migration.h"
#include "rules/check_support.h"

namespace mu::rules {
namespace {

std::string Bytes(std::int64_t bytes) {
  constexpr std::int64_t kMebibyte = 1'048'576;
  if (bytes < kMebibyte) return fmt::format("{} KiB", (bytes + 1023) / 1024);
  return fmt::format("{} MiB", bytes / kMebibyte);
}

}  // namespace

void CheckFilesReplaceable(const CheckInput& in, Findings& out) {
  for (const model::ProjectFile& file : in.observed.files) {
    std::string reason = file.not_replaceable;
    if (reason.empty() && !file.is_writable) reason = "it may not be written";
    if (reason.empty()) continue;
    const bool is_known = in.edited_files != nullptr;
    const bool is_edited = is_known && std::find(in.edited_files->begin(), in.edited_files->end(),
                                                 file.path) != in.edited_files->end();
    if (is_known && !is_edited) continue;
    Add(out, is_edited ? model::Severity::kError : model::Severity::kWarning, file.path,
        fmt::format("it cannot be replaced: {}", reason),
        "the image is changed in a file, which is replaced while Milvus is down: it must work then",
        "correct its permissions, or run where the file itself lies (not a mounted copy of it)");
  }
}

void CheckFileLinks(const CheckInput& in, Findings& out) {
  for (const model::ProjectFile& file : in.observed.files) {
    if (file.link_target.empty()) continue;
    AddInfo(out, file.path, fmt::format("it is a symbolic link to {}", file.link_target),
            "the link stays; the file that it leads to is replaced", "");
  }
}

void CheckShellVariables(const CheckInput& in, Findings& out) {
  for (const auto& [name, value] : in.observed.shell_overrides) {
    AddWarning(out, name, fmt::format("the shell sets {}={}, otherwise than .env", name, value),
               "Compose takes the shell's value here, and .env's for whoever runs it next",
               fmt::format("unset {} before the upgrade, or make both equal", name));
  }
}

void CheckFreeDisk(const CheckInput& in, Findings& out) {
  if (!in.observed.free_bytes_state) return;
  // A snapshot is as large as the database; the keys are at most as much again; both for each hop.
  const auto hops = static_cast<std::int64_t>(
      in.path == nullptr ? 1 : std::max<std::size_t>(1, in.path->hops.size()));
  constexpr std::int64_t kMargin = 64LL * 1024 * 1024;
  std::int64_t needed = hops * 2 * in.observed.etcd.status.db_bytes + kMargin;
  // A rehearsal has a copy of the snapshot, the database made of it and etcd's log on the engine's
  // disk, which is often the same one and that of the living etcd.
  constexpr std::int64_t kScratch = 256LL * 1024 * 1024;
  if (in.path != nullptr && MigrationHopOf(*in.path) != nullptr && in.config.rehearses)
    needed += 2 * in.observed.etcd.status.db_bytes + kScratch;
  if (*in.observed.free_bytes_state >= needed) return;
  AddError(out, in.observed.state_dir,
           fmt::format("{} are free, {} are needed", Bytes(*in.observed.free_bytes_state),
                       Bytes(needed)),
           "the snapshot of etcd and the backup of the keys of each hop are kept there",
           "free space, or choose another place with --state-dir");
}

void CheckCiWorkspace(const CheckInput& in, Findings& out) {
  if (!IsWithin(in.observed.state_dir, in.observed.ci_workspace)) return;
  AddWarning(out, in.observed.state_dir, "the run's files are kept in the CI job's workspace",
             "the next job wipes it, and with it the backups and the way to resume or roll back",
             "choose a lasting place: --state-dir or MILVUS_UPGRADE_STATE_DIR");
}

void CheckQueueBackup(const CheckInput& in, Findings& out) {
  const model::MessageQueue queue = in.observed.settings.queue;
  const std::string name(NameOf(queue));
  if (queue == model::MessageQueue::kRocksmq) {
    if (in.config.backs_up_queue) return;
    AddInfo(out, in.observed.settings.data_dir, "the message queue is not backed up",
            "it holds what is not stored yet, and a newer version may change its files for good",
            "--backup-mq copies it during the outage, which is longer by it");
  } else if (in.config.backs_up_queue) {
    AddWarning(out, name, fmt::format("--backup-mq cannot back up {}", name),
               "only rocksmq keeps its data in the Milvus container's folder",
               "back it up with its own tools, and leave --backup-mq out");
  } else {
    AddInfo(out, name,
            fmt::format("the message queue ({}) and the object store are not backed up", name),
            "they are not touched, but what a new version writes there cannot be taken back", "");
  }
}

}  // namespace mu::rules
