// SPDX-License-Identifier: Apache-2.0
// Kube: the API of one cluster, in one namespace, with the user's own kubeconfig and rights: the
// verbs that we use. An interface because scenarios run on a fake API whose controllers work by the
// hand clock and which can be cut off at any call.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/kube.h"

namespace mu::ports {

// A cached view of some kinds that the API keeps fresh (list, then watch). Gates are
// level-triggered: they read it as often as they like and it costs no request. Not for two threads.
class KubeView {
 public:
  virtual ~KubeView() = default;
  // The objects as last told by the API, at least as new as what this port was answered to its own
  // patches. Never waits for a change. A watch that ended, was refused (410, 429, 5xx) or was cut
  // is begun anew here, by a list where that is needed. Errors: those of all, while the API does
  // not answer; the next call tries again. The reference is good until the next call.
  virtual Result<const model::KubeObjects*> Now() = 0;
};

// Whether the server only says what it would do: admission included, nothing stored.
enum class DryRun { kNo, kYes };

// What a patch of one Deployment changes; what is not set stays as it is. Containers are told by
// name: the others keep what they have.
struct DeploymentPatch {
  std::string name;
  // Of the object that the change was decided on: another one, or a newer one, is kKubeConflict.
  std::string uid;
  std::string resource_version;
  std::map<std::string, std::optional<std::string>> labels = {};       // nullopt: removed
  std::map<std::string, std::optional<std::string>> annotations = {};  // likewise
  std::map<std::string, std::string> images = {};  // container of that object -> its new image
  std::optional<int> min_ready_seconds = {};
  std::optional<std::string> strategy_json = {};  // the whole of spec.strategy
  std::optional<std::string> template_json = {};  // the whole of spec.template: the way back
  bool operator==(const DeploymentPatch&) const = default;
};

struct ConfigMapPatch {
  std::string name;
  std::string uid;
  std::string resource_version;
  std::map<std::string, std::optional<std::string>> data;  // nullopt: the key is removed
  bool operator==(const ConfigMapPatch&) const = default;
};

struct LogQuery {
  std::string pod;
  std::string container;
  int lines = 20;
  bool is_previous = false;  // of the run before the restart
};

// Errors of all: kKubectlMissing, kKubeConfig, kKubeDown (also 429 and 5xx), kKubeDenied with verb
// and resource, kKubeFailed with the API's words; and those named.
class Kube {
 public:
  virtual ~Kube() = default;
  // As the kubeconfig has it, its version left out: the API is not asked. Errors: kKubeConfig.
  virtual Result<model::KubeCluster> Where() = 0;
  virtual Result<model::KubeCluster> Cluster() = 0;
  // Those that match the label selector ("app=x,tier in (a,b)"; "": all), sorted by name. One
  // request a kind, more beyond 500 objects.
  virtual Result<model::KubeObjects> List(const std::set<model::KubeKind>& kinds,
                                          const std::string& selector) = 0;
  // Nothing is asked before its first Now(). It must not outlive this port.
  virtual std::unique_ptr<KubeView> Follow(const std::set<model::KubeKind>& kinds,
                                           const std::string& selector) = 0;
  virtual Result<std::optional<model::Deployment>> GetDeployment(const std::string& name) = 0;
  virtual Result<std::optional<model::ConfigMap>> GetConfigMap(const std::string& name) = 0;
  virtual Result<std::optional<model::KubeLease>> GetLease(const std::string& name) = 0;

  // Answer with the object as it is now. Errors: kKubeConflict, kKubeGone, kKubeRefused with the
  // words of the webhook, policy or validation, kKubeNoDryRun when a webhook takes no dry run.
  virtual Result<model::Deployment> Patch(const DeploymentPatch& patch, DryRun dry_run) = 0;
  virtual Result<model::ConfigMap> Patch(const ConfigMapPatch& patch, DryRun dry_run) = 0;

  // Of their metadata name, labels and annotations are written. Errors: kKubeConflict when there is
  // one of that name, kKubeRefused.
  virtual Result<model::KubeLease> Create(const model::KubeLease& lease) = 0;
  virtual Result<model::ConfigMap> Create(const model::ConfigMap& config_map) = 0;
  // In place of the one with its uid and resource version. Errors: kKubeConflict when that is not
  // the newest, kKubeGone, kKubeRefused.
  virtual Result<model::KubeLease> Replace(const model::KubeLease& lease) = 0;
  virtual Result<model::ConfigMap> Replace(const model::ConfigMap& config_map) = 0;
  // One that is not there is a success; so is one with another uid, which stays. Errors:
  // kKubeConflict when it is not at that resource version.
  virtual Status DeleteLease(const model::KubeMeta& lease) = 0;
  virtual Status DeleteConfigMap(const model::KubeMeta& config_map) = 0;

  // Last lines, printable. Errors: kKubeGone when the pod or that run of it is not there.
  virtual Result<std::string> Logs(const LogQuery& query) = 0;
  // Those of `rights` that the API would refuse us in this namespace.
  virtual Result<std::vector<model::KubeRight>> Lacking(
      const std::vector<model::KubeRight>& rights) = 0;
};

}  // namespace mu::ports
