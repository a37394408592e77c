// SPDX-License-Identifier: Apache-2.0
#include "adapters/etcd_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/base64.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

using ports::Compare;

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string Number(std::int64_t number) { return std::to_string(number); }

// etcd has no empty key: the first that can be is a single zero byte.
std::string StartOf(const std::string& start) {
  return start.empty() ? std::string(1, '\0') : start;
}

json::object CompareRequest(const Compare& compare) {
  json::object request{{"result", "EQUAL"}, {"key", Base64Encoded(compare.key)}};
  if (!compare.end.empty()) {
    request["key"] = Base64Encoded(StartOf(compare.key));
    request["range_end"] = Base64Encoded(compare.end);
  }
  const auto set = [&](const char* target, const char* field, std::string_view value) {
    request["target"] = target;
    request[field] = value;
  };
  switch (compare.field) {
    case Compare::Field::kValue:
      set("VALUE", "value", Base64Encoded(compare.value));
      break;
    case Compare::Field::kModRevision:
      set("MOD", "mod_revision", Number(compare.number));
      break;
    case Compare::Field::kCreateRevision:
      set("CREATE", "create_revision", Number(compare.number));
      break;
    case Compare::Field::kVersion:
      set("VERSION", "version", Number(compare.number));
      break;
    case Compare::Field::kLease:
      set("LEASE", "lease", Number(compare.number));
      break;
  }
  return request;
}

// The base64 text of a field of an object, without a copy of it.
std::optional<std::string> BytesOf(const json::object& object, json::string_view field) {
  const json::value* found = object.if_contains(field);
  if (found == nullptr) return "";
  if (!found->is_string()) return std::nullopt;
  const json::string& text = found->get_string();
  return Base64Decoded({text.data(), text.size()});
}

}  // namespace

Result<json::value> ParseEtcdJson(std::string_view text) {
  json::parse_options options;
  options.max_depth = 32;
  json::stream_parser parser({}, options);
  // Four to one is what the values take beside the text, measured on pages of short values.
  parser.reset(json::make_shared_resource<json::monotonic_resource>(
      std::clamp<std::size_t>(text.size() * 2, 4096, 64u << 20)));
  json::error_code error;
  parser.write_some(text.data(), text.size(), error);
  if (!error && !parser.done()) parser.finish(error);
  if (error)
    return Fail(ErrorCode::kEtcdFailed,
                fmt::format("the answer is not JSON ({}): {}", error.message(),
                            Printable(Trim(text).substr(0, 80))));
  return parser.release();
}

json::value RangeRequest(const ports::PageQuery& query) {
  json::object request;
  request["key"] = Base64Encoded(StartOf(query.start));
  if (!query.end.empty()) request["range_end"] = Base64Encoded(query.end);
  if (query.revision != 0) request["revision"] = Number(query.revision);
  if (query.limit != 0) request["limit"] = Number(query.limit);
  if (query.keys_only) request["keys_only"] = true;
  return request;
}

Result<ports::KeyPage> KeyPageOf(const json::value& answer, const ports::PageQuery& query) {
  ports::KeyPage page;
  page.revision =
      query.revision != 0 ? query.revision : JsonInteger(answer, {"header", "revision"});
  page.has_more = JsonFlag(answer, {"more"});
  page.member =
      JsonText(answer, {"header", "cluster_id"}) + "/" + JsonText(answer, {"header", "member_id"});
  if (page.revision == 0)
    return Fail(ErrorCode::kEtcdFailed, "etcd's answer to a read has no revision");
  const json::array& kvs = JsonArray(answer, {"kvs"});
  page.kvs.reserve(kvs.size());
  for (const json::value& kv : kvs) {
    auto key = kv.is_object() ? BytesOf(kv.get_object(), "key") : std::nullopt;
    auto value = kv.is_object() ? BytesOf(kv.get_object(), "value") : std::nullopt;
    if (!key || !value)
      return Fail(ErrorCode::kEtcdFailed, "etcd's answer has a key that is not base64");
    page.kvs.push_back({std::move(*key), std::move(*value), JsonInteger(kv, {"create_revision"}),
                        JsonInteger(kv, {"mod_revision"}), JsonInteger(kv, {"lease"})});
  }
  return page;
}

