// SPDX-License-Identifier: Apache-2.0
#include "adapters/kube_text.h"

#include <gtest/gtest.h>

namespace mu::adapters {
namespace {

using model::KubeKind;

std::string StatusJson(int code, const std::string& reason, const std::string& message) {
  return json::serialize(
      json::object{{"kind", "Status"}, {"code", code}, {"reason", reason}, {"message", message}});
}

TEST(KubeKinds, HasOneRowForEachKind) {
  EXPECT_EQ(KubeKindTable().size(), 11U);
  for (const KubeKindRow& row : KubeKindTable()) EXPECT_EQ(&RowOf(row.kind), &row);
  EXPECT_EQ(KubePath(KubeKind::kDeployment, "milvus"),
            "/apis/apps/v1/namespaces/milvus/deployments");
  EXPECT_EQ(KubePath(KubeKind::kPod, "milvus", "a b"), "/api/v1/namespaces/milvus/pods/a%20b");
}

TEST(CanonicalJson, IsTheSameForTheSameValue) {
  EXPECT_EQ(CanonicalJson(json::parse(R"({ "b": [ 1, {"d": null, "c": "x\"y"} ], "a": true })")),
            R"({"a":true,"b":[1,{"c":"x\"y","d":null}]})");
  EXPECT_EQ(CanonicalJson(json::parse("{}")), "{}");
}

TEST(KubeText, ReadsADeployment) {
  const auto deployment = DeploymentOfJson(json::parse(R"({
    "metadata": {"name": "p", "uid": "u", "resourceVersion": "12", "generation": 3,
      "labels": {"component": "proxy"}, "creationTimestamp": "2026-11-30T00:00:00Z",
      "ownerReferences": [{"kind": "Other", "name": "x", "uid": "y"},
                          {"kind": "Milvus", "name": "mine", "uid": "z", "controller": true}]},
    "spec": {"replicas": 0, "paused": true,
      "selector": {"matchLabels": {"component": "proxy"}},
      "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"}},
      "template": {"metadata": {"labels": {"component": "proxy"}}, "spec": {
        "terminationGracePeriodSeconds": 1800,
        "containers": [{"name": "proxy", "image": "milvusdb/milvus:v2.2.3",
          "command": ["/milvus/tools/run.sh"], "args": ["milvus", "run", "proxy"],
          "env": [{"name": "A", "value": "1"}, {"name": "S3_SECRET_KEY", "value": "x"},
                  {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "cm1", "key": "k"}}}],
          "envFrom": [{"configMapRef": {"name": "cm2"}}],
          "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}},
          "volumeMounts": [{"name": "c", "mountPath": "/milvus/configs/user.yaml",
                            "subPath": "user.yaml"}]}],
        "volumes": [{"name": "c", "configMap": {"name": "cm3",
                       "items": [{"key": "user.yaml", "path": "user.yaml"}]}},
                    {"name": "p", "projected": {"sources": [{"configMap": {"name": "cm4"}}]}},
                    {"name": "d", "persistentVolumeClaim": {"claimName": "claim"}}]}}},
    "status": {"observedGeneration": 2, "replicas": 4, "updatedReplicas": 1, "readyReplicas": 3,
      "availableReplicas": 3, "unavailableReplicas": 1,
      "conditions": [{"type": "Progressing", "status": "False",
                      "reason": "ProgressDeadlineExceeded", "message": "timed out"}]}})"));
  EXPECT_EQ(deployment.meta.generation, 3);
  EXPECT_EQ(deployment.meta.owner_kind, "Milvus");
  EXPECT_EQ(deployment.meta.owner_name, "mine");
  EXPECT_EQ(deployment.replicas, 0);
  EXPECT_TRUE(deployment.is_paused);
  EXPECT_EQ(deployment.max_surge, "1");
  EXPECT_EQ(deployment.max_unavailable, "25%");
  EXPECT_EQ(deployment.progress_deadline_seconds, 600);
  EXPECT_EQ(deployment.pod.grace_seconds, 1800);
  EXPECT_EQ(deployment.pod.claims, std::vector<std::string>{"claim"});
  const model::PodContainer& container = deployment.pod.containers.at(0);
  EXPECT_EQ(container.command,
            (std::vector<std::string>{"/milvus/tools/run.sh", "milvus", "run", "proxy"}));
  EXPECT_EQ(container.environment.at("A"), "1");
  EXPECT_EQ(container.environment.at("S3_SECRET_KEY"), "***");
  EXPECT_EQ(container.config_environment, (std::vector<std::string>{"cm1", "cm2"}));
  EXPECT_EQ(container.cpu_request_millis, 250);
  EXPECT_EQ(container.memory_request_bytes, 1 << 30);
  ASSERT_EQ(deployment.pod.config_volumes.size(), 2U);
  EXPECT_EQ(deployment.pod.config_volumes[0].items.at("user.yaml"), "user.yaml");
  EXPECT_EQ(deployment.pod.config_volumes[1].config_map, "cm4");
  EXPECT_EQ(deployment.strategy_json,
            R"({"rollingUpdate":{"maxSurge":1,"maxUnavailable":"25%"},"type":"RollingUpdate"})");
  EXPECT_EQ(deployment.unavailable_replicas, 1);
  ASSERT_NE(model::FindCondition(deployment.conditions, "Progressing"), nullptr);
  EXPECT_EQ(model::FindCondition(deployment.conditions, "Available"), nullptr);
}

