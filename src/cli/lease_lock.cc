// SPDX-License-Identifier: Apache-2.0
#include "cli/lease_lock.h"

#include <fmt/format.h>

#include <utility>

namespace mu::cli {
namespace {

constexpr char kRun[] = "milvus-upgrade/run";
constexpr char kHost[] = "milvus-upgrade/host";
constexpr char kStateDir[] = "milvus-upgrade/state-dir";
constexpr Millis kSecond{1'000};
constexpr int kLookEvery = 5;  // seconds

}  // namespace

std::map<std::string, std::string> AnnotationsOf(const LockHolder& holder) {
  return {{kRun, holder.run}, {kHost, holder.host}, {kStateDir, holder.state_dir}};
}

LockHolder HolderOf(const model::KubeMeta& meta) {
  return {meta.Annotation(kRun), meta.Annotation(kHost), meta.Annotation(kStateDir)};
}

LeaseLock::~LeaseLock() { StopRenewing(); }

Status LeaseLock::Take(const LockHolder& holder) {
  const std::lock_guard lock(mutex_);
  model::KubeLease lease;
  lease.meta.name = name_;
  lease.meta.labels = {{"app.kubernetes.io/managed-by", "milvus-upgrade"}};
  lease.meta.annotations = AnnotationsOf(holder);
  lease.holder = holder.run + "@" + holder.host;
  lease.duration_seconds = static_cast<int>(kDuration.count() / 1000);
  lease.acquired_at = lease.renewed_at = clock_.WallTime();
  auto created = kube_.Create(lease);
  if (created) {
    ours_ = *std::move(created);
    renewed_ = clock_.Monotonic();
    is_lost_ = false;
    return {};
  }
  if (created.error().code != ErrorCode::kKubeConflict) return Fail(created.error());
  MU_TRY(const auto found, kube_.GetLease(name_));
  if (!found)
    return Fail(ErrorCode::kLocked, "another run has just released its lock", "run again");
  if (HolderOf(found->meta) != holder) return Fail(HeldBy(*found));
  ours_ = *found;
  is_lost_ = false;
  return Renew(kube_);
}

void LeaseLock::KeepRenewing() {
  StopRenewing();
  is_stopping_ = false;
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kRenewEvery, [this] { return is_stopping_; })) {
      // One that fails is tried again; whether it is still ours is said where it matters.
      if (const Status renewed = Renew(renewing_); !renewed && is_lost_) return;
    }
  });
}

void LeaseLock::StopRenewing() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Status LeaseLock::Renew(ports::Kube& kube) {
  for (int turn = 0; turn < 2 && ours_ && !is_lost_; ++turn) {
    model::KubeLease lease = *ours_;
    lease.renewed_at = clock_.WallTime();
    auto renewed = kube.Replace(lease);
    if (renewed) {
      ours_ = *std::move(renewed);
      renewed_ = clock_.Monotonic();
      return {};
    }
    const ErrorCode code = renewed.error().code;
    if (code != ErrorCode::kKubeConflict && code != ErrorCode::kKubeGone)
      return Fail(std::move(renewed).error());
    // Our own renewal whose answer was lost, or someone's annotation, leaves it ours.
    MU_TRY(const auto found, kube.GetLease(name_));
    is_lost_ = !found || found->meta.uid != ours_->meta.uid ||
               HolderOf(found->meta) != HolderOf(ours_->meta);
    if (!is_lost_) ours_ = *found;
  }
  return Fail(ErrorCode::kLocked,
              fmt::format("the lock of this run, Lease {}, was freed or taken by someone", name_),
              "find out who; `milvus-upgrade resume` takes it again");
}

Status LeaseLock::Check() {
  const std::lock_guard lock(mutex_);
  const bool is_young = clock_.Monotonic() - renewed_ < kRenewEvery + kSecond;
  if (ours_ && !is_lost_ && is_young) return {};
  return Renew(kube_);
}

Status LeaseLock::CheckFree() {
  MU_TRY(const auto found, kube_.GetLease(name_));
  return found ? Status(Fail(HeldBy(*found))) : Status();
}

Error LeaseLock::HeldBy(const model::KubeLease& lease) const {
  const LockHolder holder = HolderOf(lease.meta);
  const auto where = kube_.Where();
  return {ErrorCode::kLocked,
          fmt::format("run {} of host {} (state folder {}) holds this release by Lease {}, renewed "
                      "last at {}",
                      holder.run, holder.host, holder.state_dir, name_, lease.renewed_at),
          fmt::format("finish that run there (`milvus-upgrade status`); if its machine is gone: "
                      "`milvus-upgrade unlock -n {} -i {} {}`",
                      where ? where->name_space : "NAMESPACE", release_, holder.run),
          {}};
}

Result<std::optional<LockHolder>> LeaseLock::Holder() {
  MU_TRY(const auto found, kube_.GetLease(name_));
  return found ? std::optional<LockHolder>(HolderOf(found->meta)) : std::nullopt;
}

Status LeaseLock::Release(const std::string& run) {
  StopRenewing();
  const std::lock_guard lock(mutex_);
  std::optional<model::KubeLease> known = std::exchange(ours_, std::nullopt);
  // Again: a renewal of ours may have come through after all.
  for (int turn = 0;; ++turn) {
    if (!known) {
      MU_TRY(known, kube_.GetLease(name_));
    }
    if (!known || HolderOf(known->meta).run != run) return {};
    Status deleted = kube_.DeleteLease(known->meta);
    if (deleted || turn == 2 || deleted.error().code != ErrorCode::kKubeConflict) return deleted;
    known.reset();
  }
}

Status LeaseLock::Free(const std::string& run, const std::function<bool(Millis left)>& goes_on) {
  MU_TRY(const auto first, kube_.GetLease(name_));
  if (!first) return {};
  if (HolderOf(first->meta).run != run) return Fail(HeldBy(*first));
  const Millis whole{first->duration_seconds * 1000};
  const Millis start = clock_.Monotonic();
  for (int seconds = 1;; ++seconds) {
    const Millis left = whole - (clock_.Monotonic() - start);
    if (!goes_on(std::max(left, Millis(0))))
      return Fail(ErrorCode::kInterrupted, "stopped; the lock is as it was");
    if (left > Millis(0)) clock_.Sleep(std::min(left, kSecond));
    if (left > Millis(0) && seconds % kLookEvery != 0) continue;
    MU_TRY(const auto now, kube_.GetLease(name_));
    if (!now) return {};
    if (now->meta.resource_version != first->meta.resource_version)
      return Fail(ErrorCode::kLocked,
                  fmt::format("Lease {} was renewed while it was watched: run {} of host {} lives",
                              name_, run, HolderOf(now->meta).host),
                  "finish or stop that run there");
    if (left <= Millis(0)) return kube_.DeleteLease(now->meta);
  }
}

}  // namespace mu::cli
