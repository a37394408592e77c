// SPDX-License-Identifier: Apache-2.0
#include "migrate/lock.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <utility>

#include "milvus_upgrade/base/text.h"

namespace mu::migrate {
namespace {

// As Milvus's tool. Longer than any pause of etcd that a migration should outlive.
constexpr std::int64_t kLeaseSeconds = 60;
constexpr Millis kRenewAfter = std::chrono::seconds(kLeaseSeconds) / 3;
// etcd ends a lease up to a second or so after its time.
constexpr Millis kEndsLate{5'000};

}  // namespace

Lock::Lock(ports::EtcdClient& etcd, ports::Clock& clock, Patience& patience,
           const meta::Scope& scope, std::string who)
    : etcd_(etcd),
      clock_(clock),
      patience_(patience),
      key_(scope.MigrationLock()),
      who_(std::move(who)) {}

Lock::~Lock() {
  if (lease_ != 0) (void)etcd_.RevokeLease(lease_);
}

Result<bool> Lock::TryTake() {
  MU_TRY(const std::int64_t lease, patience_.Ask([&] { return etcd_.GrantLease(kLeaseSeconds); }));
  const ports::Transaction take{
      {{key_, "", ports::Compare::Field::kCreateRevision, 0, ""}},
      {{ports::Write::Kind::kPut, key_,
        // The members that Milvus's own session reader expects of any session.
        boost::json::serialize(boost::json::object{
            {"ServerID", 0}, {"ServerName", "migration"}, {"Address", who_}, {"Exclusive", true}}),
        lease}}};
  const ports::PageQuery look{key_, "", 0, 0, false};
  // A commit without an answer is looked for before it is made again: it may have happened.
  for (;;) {
    const auto taken = etcd_.Commit(take);
    if (!taken && taken.error().code != ErrorCode::kEtcdUnreachable) {
      (void)etcd_.RevokeLease(lease);
      return Fail(taken.error());
    }
    if (!taken) MU_CHECK(patience_.WaitAfter(taken.error()));
    MU_TRY(const ports::KeyPage now, patience_.Ask([&] { return etcd_.GetPage(look); }));
    if (!now.kvs.empty() && now.kvs.front().lease == lease) {
      lease_ = lease;
      create_revision_ = now.kvs.front().create_revision;
      renewed_ = clock_.Monotonic();
      return true;
    }
    if (!now.kvs.empty() || (taken && taken->is_committed)) break;
  }
  (void)etcd_.RevokeLease(lease);
  return false;
}

Status Lock::Take(Listener& listener) {
  std::int64_t last_left = -1;
  std::int64_t holder = 0;
  Millis ends{0};  // where it is not renewed
  const ports::PageQuery look{key_, "", 0, 0, false};
  for (;;) {
    MU_TRY(const bool is_taken, TryTake());
    if (is_taken) return {};
    MU_TRY(const ports::KeyPage now, patience_.Ask([&] { return etcd_.GetPage(look); }));
    if (now.kvs.empty()) continue;
    const model::KeyValue& kv = now.kvs.front();
    MU_TRY(const model::Lease lease, patience_.Ask([&] { return etcd_.ReadLease(kv.lease); }));
    // Whole seconds do not show a renewal each second: its time being over does.
    const bool is_renewed =
        holder == kv.lease && (lease.ttl_seconds > last_left || clock_.Monotonic() > ends);
    if (kv.lease == 0 || is_renewed || (holder != 0 && holder != kv.lease)) {
      return Fail(ErrorCode::kMigrationRunning,
                  fmt::format("another migration holds {}: {}", key_, Printable(kv.value)),
                  kv.lease == 0
                      ? "the lock has no lease and will not end by itself: make sure that "
                        "no migration runs, then delete that key"
                      : "");
    }
    if (holder == 0) {
      listener.Note(fmt::format(
          "{} is held by another migration; it ends in {} s unless that one still renews it", key_,
          lease.ttl_seconds));
      ends = clock_.Monotonic() + std::chrono::seconds(lease.ttl_seconds) + kEndsLate;
    }
    holder = kv.lease;
    last_left = lease.ttl_seconds;
    listener.Progress("waiting for the lock of another migration",
                      static_cast<std::size_t>(std::max<std::int64_t>(0, lease.ttl_seconds)), 0);
    MU_CHECK(patience_.Pause(Millis(1'000)));
  }
}

Status Lock::Keep() {
  if (clock_.Monotonic() - renewed_ < kRenewAfter) return {};
  const auto kept = patience_.Ask([&] { return etcd_.KeepAlive(lease_); });
  if (kept) {
    renewed_ = clock_.Monotonic();
    return {};
  }
  if (kept.error().code != ErrorCode::kEtcdFailed) return Fail(kept.error());
  return TakeAgain();
}

Status Lock::Check() {
  const ports::PageQuery look{key_, "", 0, 0, false};
  MU_TRY(const ports::KeyPage now, patience_.Ask([&] { return etcd_.GetPage(look); }));
  if (!now.kvs.empty() && now.kvs.front().create_revision == create_revision_) return {};
  return TakeAgain();
}

Status Lock::TakeAgain() {
  lease_ = 0;
  MU_TRY(const bool is_taken, TryTake());
  if (is_taken) return {};
  return Fail(ErrorCode::kMigrationLost,
              fmt::format("the lease of {} ran out and another migration took it", key_));
}

ports::Compare Lock::Held() const {
  return {key_, "", ports::Compare::Field::kCreateRevision, create_revision_, ""};
}

}  // namespace mu::migrate
