// SPDX-License-Identifier: Apache-2.0
#include "cli/engine_lock.h"

#include <fmt/format.h>

namespace mu::cli {
namespace {

constexpr char kRunLabel[] = "milvus-upgrade.run";
constexpr char kHostLabel[] = "milvus-upgrade.host";
constexpr char kStateLabel[] = "milvus-upgrade.state-dir";
constexpr char kNamePrefix[] = "milvus-upgrade-lock-";

LockHolder HolderOf(const model::Container& lock) {
  return {lock.Label(kRunLabel), lock.Label(kHostLabel), lock.Label(kStateLabel)};
}

}  // namespace

EngineLock::EngineLock(ports::Docker& docker, const std::string& project)
    : docker_(docker), name_(kNamePrefix + project) {}

Status EngineLock::Take(const std::string& image, const LockHolder& holder) {
  const auto created = docker_.Create(
      name_, image,
      {{kRunLabel, holder.run}, {kHostLabel, holder.host}, {kStateLabel, holder.state_dir}});
  if (created) return {};
  if (created.error().code != ErrorCode::kLocked) return Fail(created.error());
  MU_TRY(const auto found, docker_.Inspect({name_}));
  if (found.empty() || !found.front())
    return Fail(ErrorCode::kLocked, "another run has just released its lock", "run again");
  const model::Container& other = *found.front();
  // Of this very run, cut before: gone on with in its folder, maybe under another name of the host.
  const LockHolder its = HolderOf(other);
  if (its.run == holder.run && its.state_dir == holder.state_dir) return {};
  return Fail(HeldBy(other));
}

Status EngineLock::CheckFree() {
  MU_TRY(const auto found, docker_.Inspect({name_}));
  if (found.empty() || !found.front()) return {};
  return Fail(HeldBy(*found.front()));
}

Error EngineLock::HeldBy(const model::Container& lock) const {
  return {
      ErrorCode::kLocked,
      fmt::format("run {} of host {} (state folder {}) holds this stack on the engine, in the "
                  "container {}",
                  lock.Label(kRunLabel), lock.Label(kHostLabel), lock.Label(kStateLabel), name_),
      fmt::format("finish that run there (`milvus-upgrade status`); if it is gone for good: "
                  "milvus-upgrade unlock {}",
                  lock.Label(kRunLabel)),
      {}};
}

Result<std::optional<LockHolder>> EngineLock::Holder() {
  MU_TRY(const auto found, docker_.Inspect({name_}));
  if (found.empty() || !found.front()) return std::nullopt;
  return HolderOf(*found.front());
}

Result<std::vector<HeldLock>> EngineLock::All(ports::Docker& docker) {
  MU_TRY(const auto ids, docker.List({kRunLabel}));
  MU_TRY(const auto containers, docker.Inspect(ids));
  std::vector<HeldLock> locks;
  for (const auto& lock : containers) {
    if (!lock || !lock->name.starts_with(kNamePrefix)) continue;
    locks.push_back({lock->name.substr(sizeof(kNamePrefix) - 1), HolderOf(*lock)});
  }
  return locks;
}

Status EngineLock::Release(const std::string& run) {
  MU_TRY(const auto found, docker_.Inspect({name_}));
  if (found.empty() || !found.front() || found.front()->Label(kRunLabel) != run) return {};
  return docker_.Remove(name_, false);
}

}  // namespace mu::cli
