// SPDX-License-Identifier: Apache-2.0
// The JSON of the Kubernetes API to values and back. Pure. Total where it reads: a field that is
// missing or of another type is empty, since fields come and go between versions. Source: the API
// reference of Kubernetes 1.33, checked against a real API server's answers in tests/data/kube.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adapters/json_read.h"
#include "milvus_upgrade/base/error.h"
#include "milvus_upgrade/model/kube.h"
#include "milvus_upgrade/ports/kube.h"

namespace mu::adapters {

struct KubeKindRow {
  model::KubeKind kind;
  std::string_view name;         // "Deployment"
  std::string_view api_version;  // "apps/v1"
  std::string_view resource;     // "deployments"
  bool has_labels;               // of the release: a selector finds it
};
std::span<const KubeKindRow> KubeKindTable();
const KubeKindRow& RowOf(model::KubeKind kind);
// "/apis/apps/v1/namespaces/NS/deployments", and "/NAME" of one.
std::string KubePath(model::KubeKind kind, const std::string& name_space,
                     const std::string& name = {});
// As a value of a query.
std::string UrlValue(std::string_view text);

// The same value, the same bytes: keys sorted, no space.
std::string CanonicalJson(const json::value& value);

model::KubeMeta MetaOfJson(const json::value& object);
model::Deployment DeploymentOfJson(const json::value& object);
model::ConfigMap ConfigMapOfJson(const json::value& object);
model::KubeLease LeaseOfJson(const json::value& object);
// Puts it in the place of the one of its name, or where the order wants it; never an older one in
// place of a newer one.
void PutObject(model::KubeKind kind, const json::value& object, model::KubeObjects& objects);
// The same, but only where one of its name is.
void ReplaceObject(model::KubeKind kind, const json::value& object, model::KubeObjects& objects);
void RemoveObject(model::KubeKind kind, const std::string& name, model::KubeObjects& objects);
void RemoveObjects(model::KubeKind kind, model::KubeObjects& objects);

// Strategic merge patches: the API would add a container that the object does not have, so names
// are those of the object at that resource version. `images` and `template_json` exclude each
// other.
std::string BodyOf(const ports::DeploymentPatch& patch);
std::string BodyOf(const ports::ConfigMapPatch& patch);
std::string BodyOf(const model::KubeLease& lease);
std::string BodyOf(const model::ConfigMap& config_map);

// What the API's answer with this status means. `asked` is for people: "patch deployments/x".
Error KubeError(const std::string& asked, int status, std::string_view body);

}  // namespace mu::adapters
