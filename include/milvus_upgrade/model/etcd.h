// SPDX-License-Identifier: Apache-2.0
// What we know of etcd: keys, members, alarms, and Milvus's sessions in it.
// Source of the session facts: ground.md 3 (measured), milvus.md 9.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mu::model {

struct KeyValue {
  std::string key;
  std::string value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  std::int64_t lease = 0;  // 0: none. Beyond 2^53: never a double
  bool operator==(const KeyValue&) const = default;
};

struct KeyRange {
  std::vector<KeyValue> kvs;  // sorted by key
  std::int64_t revision = 0;  // the revision that it was read at
};

// The end of the half-open range of all keys that start with `prefix` ("" and only 0xff: every key
// after, which etcd writes as a single zero byte).
std::string EndOfPrefix(std::string prefix);

struct Lease {
  std::int64_t id = 0;
  std::int64_t ttl_seconds = -1;  // remaining; -1: the lease does not exist (any more)
  std::int64_t granted_seconds = 0;
  std::vector<std::string> keys;
};

struct EtcdStatus {
  std::string version;  // of the server
  std::int64_t db_bytes = 0;
  std::vector<std::string> alarms;  // "NOSPACE", "CORRUPT"
  bool is_auth_enabled = false;
  int members = 0;
  bool has_shell = true;  // its image has one, as far as seen
  bool operator==(const EtcdStatus&) const = default;
};

// One key <root>/<meta>/session/<name>. `session/id` is a counter and never one of these.
struct Session {
  std::string key;
  std::string name;  // "rootcoord", "querynode-5"
  std::string role;  // "querynode"
  std::int64_t server_id = 0;
  std::string address;  // "172.18.0.4:21123"
  std::string version;  // "2.2.16"; "" from 2.1.x, which writes none
  std::int64_t lease = 0;
  std::int64_t create_revision = 0;
  bool operator==(const Session&) const = default;
};

}  // namespace mu::model
