// SPDX-License-Identifier: Apache-2.0
// EtcdClient: one etcd, read in pages and written in compared transactions: what the migration of
// the metadata needs. Reached by etcd's JSON gateway, or by `etcdctl` inside its container where no
// port of it is published. One contract suite for both and the fake.
// Every call has a deadline of its own and ends; no write is ever sent twice. Keys and values are
// bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/etcd.h"

namespace mu::ports {

// The half-open range [start, end); end "" is the one key `start`, start "" with an end the first
// key that there is. model::EndOfPrefix makes ends.
struct PageQuery {
  std::string start;
  std::string end;
  std::int64_t revision = 0;  // 0: now
  std::int64_t limit = 0;     // 0: no limit
  bool keys_only = false;
};
struct KeyPage {
  std::vector<model::KeyValue> kvs;  // ascending by key
  std::int64_t revision = 0;         // the revision that it was read at: the query's, or now
  bool has_more = false;
  std::string member;  // the cluster and member that answered, as etcd numbers them; "": not told
};

// A condition on one key or, with `end`, on every key of [key, end). A key that does not exist has
// 0 in every number; so has an empty range. kValue of a key that does not exist is never equal.
struct Compare {
  enum class Field : int {
    kValue = 1,
    kModRevision = 2,
    kCreateRevision = 3,
    kVersion = 4,  // writes since the key was made; 0: it does not exist
    kLease = 5     // not by etcdctl, which panics on it
  };
  std::string key;
  std::string end;
  Field field = Field::kModRevision;
  std::int64_t number = 0;
  std::string value;  // of kValue
};
struct Write {
  enum class Kind : int { kPut = 1, kDelete = 2 };
  Kind kind = Kind::kPut;
  std::string key;
  std::string value;
  std::int64_t lease = 0;
};
// All writes, or none when a condition does not hold. At most 128 of each, and 1.5 MiB in all
// (etcd's --max-txn-ops and --max-request-bytes, their defaults).
struct Transaction {
  std::vector<Compare> compares;
  std::vector<Write> writes;
};
struct TransactionResult {
  bool is_committed = false;
  std::int64_t revision = 0;
};

struct EtcdMember {
  std::string name;
  std::string endpoint;
  std::string version;
  std::uint32_t hash = 0;  // of all keys at the revision asked for; compare with other members only
  std::int64_t compact_revision = 0;  // hashes can be compared only where these are equal
};

// Errors of all: kEtcdUnreachable (refused, cut, no answer in time, no leader: what was asked for
// may have happened), kEtcdFailed (etcd said no, in its words).
class EtcdClient {
 public:
  virtual ~EtcdClient() = default;
  // For people: "http://127.0.0.1:2379", "etcdctl in milvus-etcd".
  virtual std::string Name() const = 0;
  virtual Result<model::EtcdStatus> Observe() = 0;
  // kEtcdCompacted when the revision is gone.
  virtual Result<KeyPage> GetPage(const PageQuery& query) = 0;
  // Whether a Compare may have an `end` (etcdctl's text form of a transaction has none).
  virtual bool ComparesRanges() const = 0;
  // kEtcdNoSpace when etcd's NOSPACE alarm is on (3.5 then refuses deletes as well).
  virtual Result<TransactionResult> Commit(const Transaction& transaction) = 0;
  virtual Result<std::int64_t> GrantLease(std::int64_t seconds) = 0;
  // kEtcdFailed when the lease is gone.
  virtual Status KeepAlive(std::int64_t lease) = 0;
  virtual Result<model::Lease> ReadLease(std::int64_t lease) = 0;
  // A lease that is gone already is a success.
  virtual Status RevokeLease(std::int64_t lease) = 0;
  // Every member with the hash of its keys at `revision`.
  virtual Result<std::vector<EtcdMember>> HashMembers(std::int64_t revision) = 0;
};

// The etcd inside a container, by the best way that leads there.
class EtcdClients {
 public:
  virtual ~EtcdClients() = default;
  // The client may outlive this object's next call, not this object. Errors: kContainerGone when
  // it is not there, kEtcdUnreachable when it does not run, and those of Docker; etcd itself need
  // not answer.
  virtual Result<std::unique_ptr<EtcdClient>> Of(const std::string& container) = 0;
};

}  // namespace mu::ports
