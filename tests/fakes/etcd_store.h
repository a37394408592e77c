// SPDX-License-Identifier: Apache-2.0
// EtcdStore: keys with revisions and leases, as etcd keeps them, on a clock that the caller hands
// in. A lease is kept alive while its owner lives (renewed each third of its time, as Milvus's
// client does) and runs out after that. No port and no container here.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/etcd.h"

namespace mu::fakes {

class EtcdStore {
 public:
  std::int64_t Revision() const { return revision_; }

  void Put(const std::string& key, const std::string& value, std::int64_t lease = 0) {
    ++revision_;
    const auto it = keys_.find(key);
    model::KeyValue kv{key, value, it == keys_.end() ? revision_ : it->second.create_revision,
                       revision_, lease};
    keys_[key] = kv;
    history_.emplace_back(revision_, key, std::move(kv));
  }
  void Delete(const std::string& key) {
    if (keys_.erase(key) != 0) history_.emplace_back(++revision_, key, std::nullopt);
  }
  const model::KeyValue* Find(const std::string& key) const {
    const auto it = keys_.find(key);
    return it == keys_.end() ? nullptr : &it->second;
  }
  const std::map<std::string, model::KeyValue>& Keys() const { return keys_; }

  void Compact(std::int64_t revision) { compacted_ = revision; }
  Result<model::KeyRange> Range(const std::string& prefix, std::int64_t revision) const {
    if (revision != 0 && revision < compacted_)
      return Fail(ErrorCode::kEtcdFailed, "compacted: required revision has been compacted");
    if (revision > revision_)
      return Fail(ErrorCode::kEtcdFailed, "required revision is a future revision");
    model::KeyRange range;
    range.revision = revision == 0 ? revision_ : revision;
    for (const auto& [key, kv] : revision == 0 ? keys_ : KeysAt(revision)) {
      if (key.starts_with(prefix)) range.kvs.push_back(kv);
    }
    return range;
  }

  std::int64_t Grant(int ttl_seconds, Millis now) {
    const std::int64_t id = kFirstLease + static_cast<std::int64_t>(leases_granted_++);
    leases_[id] = {ttl_seconds, now, true};
    return id;
  }
  // Its owner has died: nobody renews it any more.
  void Abandon(std::int64_t id, Millis now) {
    const auto it = leases_.find(id);
    if (it == leases_.end() || !it->second.is_kept) return;
    it->second.renewed = LastRenewal(it->second, now);
    it->second.is_kept = false;
  }
  void Revoke(std::int64_t id) {
    if (leases_.erase(id) == 0) return;
    for (const std::string& key : KeysOf(id)) Delete(key);
  }
  // etcd restarted: every lease starts anew with its whole time (ground.md 6).
  void RenewAll(Millis now) {
    for (auto& [id, lease] : leases_) lease.renewed = now;
  }
  std::optional<Millis> NextExpiry() const {
    std::optional<Millis> next;
    for (const auto& [id, lease] : leases_) {
      if (lease.is_kept) continue;
      const Millis at = lease.renewed + std::chrono::seconds(lease.ttl_seconds);
      if (!next || at < *next) next = at;
    }
    return next;
  }
  void ExpireAt(Millis now) {
    std::vector<std::int64_t> over;
    for (const auto& [id, lease] : leases_) {
      if (!lease.is_kept && lease.renewed + std::chrono::seconds(lease.ttl_seconds) <= now)
        over.push_back(id);
    }
    for (const std::int64_t id : over) Revoke(id);
  }
  model::Lease Read(std::int64_t id, Millis now) const {
    model::Lease lease;
    lease.id = id;
    const auto it = leases_.find(id);
    if (it == leases_.end()) return lease;
    const Millis renewed = it->second.is_kept ? LastRenewal(it->second, now) : it->second.renewed;
    const Millis left = renewed + std::chrono::seconds(it->second.ttl_seconds) - now;
    lease.granted_seconds = it->second.ttl_seconds;
    lease.ttl_seconds =
        std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(left).count());
    lease.keys = KeysOf(id);
    return lease;
  }

 private:
  struct Held {
    int ttl_seconds = 0;
    Millis renewed{0};
    bool is_kept = true;
  };
  using Change = std::tuple<std::int64_t, std::string, std::optional<model::KeyValue>>;
  static constexpr std::int64_t kFirstLease = 7'587'887'000'000'000'001;  // beyond 2^53, as real

  static Millis LastRenewal(const Held& lease, Millis now) {
    const Millis period = std::chrono::seconds(lease.ttl_seconds) / 3;
    return now - (now - lease.renewed) % period;
  }
  std::vector<std::string> KeysOf(std::int64_t lease) const {
    std::vector<std::string> found;
    for (const auto& [key, kv] : keys_) {
      if (kv.lease == lease) found.push_back(key);
    }
    return found;
  }
  std::map<std::string, model::KeyValue> KeysAt(std::int64_t revision) const {
    std::map<std::string, model::KeyValue> then;
    for (const auto& [at, key, kv] : history_) {
      if (at > revision) break;
      if (kv) {
        then[key] = *kv;
      } else {
        then.erase(key);
      }
    }
    return then;
  }

  std::int64_t revision_ = 1;
  std::int64_t compacted_ = 0;
  std::map<std::string, model::KeyValue> keys_;
  std::vector<Change> history_;
  std::map<std::int64_t, Held> leases_;
  std::uint64_t leases_granted_ = 0;
};

}  // namespace mu::fakes
