// SPDX-License-Identifier: Apache-2.0
#include "adapters/etcd_gateway.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "adapters/etcd_json.h"
#include "adapters/json_read.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

using Instant = std::chrono::steady_clock::time_point;

constexpr std::uint64_t kMaxAnswer = 2ull << 30;
constexpr std::int64_t kHashPage = 2000;
constexpr std::string_view kUseEtcdctl =
    "reach etcd by etcdctl inside its container instead, or start etcd with "
    "--enable-grpc-gateway=true";

// Whether a request changes nothing more when it arrives twice.
enum class Repeat { kHarmless, kNever };

// One address of etcd and the connection to it.
struct Line {
  std::string url;
  HttpAddress address;
  std::unique_ptr<HttpConnection> connection;
};

struct Reply {
  int status = 0;
  json::value body;
  int code = 0;         // of gRPC: 0 is well
  std::string message;  // etcd's words when it is not
};

Result<Line> LineOf(std::string_view endpoint, bool is_tls) {
  Line line;
  line.url = endpoint;
  if (endpoint.find("://") == std::string_view::npos)
    line.url = fmt::format("{}://{}", is_tls ? "https" : "http", endpoint);
  while (line.url.ends_with('/')) line.url.pop_back();
  const auto address = ParseHttpAddress(line.url);
  if (!address || address->path != "/")
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} is no address of etcd: host:port, http://host:port or "
                            "https://host:port is expected",
                            Printable(endpoint)));
  line.address = *address;
  return line;
}

class EtcdGateway final : public ports::EtcdClient {
 public:
  EtcdGateway(GatewayOptions options, std::vector<Line> lines)
      : options_(std::move(options)), lines_(std::move(lines)) {}

  std::string Name() const override { return lines_[at_].url; }
  bool ComparesRanges() const override { return true; }
  Result<model::EtcdStatus> Observe() override;
  Result<ports::KeyPage> GetPage(const ports::PageQuery& query) override;
  Result<ports::TransactionResult> Commit(const ports::Transaction& transaction) override;
  Result<std::int64_t> GrantLease(std::int64_t seconds) override;
  Status KeepAlive(std::int64_t lease) override;
  Result<model::Lease> ReadLease(std::int64_t lease) override;
  Status RevokeLease(std::int64_t lease) override;
  Result<std::vector<ports::EtcdMember>> HashMembers(std::int64_t revision) override;

 private:
  // A call of the port: all its requests share one deadline.
  struct Call {
    Instant end;
    Repeat repeat = Repeat::kHarmless;
    Line* only = nullptr;  // this line and no other
  };
  Call Begin(Repeat repeat = Repeat::kHarmless) const {
    return {std::chrono::steady_clock::now() + options_.timeout, repeat, nullptr};
  }
  Millis Left(const Call& call) const {
    return std::max(
        Millis(1), std::chrono::duration_cast<Millis>(call.end - std::chrono::steady_clock::now()));
  }

  Result<ports::HttpAnswer> Post(const Call& call, std::string_view path, const std::string& body);
  Result<ports::HttpAnswer> PostOn(Line& line, const Call& call, const HttpRequest& request,
                                   bool* may_try_next);
  Status Authenticate(const Call& call);
  // What etcd answered, yes or no; the error is one of the way there.
  Result<Reply> Ask(const Call& call, std::string_view path, const json::value& request);
  // What etcd answered when it did not refuse.
  Result<json::value> Need(const Call& call, std::string_view path, const json::value& request);
  Error Refusal(const Reply& reply) const;
  Result<std::uint32_t> HashKeys(Line& line, std::int64_t revision);
  Result<ports::EtcdMember> HashMember(const json::value& member, std::int64_t revision);

  GatewayOptions options_;
  std::vector<Line> lines_;
  std::size_t at_ = 0;
  std::string token_;
};

bool WantsToken(const Reply& reply) {
  // None of the three was carried out: it may be asked again, a commit too.
  return reply.message.find("user name is empty") != std::string::npos ||
         reply.message.find("invalid auth token") != std::string::npos ||
         reply.message.find("revision of auth store is old") != std::string::npos;
}

bool IsUnavailable(const ports::HttpAnswer& answer) { return answer.status == 503; }

