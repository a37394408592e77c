// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json.hpp>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/model/role.h"
#include "milvus_upgrade/observe/compose_observer.h"

namespace mu::observe {
namespace {

std::string TextOf(const boost::json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

}  // namespace

Result<std::vector<model::Session>> ReadSessions(ports::Etcd& etcd, const std::string& container,
                                                 const std::string& session_prefix) {
  MU_TRY(const model::KeyRange range,
         etcd.GetPrefix(container, session_prefix, ports::KeysOnly::kNo, 0));
  std::vector<model::Session> sessions;
  for (const model::KeyValue& kv : range.kvs) {
    model::Session session;
    session.key = kv.key;
    session.name = kv.key.substr(session_prefix.size());
    // `id` and `version` are counters without a lease; a session always has one (ground.md 3).
    if (kv.lease == 0) continue;
    const auto role = model::RoleOfSession(session.name);
    session.role =
        role ? std::string(model::NameOf(*role)) : session.name.substr(0, session.name.find('-'));
    session.lease = kv.lease;
    session.create_revision = kv.create_revision;
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(kv.value, error);
    if (error || !value.is_object()) {
      return Fail(ErrorCode::kEtcdFailed, fmt::format("the session key {} does not hold JSON: {}",
                                                      kv.key, Printable(kv.value.substr(0, 80))));
    }
    const boost::json::object& object = value.as_object();
    session.address = TextOf(object, "Address");
    session.version = TextOf(object, "Version");
    if (const auto* id = object.if_contains("ServerID"); id != nullptr && id->is_number()) {
      session.server_id = id->to_number<std::int64_t>(error);
    }
    sessions.push_back(std::move(session));
  }
  return sessions;
}

}  // namespace mu::observe
