// SPDX-License-Identifier: Apache-2.0
// What etcdctl prints (`-w json`), as values. Pure functions. Sources: etcdctl 3.5.1, recorded in
// tests/data/adapters; lease ids are JSON numbers beyond 2^53 there and hex in argv (ground.md 6).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/container.h"
#include "milvus_upgrade/model/etcd.h"

namespace mu::adapters {

Result<model::KeyRange> KeyRangeOfJson(std::string_view out);
Result<model::Lease> LeaseOfJson(std::string_view out);
std::string LeaseArgument(std::int64_t lease);
// As a string of Go, which `etcdctl txn` reads: bytes that are not printable ASCII as \xHH.
std::string GoQuoted(std::string_view bytes);

// What etcdctl said for people: without the JSON that its client logs beside it.
std::string EtcdctlWords(std::string_view err);

// What a failed etcdctl means: kEtcdUnreachable, kEtcdFailed ("compacted: ..." when that revision
// is gone).
Error EtcdctlError(const std::string& container, int exit_code, std::string_view err);
bool SaysNoSuchLease(std::string_view err);
bool SaysNotAuthorized(std::string_view err);

// Where etcd keeps its data inside the container: flag, environment, or a writable mount.
std::string DataFolderOf(const model::Container& container);

}  // namespace mu::adapters