Result<ports::HttpAnswer> EtcdGateway::PostOn(Line& line, const Call& call,
                                              const HttpRequest& request, bool* may_try_next) {
  *may_try_next = true;
  if (!line.connection)
    line.connection = std::make_unique<HttpConnection>(line.address, options_.tls);
  const bool was_open = line.connection->IsOpen();
  if (!was_open) {
    // A machine that swallows packets must leave time for the others.
    const auto share = Left(call) / static_cast<int>(call.only != nullptr ? 1 : lines_.size());
    if (const auto opened = line.connection->Open(std::max(share, Millis(1))); !opened)
      return Fail(ErrorCode::kEtcdUnreachable,
                  fmt::format("{}: {}{}", line.url, opened.error().words,
                              opened.error().words.find("protocol version") == std::string::npos
                                  ? ""
                                  : " (this etcd speaks no TLS as new as the minimum: 3.5.1 ends "
                                    "at 1.2)"));
  }
  auto answer = line.connection->Ask(request, Left(call));
  if (!answer && was_open && !answer.error().is_timeout && call.repeat == Repeat::kHarmless)
    answer = line.connection->Ask(request, Left(call));
  if (answer) return std::move(*answer);
  *may_try_next = call.repeat == Repeat::kHarmless || !answer.error().was_sent;
  return Fail(ErrorCode::kEtcdUnreachable,
              fmt::format("{}: {}{}", line.url, answer.error().words,
                          *may_try_next ? "" : " (what was asked for may have happened)"));
}

Result<ports::HttpAnswer> EtcdGateway::Post(const Call& call, std::string_view path,
                                            const std::string& body) {
  HttpRequest request;
  request.verb = HttpVerb::kPost;
  request.path = path;
  request.body = body;
  request.headers["Content-Type"] = "application/json";
  // Without it etcd takes the name in its own server certificate for the user who asks.
  request.headers["Accept"] = "application/json";
  if (!token_.empty()) request.headers["Authorization"] = token_;
  request.keeps_open = true;
  request.max_answer = kMaxAnswer;
  std::vector<std::string> words;
  const std::size_t tries = call.only != nullptr ? 1 : lines_.size();
  for (std::size_t i = 0; i < tries; ++i) {
    Line& line = call.only != nullptr ? *call.only : lines_[at_];
    bool may_try_next = true;
    auto answer = PostOn(line, call, request, &may_try_next);
    const bool is_last = i + 1 == tries;
    if (answer && (is_last || call.repeat == Repeat::kNever || !IsUnavailable(*answer)))
      return answer;
    if (call.only == nullptr) at_ = (at_ + 1) % lines_.size();
    words.push_back(answer ? fmt::format("{}: unavailable", line.url) : answer.error().message);
    if (!may_try_next || std::chrono::steady_clock::now() >= call.end) break;
  }
  return Fail(ErrorCode::kEtcdUnreachable, "etcd does not answer: " + Join(words, "; "));
}

Status EtcdGateway::Authenticate(const Call& call) {
  token_.clear();
  Call harmless = call;
  harmless.repeat = Repeat::kHarmless;
  const json::object request{{"name", options_.user}, {"password", options_.password}};
  MU_TRY(const ports::HttpAnswer answer,
         Post(harmless, "/v3/auth/authenticate", json::serialize(request)));
  MU_TRY(const json::value body, ParseEtcdJson(answer.body));
  token_ = JsonText(body, {"token"});
  if (token_.empty())
    return Fail(ErrorCode::kEtcdFailed,
                fmt::format("etcd at {} does not accept the user {}: {}", Name(),
                            Printable(options_.user), GatewayWords(body)),
                "correct the user name and the password of etcd");
  return {};
}

Result<Reply> EtcdGateway::Ask(const Call& call, std::string_view path,
                               const json::value& request) {
  const std::string body = json::serialize(request);
  bool may_authenticate = !options_.user.empty();
  for (;;) {
    MU_TRY(const ports::HttpAnswer answer, Post(call, path, body));
    auto parsed = ParseEtcdJson(answer.body);
    const std::string& url = call.only != nullptr ? call.only->url : lines_[at_].url;
    const bool is_object = parsed && parsed->is_object();
    if (answer.status == 404 && (!is_object || parsed->get_object().empty()))
      return Fail(ErrorCode::kEtcdNoGateway,
                  fmt::format("{} serves no JSON gateway ({}: 404): it is switched off, or this is "
                              "no etcd of version 3.4 or later",
                              url, path),
                  std::string(kUseEtcdctl));
    if (answer.body.find("CommonName of client") != std::string::npos)
      return Fail(ErrorCode::kEtcdNoGateway,
                  fmt::format("{} has auth on and takes no certificate with a common name at its "
                              "JSON gateway: {}",
                              url, Printable(Trim(answer.body))),
                  "give a client certificate without a common name, and a user and password of "
                  "etcd, or reach it by etcdctl inside its container");
    if (!is_object)
      // A 5xx is of a proxy in between: what etcd did behind it is not known.
      return Fail(answer.status >= 500 ? ErrorCode::kEtcdUnreachable : ErrorCode::kEtcdFailed,
                  fmt::format("{} answered {} and no JSON: {}", url, answer.status,
                              Printable(Trim(answer.body).substr(0, 120))),
                  "check that this is the client port of etcd, and http or https");
    Reply reply;
    reply.status = answer.status;
    reply.body = std::move(*parsed);
    if (answer.status != 200 || reply.body.get_object().contains("error")) {
      reply.message = GatewayWords(reply.body);
      reply.code = GatewayCode(reply.body);
    }
    if (!may_authenticate || !WantsToken(reply)) return reply;
    may_authenticate = false;
    MU_CHECK(Authenticate(call));
  }
}

