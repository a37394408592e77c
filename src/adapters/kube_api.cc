// SPDX-License-Identifier: Apache-2.0
#include "adapters/kube_api.h"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/kube_view.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

using model::KubeKind;

// A webhook may take 30 s by itself.
constexpr Millis kAnswer{40'000};
constexpr Millis kAnswerToRead{15'000};
constexpr int kPage = 500;
constexpr int kWatchSeconds = 300;  // then the server ends it, and it is begun anew
constexpr int kMaxAsked = 4;        // of one call that is answered with "ask later"
constexpr int kMaxCut = 2;
constexpr Millis kAfterCut{50};
constexpr Millis kLater{500};  // grows with each
constexpr char kMetadataOnly[] = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

std::string Query(const std::vector<std::string>& values) {
  return values.empty() ? "" : "?" + Join(values, "&");
}

std::vector<std::string> SelectorQuery(KubeKind kind, const std::string& selector) {
  if (selector.empty() || !RowOf(kind).has_labels) return {};
  return {"labelSelector=" + UrlValue(selector)};
}

std::string VerbText(HttpVerb verb) {
  switch (verb) {
    case HttpVerb::kPost:
      return "create";
    case HttpVerb::kPut:
      return "update";
    case HttpVerb::kPatch:
      return "patch";
    case HttpVerb::kDelete:
      return "delete";
    case HttpVerb::kGet:
      break;
  }
  return "get";
}

bool Names(const json::value& rule, std::string_view field, const std::string& wanted) {
  const std::vector<std::string> all = JsonTexts(rule, {field});
  return std::any_of(all.begin(), all.end(),
                     [&](const std::string& one) { return one == "*" || one == wanted; });
}

bool IsGranted(const json::value& review, const model::KubeRight& right) {
  const json::array& rules = JsonArray(review, {"status", "resourceRules"});
  return std::any_of(rules.begin(), rules.end(), [&](const json::value& rule) {
    return Names(rule, "verbs", right.verb) && Names(rule, "apiGroups", right.group) &&
           Names(rule, "resources", right.resource) && JsonArray(rule, {"resourceNames"}).empty();
  });
}

}  // namespace

HttpAddress KubeApi::AddressOf(const std::string& socket) const {
  HttpAddress address;
  address.host = "localhost";  // the only one that the proxy takes
  address.socket = socket;
  return address;
}

HttpRequest KubeApi::RequestOf(const Call& call) const {
  HttpRequest request;
  request.verb = call.verb;
  request.path = call.path;
  request.headers = {{"Accept", call.accept}};
  if (!call.body.empty()) request.headers["Content-Type"] = call.content_type;
  request.body = call.body;
  request.keeps_open = true;
  request.max_answer = 256u << 20;
  return request;
}

void KubeApi::Tell(const Call& call, int status, Millis took, const std::string& failure) {
  if (!log_) return;
  ports::CommandRecord record;
  record.argv = {"kube-api", std::string(NameOf(call.verb)), call.path};
  record.exit_code = status >= 200 && status < 300 ? 0 : status;
  record.took = took;
  record.failure = failure;
  log_(record);
}

Result<ports::HttpAnswer> KubeApi::AskOnce(const Call& call, bool* may_repeat) {
  *may_repeat = false;
  MU_TRY(const std::string socket, proxy_.Socket());
  std::unique_ptr<HttpConnection> connection;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!connection) connection = std::make_unique<HttpConnection>(AddressOf(socket), std::nullopt);
  const bool is_read = call.verb == HttpVerb::kGet;
  const Millis start = clock_.Monotonic();
  auto answer = connection->Ask(RequestOf(call), is_read ? kAnswerToRead : kAnswer);
  const Millis took = clock_.Monotonic() - start;
  if (!answer) {
    *may_repeat = is_read || !answer.error().was_sent;
    Tell(call, -1, took, answer.error().words);
    return Fail(ErrorCode::kKubeDown, fmt::format("{}: {}", call.asked, answer.error().words));
  }
  Tell(call, answer->status, took, "");
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
  return *std::move(answer);
}