json::value TransactionRequest(const ports::Transaction& transaction) {
  json::array compares;
  for (const Compare& compare : transaction.compares) compares.push_back(CompareRequest(compare));
  json::array writes;
  for (const ports::Write& write : transaction.writes) {
    json::object request{{"key", Base64Encoded(write.key)}};
    if (write.kind == ports::Write::Kind::kDelete) {
      writes.push_back(json::object{{"request_delete_range", std::move(request)}});
      continue;
    }
    request["value"] = Base64Encoded(write.value);
    if (write.lease != 0) request["lease"] = Number(write.lease);
    writes.push_back(json::object{{"request_put", std::move(request)}});
  }
  return json::object{{"compare", std::move(compares)}, {"success", std::move(writes)}};
}

Result<model::Lease> LeaseOf(const json::value& answer, std::int64_t id) {
  model::Lease lease;
  lease.id = id;
  lease.ttl_seconds = JsonInteger(answer, {"TTL"});
  lease.granted_seconds = JsonInteger(answer, {"grantedTTL"});
  for (const json::value& one : JsonArray(answer, {"keys"})) {
    auto key = one.is_string() ? Base64Decoded(JsonText(one, {})) : std::nullopt;
    if (!key) return Fail(ErrorCode::kEtcdFailed, "etcd's answer has a key that is not base64");
    lease.keys.push_back(std::move(*key));
  }
  std::sort(lease.keys.begin(), lease.keys.end());
  return lease;
}

std::string GatewayWords(const json::value& answer) {
  std::string words = JsonText(answer, {"message"});
  if (words.empty()) words = JsonText(answer, {"error", "message"});
  if (words.empty()) words = JsonText(answer, {"error"});
  return words.empty() ? "it gave no reason" : Printable(words);
}

int GatewayCode(const json::value& answer) {
  const auto code = JsonInteger(answer, {"code"});
  return static_cast<int>(code != 0 ? code : JsonInteger(answer, {"error", "grpc_code"}));
}

bool IsOfRights(std::string_view words) {
  return Contains(words, "user name is empty") || Contains(words, "permission denied") ||
         Contains(words, "authentication failed") || Contains(words, "invalid auth token");
}

bool IsOfNoLease(std::string_view words) { return Contains(words, "requested lease not found"); }

Error EtcdRefusal(const std::string& name, const std::string& user, int code,
                  const std::string& words) {
  const auto error = [&](ErrorCode what, std::string message, std::string hint = {}) {
    return Error{what, std::move(message), std::move(hint), {}};
  };
  if (Contains(words, "has been compacted"))
    return error(ErrorCode::kEtcdCompacted,
                 fmt::format("etcd at {} no longer has that revision: {}", name, words));
  if (Contains(words, "database space exceeded"))
    return error(ErrorCode::kEtcdNoSpace,
                 fmt::format("etcd at {} takes no more writes: {}", name, words));
  if (IsOfRights(words) && user.empty())
    return error(ErrorCode::kEtcdFailed, fmt::format("etcd at {} asks for a user: {}", name, words),
                 "give the user and the password of etcd");
  if (IsOfRights(words))
    return error(ErrorCode::kEtcdFailed,
                 fmt::format("etcd at {} does not let the user {} do this: {}", name,
                             Printable(user), words),
                 "give a user of etcd who may read and write the keys of Milvus");
  if (Contains(words, "too many operations"))
    return error(ErrorCode::kEtcdFailed,
                 fmt::format("etcd at {} takes at most --max-txn-ops operations in one transaction "
                             "(128 where it is not set): {}",
                             name, words));
  if (Contains(words, "request is too large") || Contains(words, "larger than max"))
    return error(ErrorCode::kEtcdFailed,
                 fmt::format("etcd at {} takes at most --max-request-bytes in one request (1.5 MiB "
                             "where it is not set): {}",
                             name, words));
  constexpr int kDeadline = 4;
  constexpr int kUnavailable = 14;
  constexpr std::string_view kUnreachable[] = {
      "deadline exceeded", "connection refused", "no available endpoint", "no leader",
      "transport:",        "connection reset",   "request timed out",
  };
  const bool is_unreachable =
      code == kDeadline || code == kUnavailable ||
      std::any_of(std::begin(kUnreachable), std::end(kUnreachable),
                  [&](std::string_view sign) { return Contains(words, sign); });
  if (is_unreachable)
    return error(ErrorCode::kEtcdUnreachable,
                 fmt::format("etcd at {} does not answer: {}", name, words));
  return error(ErrorCode::kEtcdFailed, fmt::format("etcd at {}: {}", name, words));
}

}  // namespace mu::adapters
