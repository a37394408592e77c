// SPDX-License-Identifier: Apache-2.0
// EtcdStore: keys with revisions, versions and leases, as etcd keeps them, on a clock that the
// caller hands in. A lease is kept alive while its owner lives (renewed each third of its time, as
// Milvus's client does) and runs out after that. No port and no container here.
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
  // A put, or with nullopt a delete.
  struct Change {
    std::string key;
    std::optional<std::string> value;
    std::int64_t lease = 0;
  };

  std::int64_t Revision() const { return revision_; }

  // All at one new revision; a delete of nothing makes none.
  void Apply(const std::vector<Change>& changes) {
    const std::int64_t revision = revision_ + 1;
    for (const Change& change : changes) {
      const auto it = keys_.find(change.key);
      if (change.value) {
        model::KeyValue kv{change.key, *change.value,
                           it == keys_.end() ? revision : it->second.create_revision, revision,
                           change.lease};
        ++versions_[change.key];
        history_.push_back({revision, change.key, kv});
        keys_[change.key] = std::move(kv);
      } else if (it != keys_.end()) {
        keys_.erase(it);
        versions_.erase(change.key);
        history_.push_back({revision, change.key, std::nullopt});
      } else {
        continue;
      }
      revision_ = revision;
    }
  }
  void Put(const std::string& key, const std::string& value, std::int64_t lease = 0) {
    Apply({{key, value, lease}});
  }
  void Delete(const std::string& key) { Apply({{key, std::nullopt}}); }

  const model::KeyValue* Find(const std::string& key) const {
    const auto it = keys_.find(key);
    return it == keys_.end() ? nullptr : &it->second;
  }
  // Writes since the key was made; 0: it does not exist.
  std::int64_t Version(const std::string& key) const {
    const auto it = versions_.find(key);
    return it == versions_.end() ? 0 : it->second;
  }
  const std::map<std::string, model::KeyValue>& Keys() const { return keys_; }
  // The keys as they were at a revision, 0: now.
  Result<std::map<std::string, model::KeyValue>> KeysAt(std::int64_t revision) const {
    if (revision != 0 && revision < compacted_)
      return Fail(ErrorCode::kEtcdFailed, "compacted: required revision has been compacted");
    if (revision > revision_)
      return Fail(ErrorCode::kEtcdFailed, "required revision is a future revision");
    if (revision == 0 || revision == revision_) return keys_;
    std::map<std::string, model::KeyValue> then;
    for (const Past& past : history_) {
      if (past.revision > revision) break;
      if (past.kv) {
        then[past.key] = *past.kv;
      } else {
        then.erase(past.key);
      }
    }
    return then;
  }

  void Compact(std::int64_t revision) { compacted_ = std::max(compacted_, revision); }
  std::int64_t Compacted() const { return compacted_; }
  Result<model::KeyRange> Range(const std::string& prefix, std::int64_t revision) const {
    MU_TRY(const auto keys, KeysAt(revision));
    model::KeyRange range;
    range.revision = revision == 0 ? revision_ : revision;
    for (const auto& [key, kv] : keys) {
      if (key.starts_with(prefix)) range.kvs.push_back(kv);
    }
    return range;
  }

  bool HasLease(std::int64_t id) const { return leases_.contains(id); }
  std::int64_t Grant(std::int64_t ttl_seconds, Millis now) {
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
  void Renew(std::int64_t id, Millis now) {
    if (const auto it = leases_.find(id); it != leases_.end()) it->second.renewed = now;
  }
  void Revoke(std::int64_t id) {
    if (leases_.erase(id) == 0) return;
    std::vector<Change> deletes;
    for (const std::string& key : KeysOf(id)) deletes.push_back({key, std::nullopt});
    Apply(deletes);
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
    std::int64_t ttl_seconds = 0;
    Millis renewed{0};
    bool is_kept = true;
  };
  struct Past {
    std::int64_t revision = 0;
    std::string key;
    std::optional<model::KeyValue> kv;  // nullopt: it was deleted
  };
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

  std::int64_t revision_ = 1;
  std::int64_t compacted_ = 0;
  std::map<std::string, model::KeyValue> keys_;
  std::map<std::string, std::int64_t> versions_;
  std::vector<Past> history_;
  std::map<std::int64_t, Held> leases_;
  std::uint64_t leases_granted_ = 0;
};

}  // namespace mu::fakes