Result<std::string> KubeApi::AskText(const Call& call) {
  bool may_repeat = false;
  for (int asked = 1;; ++asked) {
    auto answer = AskOnce(call, &may_repeat);
    // The proxy has died with the request, which is seen a moment later, or the connection was kept
    // too long.
    for (int cut = 0; !answer && may_repeat && cut < kMaxCut; ++cut) {
      clock_.Sleep(kAfterCut);
      answer = AskOnce(call, &may_repeat);
    }
    if (!answer) return Fail(std::move(answer).error());
    if (answer->status >= 200 && answer->status < 300) return std::move(answer->body);
    if (answer->status != 429 || asked == kMaxAsked)
      return Fail(KubeError(call.asked, answer->status, answer->body));
    clock_.Sleep(kLater * asked);
  }
}

Result<json::value> KubeApi::Ask(const Call& call) {
  MU_TRY(const std::string text, AskText(call));
  return ParseJson(text, "the Kubernetes API");
}

Result<model::KubeCluster> KubeApi::Cluster() {
  MU_TRY(model::KubeCluster cluster, where_);
  Call call;
  call.path = "/version";
  call.asked = "get the version of " + cluster.server;
  MU_TRY(const json::value version, Ask(call));
  cluster.version = JsonText(version, {"gitVersion"});
  return cluster;
}

Result<KubeApi::Listed> KubeApi::ListKind(KubeKind kind, const std::string& selector) {
  Listed listed;
  std::string next;
  do {
    std::vector<std::string> query = SelectorQuery(kind, selector);
    query.push_back(fmt::format("limit={}", kPage));
    if (!next.empty()) query.push_back("continue=" + UrlValue(next));
    Call call;
    call.path = KubePath(kind, proxy_.Access().name_space) + Query(query);
    call.asked = fmt::format("list {}", RowOf(kind).resource);
    if (kind == KubeKind::kSecret) call.accept = kMetadataOnly;
    MU_TRY(json::value page, Ask(call));
    for (const json::value& object : JsonArray(page, {"items"})) listed.objects.push_back(object);
    listed.version = JsonText(page, {"metadata", "resourceVersion"});
    next = JsonText(page, {"metadata", "continue"});
  } while (!next.empty());
  return listed;
}

Result<model::KubeObjects> KubeApi::List(const std::set<KubeKind>& kinds,
                                         const std::string& selector) {
  model::KubeObjects objects;
  for (const KubeKind kind : kinds) {
    MU_TRY(const Listed listed, ListKind(kind, selector));
    for (const json::value& object : listed.objects) PutObject(kind, object, objects);
  }
  return objects;
}

std::unique_ptr<ports::KubeView> KubeApi::Follow(const std::set<KubeKind>& kinds,
                                                 const std::string& selector) {
  return std::make_unique<KubeApiView>(*this, kinds, selector);
}