Error EtcdGateway::Refusal(const Reply& reply) const {
  return EtcdRefusal(Name(), options_.user, reply.code, reply.message);
}

Result<json::value> EtcdGateway::Need(const Call& call, std::string_view path,
                                      const json::value& request) {
  MU_TRY(Reply reply, Ask(call, path, request));
  if (reply.message.empty()) return std::move(reply.body);
  Error error = Refusal(reply);
  if (call.repeat == Repeat::kNever && error.code == ErrorCode::kEtcdUnreachable)
    error.message += " (what was asked for may have happened)";
  return Fail(std::move(error));
}

Result<model::EtcdStatus> EtcdGateway::Observe() {
  const Call call = Begin();
  const json::object none;
  MU_TRY(const json::value status, Need(call, "/v3/maintenance/status", none));
  MU_TRY(const json::value alarms,
         Need(call, "/v3/maintenance/alarm", json::object{{"action", "GET"}}));
  MU_TRY(const json::value members, Need(call, "/v3/cluster/member/list", none));
  model::EtcdStatus found;
  found.version = JsonText(status, {"version"});
  found.db_bytes = JsonInteger(status, {"dbSize"});
  found.members = static_cast<int>(JsonArray(members, {"members"}).size());
  for (const json::value& one : JsonArray(alarms, {"alarms"}))
    found.alarms.push_back(JsonText(one, {"alarm"}));
  // Before 3.5 etcd does not tell, nor to a user without the right: that a read is refused, or
  // needed a token, says the same.
  ports::PageQuery query;
  query.start = "milvus-upgrade";
  query.keys_only = true;
  MU_TRY(const Reply read, Ask(call, "/v3/kv/range", RangeRequest(query)));
  if (!read.message.empty() && !IsOfRights(read.message)) return Fail(Refusal(read));
  found.is_auth_enabled = !read.message.empty() || !token_.empty();
  return found;
}

Result<ports::KeyPage> EtcdGateway::GetPage(const ports::PageQuery& query) {
  MU_TRY(const json::value answer, Need(Begin(), "/v3/kv/range", RangeRequest(query)));
  return KeyPageOf(answer, query);
}

Result<ports::TransactionResult> EtcdGateway::Commit(const ports::Transaction& transaction) {
  MU_TRY(const json::value answer,
         Need(Begin(Repeat::kNever), "/v3/kv/txn", TransactionRequest(transaction)));
  ports::TransactionResult result;
  result.is_committed = JsonFlag(answer, {"succeeded"});
  result.revision = JsonInteger(answer, {"header", "revision"});
  return result;
}

Result<std::int64_t> EtcdGateway::GrantLease(std::int64_t seconds) {
  MU_TRY(const json::value answer, Need(Begin(Repeat::kNever), "/v3/lease/grant",
                                        json::object{{"TTL", std::to_string(seconds)}}));
  const std::int64_t lease = JsonInteger(answer, {"ID"});
  if (lease == 0)
    return Fail(ErrorCode::kEtcdFailed, fmt::format("etcd at {} granted no lease", Name()));
  return lease;
}

Status EtcdGateway::KeepAlive(std::int64_t lease) {
  MU_TRY(const json::value answer,
         Need(Begin(), "/v3/lease/keepalive", json::object{{"ID", std::to_string(lease)}}));
  if (JsonInteger(answer, {"result", "TTL"}) <= 0)
    return Fail(ErrorCode::kEtcdFailed, fmt::format("the lease {:x} is gone", lease));
  return {};
}