TEST(KubeText, ReadsAPodThatIsNotWell) {
  model::KubeObjects objects;
  PutObject(KubeKind::kPod, json::parse(R"({
    "metadata": {"name": "p-1", "labels": {"pod-template-hash": "abc"},
      "deletionTimestamp": "2026-11-30T00:00:30Z", "deletionGracePeriodSeconds": 30,
      "ownerReferences": [{"kind": "ReplicaSet", "name": "p", "uid": "rs", "controller": true}]},
    "spec": {"nodeName": "node-1", "terminationGracePeriodSeconds": 60,
      "containers": [{"name": "proxy", "image": "milvusdb/milvus:v2.2.4"}]},
    "status": {"phase": "Running", "startTime": "2026-11-30T00:00:00Z",
      "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
      "containerStatuses": [{"name": "proxy", "image": "docker.io/milvusdb/milvus:v2.2.4",
        "imageID": "docker.io/milvusdb/milvus@sha256:12", "ready": false, "started": false,
        "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled",
          "startedAt": "2026-11-30T00:00:01Z", "finishedAt": "2026-11-30T00:00:02Z"}}}]}})"),
            objects);
  ASSERT_EQ(objects.pods.size(), 1U);
  const model::Pod& pod = objects.pods[0];
  EXPECT_TRUE(pod.IsTerminating());
  EXPECT_EQ(pod.meta.delete_grace_seconds, 30);
  EXPECT_EQ(pod.TemplateHash(), "abc");
  EXPECT_EQ(pod.images.at("proxy"), "milvusdb/milvus:v2.2.4");
  EXPECT_FALSE(pod.IsReady());
  const model::ContainerStatus* status = pod.Find("proxy");
  ASSERT_NE(status, nullptr);
  EXPECT_EQ(status->restart_count, 3);
  EXPECT_EQ(status->now.state, "waiting");
  EXPECT_EQ(status->now.reason, "CrashLoopBackOff");
  EXPECT_EQ(status->last.reason, "OOMKilled");
  EXPECT_EQ(status->last.exit_code, 137);
}

TEST(KubeText, ReadsEventsOfBothApis) {
  model::KubeObjects objects;
  PutObject(KubeKind::kEvent, json::parse(R"({"metadata": {"name": "a"}, "type": "Warning",
    "involvedObject": {"kind": "Pod", "name": "p", "uid": "u"}, "reason": "Unhealthy",
    "message": "Readiness probe failed", "count": 4, "lastTimestamp": "2026-11-30T00:00:00Z"})"),
            objects);
  PutObject(KubeKind::kEvent, json::parse(R"({"metadata": {"name": "b"}, "lastTimestamp": null,
    "involvedObject": {"kind": "Pod"}, "eventTime": "2026-11-30T00:00:00.000001Z",
    "series": {"count": 7, "lastObservedTime": "2026-11-30T00:00:09.000001Z"}})"),
            objects);
  ASSERT_EQ(objects.events.size(), 2U);
  EXPECT_EQ(objects.events[0].count, 4);
  EXPECT_EQ(objects.events[0].about_name, "p");
  EXPECT_EQ(objects.events[1].count, 7);
  EXPECT_EQ(objects.events[1].last_at, "2026-11-30T00:00:09.000001Z");
}

