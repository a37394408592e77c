// SPDX-License-Identifier: Apache-2.0
// The JSON of etcd's v3 gateway, as values of ours: 64-bit numbers are JSON strings, keys and
// values base64, what is 0 or empty is left out. Pure functions. Sources: etcd 3.4.23 and 3.5.1,
// asked.
#pragma once

#include <string>
#include <string_view>

#include "adapters/json_read.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/ports/etcd_client.h"

namespace mu::adapters {

// The first object of a text (a stream's answers are objects one after the other). Its parts share
// one block of memory: a page of many keys is read at the speed of its bytes.
Result<json::value> ParseEtcdJson(std::string_view text);

json::value RangeRequest(const ports::PageQuery& query);
Result<ports::KeyPage> KeyPageOf(const json::value& answer, const ports::PageQuery& query);
json::value TransactionRequest(const ports::Transaction& transaction);
Result<model::Lease> LeaseOf(const json::value& answer, std::int64_t lease);

// An answer that is a refusal: etcd's words and its gRPC code. A stream has them one level deeper.
std::string GatewayWords(const json::value& answer);
int GatewayCode(const json::value& answer);

// What words of etcd mean, whichever way they came.
bool IsOfRights(std::string_view words);
bool IsOfNoLease(std::string_view words);
// kEtcdCompacted, kEtcdNoSpace, kEtcdUnreachable (no leader, timed out) or kEtcdFailed. `user` is
// who asked, "" nobody; `code` gRPC's, 0 when it is not known.
Error EtcdRefusal(const std::string& name, const std::string& user, int code,
                  const std::string& words);

}  // namespace mu::adapters