Result<model::Lease> EtcdGateway::ReadLease(std::int64_t lease) {
  MU_TRY(const json::value answer,
         Need(Begin(), "/v3/lease/timetolive",
              json::object{{"ID", std::to_string(lease)}, {"keys", true}}));
  return LeaseOf(answer, lease);
}

Status EtcdGateway::RevokeLease(std::int64_t lease) {
  MU_TRY(const Reply reply,
         Ask(Begin(), "/v3/lease/revoke", json::object{{"ID", std::to_string(lease)}}));
  if (reply.message.empty() || IsOfNoLease(reply.message)) return {};
  return Fail(Refusal(reply));
}

// The gateway has no `hashkv` (its /v3/maintenance/hash is of the whole file, which differs between
// well members). So we read what the member serves: a read waits until it has applied what the
// leader had, and is answered from its own file.
Result<std::uint32_t> EtcdGateway::HashKeys(Line& line, std::int64_t revision) {
  Sha256Stream hash;
  ports::PageQuery query;
  query.end = std::string(1, '\0');
  query.revision = revision;
  query.limit = kHashPage;
  for (bool has_more = true; has_more;) {
    Call call = Begin();
    call.only = &line;
    MU_TRY(const json::value answer, Need(call, "/v3/kv/range", RangeRequest(query)));
    MU_TRY(const ports::KeyPage page, KeyPageOf(answer, query));
    for (const model::KeyValue& kv : page.kvs) {
      hash.Update(fmt::format("{} {} {} {} ", kv.key.size(), kv.value.size(), kv.create_revision,
                              kv.mod_revision));
      hash.Update(kv.key);
      hash.Update(kv.value);
    }
    has_more = page.has_more && !page.kvs.empty();
    if (has_more) query.start = page.kvs.back().key + '\0';
  }
  return static_cast<std::uint32_t>(std::stoul(hash.Finish().substr(0, 8), nullptr, 16));
}

Result<ports::EtcdMember> EtcdGateway::HashMember(const json::value& member,
                                                  std::int64_t revision) {
  ports::EtcdMember found;
  found.name = JsonText(member, {"name"});
  std::vector<Line> own;  // the addresses that the member tells of itself
  for (const std::string& url : JsonTexts(member, {"clientURLs"})) {
    if (auto line = LineOf(url, false)) own.push_back(std::move(*line));
  }
  std::vector<Line*> lines;
  for (Line& line : lines_) lines.push_back(&line);
  for (Line& line : own) lines.push_back(&line);
  std::string why = "it tells no address";
  for (Line* line : lines) {
    Call call = Begin();
    call.only = line;
    const auto status = Need(call, "/v3/maintenance/status", json::object{});
    if (!status) {
      why = status.error().message;
      continue;
    }
    if (JsonText(*status, {"header", "member_id"}) != JsonText(member, {"ID"})) continue;
    found.endpoint = line->url;
    found.version = JsonText(*status, {"version"});
    MU_TRY(found.hash, HashKeys(*line, revision));
    return found;
  }
  return Fail(ErrorCode::kEtcdUnreachable,
              fmt::format("the member {} of etcd is not reached: {}", found.name, why),
              "start the member, or give its address as an endpoint");
}

Result<std::vector<ports::EtcdMember>> EtcdGateway::HashMembers(std::int64_t revision) {
  MU_TRY(const json::value answer, Need(Begin(), "/v3/cluster/member/list", json::object{}));
  std::vector<ports::EtcdMember> found;
  for (const json::value& member : JsonArray(answer, {"members"})) {
    MU_TRY(ports::EtcdMember one, HashMember(member, revision));
    found.push_back(std::move(one));
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

}  // namespace

Result<std::unique_ptr<ports::EtcdClient>> MakeEtcdGateway(const GatewayOptions& options) {
  if (options.endpoints.empty())
    return Fail(ErrorCode::kInvalidInput, "no address of etcd is given");
  if (options.tls) MU_CHECK(CheckTls(*options.tls));
  std::vector<Line> lines;
  for (const std::string& endpoint : options.endpoints) {
    MU_TRY(Line line, LineOf(endpoint, options.tls.has_value()));
    lines.push_back(std::move(line));
  }
  return std::make_unique<EtcdGateway>(options, std::move(lines));
}

std::unique_ptr<ports::EtcdClient> GatewayAt(const std::string& address, Millis timeout) {
  GatewayOptions options;
  options.endpoints = {fmt::format("http://{}:{}", address, kEtcdPort)};
  options.timeout = timeout;
  auto client = MakeEtcdGateway(options);
  return client ? std::move(*client) : nullptr;
}

}  // namespace mu::adapters
