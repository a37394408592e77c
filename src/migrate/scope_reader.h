// SPDX-License-Identifier: Apache-2.0
// Reads the keys of a scope in pages at one revision, as explicit ranges, so that memory is bounded
// by the page. Keys under a lease (sessions, locks) are left out: they are not metadata.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "migrate/patience.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/meta/scope.h"
#include "milvus_upgrade/model/etcd.h"
#include "milvus_upgrade/ports/etcd_client.h"

namespace mu::migrate {

class ScopeReader {
 public:
  // `revision` 0: that of the first page, for all pages.
  ScopeReader(ports::EtcdClient& etcd, Patience& patience, const meta::Scope& scope,
              std::int64_t revision, bool keys_only);

  // The next key in order; nullopt at the end. kEtcdCompacted: start again with a new reader.
  Result<std::optional<model::KeyValue>> Next();
  std::int64_t Revision() const { return query_.revision; }

 private:
  ports::EtcdClient& etcd_;
  Patience& patience_;
  ports::PageQuery query_;
  std::vector<model::KeyValue> page_;
  std::size_t at_ = 0;
  bool has_more_ = true;
};

struct ScopeKeys {
  std::vector<model::KeyValue> kvs;  // ascending, without leased ones
  std::int64_t revision = 0;
};
// All at once; begins again when etcd is compacted meanwhile, at most five times.
Result<ScopeKeys> ReadScope(ports::EtcdClient& etcd, Patience& patience, const meta::Scope& scope,
                            bool keys_only);

// Sessions of running Milvus processes under the scope: all of session/ but the counter and the
// migration's lock.
Result<std::vector<model::KeyValue>> LiveSessions(ports::EtcdClient& etcd, Patience& patience,
                                                  const meta::Scope& scope);

// "root/meta" of every Milvus in this etcd, as its collections or session counter show it.
Result<std::vector<std::string>> RootsIn(ports::EtcdClient& etcd, Patience& patience);

}  // namespace mu::migrate
