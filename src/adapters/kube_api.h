// SPDX-License-Identifier: Apache-2.0
// The Kubernetes API by HTTP over the proxy's socket, on kept connections. A read whose connection
// was cut is asked once more; a write never is: whether it came through is seen by reading. Usable
// from several threads, but for its views, which belong to the one that follows them. `log` is told
// of each request as of a child: "kube-api GET /apis/...".
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/http_exchange.h"
#include "adapters/kube_proxy.h"
#include "adapters/kube_text.h"
#include "milvus_upgrade/ports/kube.h"
#include "milvus_upgrade/ports/runner.h"

namespace mu::adapters {

class KubeApi final : public ports::Kube {
 public:
  // `where`: of ReadKubeConfig.
  KubeApi(KubeProxy& proxy, Result<model::KubeCluster> where, ports::Clock& clock,
          ports::CommandLog log)
      : proxy_(proxy), where_(std::move(where)), clock_(clock), log_(std::move(log)) {}
  Result<model::KubeCluster> Where() override { return where_; }
  Result<model::KubeCluster> Cluster() override;
  Result<model::KubeObjects> List(const std::set<model::KubeKind>& kinds,
                                  const std::string& selector) override;
  std::unique_ptr<ports::KubeView> Follow(const std::set<model::KubeKind>& kinds,
                                          const std::string& selector) override;
  Result<std::optional<model::Deployment>> GetDeployment(const std::string& name) override;
  Result<std::optional<model::ConfigMap>> GetConfigMap(const std::string& name) override;
  Result<std::optional<model::KubeLease>> GetLease(const std::string& name) override;
  Result<model::Deployment> Patch(const ports::DeploymentPatch& patch,
                                  ports::DryRun dry_run) override;
  Result<model::ConfigMap> Patch(const ports::ConfigMapPatch& patch,
                                 ports::DryRun dry_run) override;
  Result<model::KubeLease> Create(const model::KubeLease& lease) override;
  Result<model::ConfigMap> Create(const model::ConfigMap& config_map) override;
  Result<model::KubeLease> Replace(const model::KubeLease& lease) override;
  Result<model::ConfigMap> Replace(const model::ConfigMap& config_map) override;
  Status DeleteLease(const model::KubeMeta& lease) override;
  Status DeleteConfigMap(const model::KubeMeta& config_map) override;
  Result<std::string> Logs(const ports::LogQuery& query) override;
  // One SelfSubjectRulesReview for all, a SelfSubjectAccessReview for each that it does not grant:
  // the rules need not be complete.
  Result<std::vector<model::KubeRight>> Lacking(
      const std::vector<model::KubeRight>& rights) override;

 private:
  friend class KubeApiView;
  struct Call {
    HttpVerb verb = HttpVerb::kGet;
    std::string path;  // with its query
    std::string body = {};
    std::string content_type = "application/json";
    std::string accept = "application/json";
    std::string asked = {};  // for people: "list deployments"
  };
  // One request on a kept connection. `may_repeat`: it was cut and changed nothing.
  Result<ports::HttpAnswer> AskOnce(const Call& call, bool* may_repeat);
  // The body of what the API answered when it agreed.
  Result<std::string> AskText(const Call& call);
  Result<json::value> Ask(const Call& call);
  // Null when it is not there.
  Result<json::value> Get(model::KubeKind kind, const std::string& name);
  struct Listed {
    std::string version;  // that a watch may begin at
    std::vector<json::value> objects;
  };
  Result<Listed> ListKind(model::KubeKind kind, const std::string& selector);
  // A connection on which a watch has begun. Errors beside those of all: kKubeGone when the version
  // is too old.
  Result<std::unique_ptr<HttpConnection>> Watch(model::KubeKind kind, const std::string& selector,
                                                const std::string& version);
  Result<json::value> Write(HttpVerb verb, model::KubeKind kind, const std::string& name,
                            std::string body, ports::DryRun dry_run);
  Status Delete(model::KubeKind kind, const model::KubeMeta& meta);
  HttpAddress AddressOf(const std::string& socket) const;
  HttpRequest RequestOf(const Call& call) const;
  void Tell(const Call& call, int status, Millis took, const std::string& failure);

  KubeProxy& proxy_;
  const Result<model::KubeCluster> where_;
  ports::Clock& clock_;
  ports::CommandLog log_;
  std::mutex mutex_;                                   // of what follows
  std::vector<std::unique_ptr<HttpConnection>> idle_;  // kept, nobody uses them now
  std::vector<class KubeApiView*> views_;              // those that are alive
};

}  // namespace mu::adapters