Result<std::unique_ptr<HttpConnection>> KubeApi::Watch(KubeKind kind, const std::string& selector,
                                                       const std::string& version) {
  std::vector<std::string> query = SelectorQuery(kind, selector);
  query.insert(query.end(),
               {"watch=true", "allowWatchBookmarks=true", "resourceVersion=" + UrlValue(version),
                fmt::format("timeoutSeconds={}", kWatchSeconds)});
  Call call;
  call.path = KubePath(kind, proxy_.Access().name_space) + Query(query);
  call.asked = fmt::format("watch {}", RowOf(kind).resource);
  MU_TRY(const std::string socket, proxy_.Socket());
  auto connection = std::make_unique<HttpConnection>(AddressOf(socket), std::nullopt);
  const Millis start = clock_.Monotonic();
  const auto status = connection->Begin(RequestOf(call), kAnswerToRead);
  const Millis took = clock_.Monotonic() - start;
  Tell(call, status.value_or(-1), took, status ? "" : status.error().words);
  if (!status)
    return Fail(ErrorCode::kKubeDown, fmt::format("{}: {}", call.asked, status.error().words));
  if (*status == 200) return connection;
  if (*status == 410) return Fail(ErrorCode::kKubeGone, call.asked + ": too old a version");
  std::string body;
  for (const Millis end = clock_.Monotonic() + Millis(1'000); clock_.Monotonic() < end;
       clock_.Sleep(Millis(5))) {
    const auto part = connection->Take();
    if (part) body += part->bytes;
    if (!part || part->is_over) break;
  }
  return Fail(KubeError(call.asked, *status, body));
}

Result<json::value> KubeApi::Get(KubeKind kind, const std::string& name) {
  Call call;
  call.path = KubePath(kind, proxy_.Access().name_space, name);
  call.asked = fmt::format("get {}/{}", RowOf(kind).resource, name);
  auto found = Ask(call);
  if (!found && found.error().code == ErrorCode::kKubeGone) return json::value();
  return found;
}

Result<std::optional<model::Deployment>> KubeApi::GetDeployment(const std::string& name) {
  MU_TRY(const json::value found, Get(KubeKind::kDeployment, name));
  return found.is_null() ? std::optional<model::Deployment>() : DeploymentOfJson(found);
}

Result<std::optional<model::ConfigMap>> KubeApi::GetConfigMap(const std::string& name) {
  MU_TRY(const json::value found, Get(KubeKind::kConfigMap, name));
  return found.is_null() ? std::optional<model::ConfigMap>() : ConfigMapOfJson(found);
}

Result<std::optional<model::KubeLease>> KubeApi::GetLease(const std::string& name) {
  MU_TRY(const json::value found, Get(KubeKind::kLease, name));
  return found.is_null() ? std::optional<model::KubeLease>() : LeaseOfJson(found);
}

Result<json::value> KubeApi::Write(HttpVerb verb, KubeKind kind, const std::string& name,
                                   std::string body, ports::DryRun dry_run) {
  Call call;
  call.verb = verb;
  std::vector<std::string> query = {"fieldManager=milvus-upgrade"};
  if (dry_run == ports::DryRun::kYes) query.push_back("dryRun=All");
  call.path = KubePath(kind, proxy_.Access().name_space, verb == HttpVerb::kPost ? "" : name) +
              Query(query);
  call.body = std::move(body);
  if (verb == HttpVerb::kPatch) call.content_type = "application/strategic-merge-patch+json";
  call.asked = fmt::format("{} {}/{}", VerbText(verb), RowOf(kind).resource, name);
  MU_TRY(json::value written, Ask(call));
  if (dry_run == ports::DryRun::kNo && verb != HttpVerb::kDelete) {
    const std::lock_guard lock(mutex_);
    for (KubeApiView* view : views_) view->Learn(kind, written);
  }
  return written;
}

Result<model::Deployment> KubeApi::Patch(const ports::DeploymentPatch& patch,
                                         ports::DryRun dry_run) {
  MU_TRY(const json::value written,
         Write(HttpVerb::kPatch, KubeKind::kDeployment, patch.name, BodyOf(patch), dry_run));
  return DeploymentOfJson(written);
}

Result<model::ConfigMap> KubeApi::Patch(const ports::ConfigMapPatch& patch, ports::DryRun dry_run) {
  MU_TRY(const json::value written,
         Write(HttpVerb::kPatch, KubeKind::kConfigMap, patch.name, BodyOf(patch), dry_run));
  return ConfigMapOfJson(written);
}

Result<model::KubeLease> KubeApi::Create(const model::KubeLease& lease) {
  MU_TRY(const json::value written, Write(HttpVerb::kPost, KubeKind::kLease, lease.meta.name,
                                          BodyOf(lease), ports::DryRun::kNo));
  return LeaseOfJson(written);
}

Result<model::ConfigMap> KubeApi::Create(const model::ConfigMap& config_map) {
  MU_TRY(const json::value written,
         Write(HttpVerb::kPost, KubeKind::kConfigMap, config_map.meta.name, BodyOf(config_map),
               ports::DryRun::kNo));
  return ConfigMapOfJson(written);
}

Result<model::KubeLease> KubeApi::Replace(const model::KubeLease& lease) {
  MU_TRY(const json::value written, Write(HttpVerb::kPut, KubeKind::kLease, lease.meta.name,
                                          BodyOf(lease), ports::DryRun::kNo));
  return LeaseOfJson(written);
}

Result<model::ConfigMap> KubeApi::Replace(const model::ConfigMap& config_map) {
  MU_TRY(const json::value written,
         Write(HttpVerb::kPut, KubeKind::kConfigMap, config_map.meta.name, BodyOf(config_map),
               ports::DryRun::kNo));
  return ConfigMapOfJson(written);
}

Status KubeApi::Delete(KubeKind kind, const model::KubeMeta& meta) {
  const std::string body = json::serialize(json::object{
      {"apiVersion", "v1"},
      {"kind", "DeleteOptions"},
      {"preconditions", {{"uid", meta.uid}, {"resourceVersion", meta.resource_version}}}});
  auto deleted = Write(HttpVerb::kDelete, kind, meta.name, body, ports::DryRun::kNo);
  if (deleted || deleted.error().code == ErrorCode::kKubeGone) return {};
  if (deleted.error().code != ErrorCode::kKubeConflict) return Fail(std::move(deleted).error());
  // Another one of its name is not ours to delete; the same one at another version is a conflict.
  MU_TRY(const json::value now, Get(kind, meta.name));
  if (now.is_null() || MetaOfJson(now).uid != meta.uid) return {};
  return Fail(std::move(deleted).error());
}

Status KubeApi::DeleteLease(const model::KubeMeta& lease) {
  return Delete(KubeKind::kLease, lease);
}

Status KubeApi::DeleteConfigMap(const model::KubeMeta& config_map) {
  return Delete(KubeKind::kConfigMap, config_map);
}

Result<std::string> KubeApi::Logs(const ports::LogQuery& query) {
  Call call;
  call.path = KubePath(KubeKind::kPod, proxy_.Access().name_space, query.pod) +
              fmt::format("/log?container={}&tailLines={}{}", UrlValue(query.container),
                          query.lines, query.is_previous ? "&previous=true" : "");
  call.accept = "text/plain, application/json";
  call.asked = fmt::format("get the log of pod {}", query.pod);
  MU_TRY(const std::string text, AskText(call));
  std::vector<std::string> lines;
  for (const std::string& line : Lines(text)) lines.push_back(Printable(line));
  return Join(lines, "\n");
}

Result<std::vector<model::KubeRight>> KubeApi::Lacking(
    const std::vector<model::KubeRight>& rights) {
  const std::string& name_space = proxy_.Access().name_space;
  Call call;
  call.verb = HttpVerb::kPost;
  call.path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
  call.asked = "ask for our rights";
  call.body = json::serialize(json::object{{"apiVersion", "authorization.k8s.io/v1"},
                                           {"kind", "SelfSubjectRulesReview"},
                                           {"spec", {{"namespace", name_space}}}});
  MU_TRY(const json::value rules, Ask(call));
  std::vector<model::KubeRight> lacking;
  for (const model::KubeRight& right : rights) {
    if (IsGranted(rules, right)) continue;
    const auto slash = right.resource.find('/');
    json::object attributes{{"namespace", name_space},
                            {"verb", right.verb},
                            {"group", right.group},
                            {"resource", right.resource.substr(0, slash)}};
    if (slash != std::string::npos) attributes["subresource"] = right.resource.substr(slash + 1);
    call.path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    call.body =
        json::serialize(json::object{{"apiVersion", "authorization.k8s.io/v1"},
                                     {"kind", "SelfSubjectAccessReview"},
                                     {"spec", {{"resourceAttributes", std::move(attributes)}}}});
    MU_TRY(const json::value review, Ask(call));
    if (!JsonFlag(review, {"status", "allowed"})) lacking.push_back(right);
  }
  return lacking;
}

}  // namespace mu::adapters