TEST(KubeText, KeepsTheNewerObjectAndTheOrderOfNames) {
  const auto map = [](const std::string& name, const std::string& version,
                      const std::string& value) {
    return json::value{{"metadata", {{"name", name}, {"resourceVersion", version}}},
                       {"data", {{"k", value}}}};
  };
  model::KubeObjects objects;
  PutObject(KubeKind::kConfigMap, map("b", "9", "old"), objects);
  PutObject(KubeKind::kConfigMap, map("a", "1", ""), objects);
  PutObject(KubeKind::kConfigMap, map("b", "10", "new"), objects);
  PutObject(KubeKind::kConfigMap, map("b", "9", "old"), objects);
  ASSERT_EQ(objects.config_maps.size(), 2U);
  EXPECT_EQ(objects.config_maps[0].meta.name, "a");
  EXPECT_EQ(objects.config_maps[1].data.at("k"), "new");
  RemoveObject(KubeKind::kConfigMap, "a", objects);
  RemoveObject(KubeKind::kConfigMap, "nobody", objects);
  EXPECT_EQ(objects.config_maps.size(), 1U);
  RemoveObjects(KubeKind::kConfigMap, objects);
  EXPECT_TRUE(objects.config_maps.empty());
}

TEST(KubeText, WritesAPatchThatNamesItsContainer) {
  ports::DeploymentPatch patch;
  patch.name = "p";
  patch.uid = "u";
  patch.resource_version = "7";
  patch.labels = {{"app.kubernetes.io/version", "2.2.4"}, {"old", std::nullopt}};
  patch.images = {{"proxy", "milvusdb/milvus:v2.2.4"}};
  patch.strategy_json = R"({"type":"Recreate"})";
  EXPECT_EQ(CanonicalJson(json::parse(BodyOf(patch))),
            R"({"metadata":{"labels":{"app.kubernetes.io/version":"2.2.4","old":null},)"
            R"("resourceVersion":"7","uid":"u"},"spec":{"strategy":{"$patch":"replace",)"
            R"("type":"Recreate"},"template":{"spec":{"containers":[{"image":)"
            R"("milvusdb/milvus:v2.2.4","name":"proxy"}]}}}})");
}

TEST(KubeText, WritesALeaseWithSixDigitsOfItsSeconds) {
  model::KubeLease lease;
  lease.meta.name = "l";
  lease.renewed_at = "2026-11-30T12:00:00.123Z";
  EXPECT_NE(BodyOf(lease).find("2026-11-30T12:00:00.123000Z"), std::string::npos);
}

TEST(KubeError, TellsOneRefusalFromAnother) {
  struct Case {
    int status;
    std::string body;
    ErrorCode code;
  };
  const std::string forbidden =
      "deployments.apps \"p\" is forbidden: User \"u\" cannot patch resource \"deployments\" in "
      "API group \"apps\" in the namespace \"n\"";
  for (const auto& [status, body, code] : std::vector<Case>{
           {401, StatusJson(401, "Unauthorized", "Unauthorized"), ErrorCode::kKubeDenied},
           {403, StatusJson(403, "Forbidden", forbidden), ErrorCode::kKubeDenied},
           {403, StatusJson(403, "Forbidden", "pods \"p\" is forbidden: exceeded quota: q"),
            ErrorCode::kKubeRefused},
           {403, StatusJson(403, "", "admission webhook \"w.x\" denied the request: no"),
            ErrorCode::kKubeRefused},
           {400,
            StatusJson(400, "BadRequest", "admission webhook \"w.x\" does not support dry run"),
            ErrorCode::kKubeNoDryRun},
           {500,
            StatusJson(500, "InternalError",
                       "Internal error occurred: failed calling webhook \"w.x\": EOF"),
            ErrorCode::kKubeRefused},
           {500, StatusJson(500, "InternalError", "etcdserver: request timed out"),
            ErrorCode::kKubeDown},
           {404, StatusJson(404, "NotFound", "pods \"p\" not found"), ErrorCode::kKubeGone},
           {409, StatusJson(409, "Conflict", "the object has been modified"),
            ErrorCode::kKubeConflict},
           {422, StatusJson(422, "Invalid", "image: Required value"), ErrorCode::kKubeRefused},
           {422, StatusJson(422, "Invalid", "metadata.uid: Invalid value: field is immutable"),
            ErrorCode::kKubeConflict},
           {429, StatusJson(429, "TooManyRequests", "later"), ErrorCode::kKubeDown},
           {502, "dial tcp 10.0.0.1:6443: connect: connection refused", ErrorCode::kKubeDown},
           {500, "getting credentials: exec: exit code 255", ErrorCode::kKubeDenied},
           {502, "tls: failed to verify certificate: x509: unknown authority",
            ErrorCode::kKubeConfig},
           {400, StatusJson(400, "BadRequest", "unknown"), ErrorCode::kKubeFailed}}) {
    const Error error = KubeError("patch deployments/p", status, body);
    EXPECT_EQ(error.code, code) << status << " " << body;
    EXPECT_TRUE(error.message.starts_with("patch deployments/p: ")) << error.message;
  }
  EXPECT_EQ(KubeError("list pods", 503, "").message, "list pods: HTTP status 503");
}

}  // namespace
}  // namespace mu::adapters
