// SPDX-License-Identifier: Apache-2.0
// KubeProxy and KubeApi over a kubectl that answers what it is told to. What a real API does is
// asked in tests/contract.
#include "adapters/kube_api.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json.hpp>
#include <filesystem>
#include <thread>

#include "adapters/system_clock.h"
#include "unit/adapters/scratch.h"

namespace mu::adapters {
namespace {

using model::KubeKind;
using test::Slurp;
using test::Spill;

constexpr char kDeployments[] = "/apis/apps/v1/namespaces/milvus/deployments";

json::object DeploymentJson(const std::string& name, int version, int replicas = 1) {
  return {{"metadata",
           {{"name", name}, {"uid", "u-" + name}, {"resourceVersion", std::to_string(version)}}},
          {"spec", {{"replicas", replicas}, {"template", {{"spec", json::object()}}}}}};
}

json::object ListJson(const std::string& version, json::array items, const std::string& next = "") {
  return {{"kind", "DeploymentList"},
          {"metadata", {{"resourceVersion", version}, {"continue", next}}},
          {"items", std::move(items)}};
}

json::object EventJson(const std::string& type, json::object object) {
  return {{"type", type}, {"object", std::move(object)}};
}

class KubeApiTest : public ::testing::Test {
 protected:
  KubeApiTest() {
    std::filesystem::create_directory(scratch.Path("run"));
    std::filesystem::copy(std::string(MU_SOURCE_DIR) + "/tests/unit/adapters/fake_kubectl",
                          scratch.Path("bin/kubectl"));
    ::setenv("FAKE_KUBE", scratch.Path("").c_str(), 1);
    Answer({});
  }
  void Answer(const json::array& answers) const {
    Spill(scratch.Path("answers.json"), json::serialize(answers));
  }
  std::string Requests() const { return Slurp(scratch.Path("requests")); }
  int Count(const std::string& part) const {
    const std::string all = Requests();
    int count = 0;
    for (auto at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) ++count;
    return count;
  }
  // Looks again and again, as a gate does.
  template <class F>
  bool Sees(ports::KubeView& view, F is_so) {
    for (int i = 0; i < 500; ++i) {
      const auto objects = view.Now();
      if (objects && is_so(**objects)) return true;
      clock.Sleep(Millis(10));
    }
    return false;
  }
  pid_t ProxyPid() const {
    const std::string calls = Slurp(scratch.Path("calls"));
    return std::stoi(calls.substr(calls.rfind("pid=") + 4));
  }

  test::Scratch scratch;
  SystemClock clock;
  KubeProxy proxy{{"prod", "/etc/kube.config", "milvus", scratch.Path("run")}, clock};
  std::vector<ports::CommandRecord> records;
  KubeApi api{proxy, model::KubeCluster{"kind", "https://10.0.0.1:6443", "milvus", ""}, clock,
              [this](const ports::CommandRecord& record) { records.push_back(record); }};
};

TEST_F(KubeApiTest, TellsWhichClusterItIs) {
  Answer({{{"path", "/version"}, {"body", {{"gitVersion", "v1.33.13"}}}}});
  const auto cluster = api.Cluster();
  ASSERT_TRUE(cluster) << cluster.error().Text();
  EXPECT_EQ(*cluster, (model::KubeCluster{"kind", "https://10.0.0.1:6443", "milvus", "v1.33.13"}));
  const std::string calls = Slurp(scratch.Path("calls"));
  EXPECT_NE(calls.find("--context=prod proxy --unix-socket=" + scratch.Path("run/milvus-upgrade-")),
            std::string::npos)
      << calls;
  EXPECT_TRUE(Requests().starts_with("GET /version localhost")) << Requests();
}

TEST_F(KubeApiTest, KeepsItsSocketWhereOnlyWeMayGoAndLeavesNothing) {
  std::filesystem::create_directory(scratch.Path("run/milvus-upgrade-orphan"));
  Spill(scratch.Path("run/milvus-upgrade-orphan/api"), "");
  std::filesystem::create_directory(scratch.Path("run/of-someone"));
  pid_t pid = 0;
  {
    KubeProxy mine({"", "", "milvus", scratch.Path("run")}, clock);
    const auto socket = mine.Socket();
    ASSERT_TRUE(socket) << socket.error().Text();
    struct stat facts {};
    ASSERT_EQ(::stat(socket->substr(0, socket->rfind('/')).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0700U);
    EXPECT_FALSE(std::filesystem::exists(scratch.Path("run/milvus-upgrade-orphan")));
    KubeProxy second({"", "", "milvus", scratch.Path("run")}, clock);
    ASSERT_TRUE(second.Socket());
    EXPECT_EQ(*mine.Socket(), *socket) << "a second one took it for an orphan";
    pid = ProxyPid();
  }
  EXPECT_EQ(::kill(pid, 0), -1) << "the proxy is still there";
  std::vector<std::string> left;
  for (const auto& one : std::filesystem::directory_iterator(scratch.Path("run")))
    left.push_back(one.path().filename());
  EXPECT_EQ(left, std::vector<std::string>{"of-someone"});
}

TEST_F(KubeApiTest, SaysWhyTheProxyDoesNotComeUp) {
  Spill(scratch.Path("refusal"), "error: context \"prod\" does not exist\n");
  const auto refused = api.List({KubeKind::kPod}, "");
  EXPECT_EQ(refused.error().code, ErrorCode::kKubeConfig);
  EXPECT_NE(refused.error().message.find("context \"prod\" does not exist"), std::string::npos);
  scratch.OnlyOurPrograms();
  std::filesystem::remove(scratch.Path("bin/kubectl"));
  EXPECT_EQ(api.List({KubeKind::kPod}, "").error().code, ErrorCode::kKubectlMissing);
}

TEST_F(KubeApiTest, ListsPageAfterPage) {
  Answer({{{"path", kDeployments}, {"body", ListJson("7", {DeploymentJson("b", 5)}, "next/page")}},
          {{"path", kDeployments}, {"body", ListJson("7", {DeploymentJson("a", 6)})}}});
  const auto listed = api.List({KubeKind::kDeployment}, "a=b,c in (d,e)");
  ASSERT_TRUE(listed) << listed.error().Text();
  ASSERT_EQ(listed->deployments.size(), 2U);
  EXPECT_EQ(listed->deployments[0].meta.name, "a");
  EXPECT_NE(Requests().find("labelSelector=a%3Db%2Cc%20in%20%28d%2Ce%29&limit=500"),
            std::string::npos)
      << Requests();
  EXPECT_NE(Requests().find("continue=next%2Fpage"), std::string::npos);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].argv[0], "kube-api");
  EXPECT_EQ(records[0].argv[1], "GET");
  EXPECT_EQ(records[0].exit_code, 0);
}

TEST_F(KubeApiTest, AsksAgainWhenItIsToldToComeLater) {
  Answer({{{"path", kDeployments}, {"status", 429}, {"body", "slow down"}},
          {{"path", kDeployments}, {"body", ListJson("7", {})}}});
  EXPECT_TRUE(api.List({KubeKind::kDeployment}, ""));
  Answer({{{"path", kDeployments}, {"status", 502}, {"body", "connection refused"}}});
  const auto away = api.List({KubeKind::kDeployment}, "");
  EXPECT_EQ(away.error().code, ErrorCode::kKubeDown);
  EXPECT_EQ(away.error().message, "list deployments: connection refused");
}

TEST_F(KubeApiTest, StartsTheProxyAnewWhenItHasDied) {
  Answer({{{"path", kDeployments}, {"body", ListJson("7", {})}}});
  ASSERT_TRUE(api.List({KubeKind::kDeployment}, ""));
  const pid_t first = ProxyPid();
  ::kill(first, SIGKILL);
  ASSERT_TRUE(api.List({KubeKind::kDeployment}, ""));
  EXPECT_NE(ProxyPid(), first);
}

TEST_F(KubeApiTest, AReadIsAskedOnceMoreAndAWriteNever) {
  Answer({{{"path", kDeployments}, {"dies", true}},
          {{"path", kDeployments}, {"body", ListJson("7", {})}},
          {{"path", kDeployments}, {"method", "PATCH"}, {"dies", true}},
          {{"path", kDeployments}, {"method", "PATCH"}, {"body", DeploymentJson("a", 9)}}});
  // The file is read anew by the second proxy: the first answer was taken out of it.
  EXPECT_TRUE(api.List({KubeKind::kDeployment}, ""));
  ports::DeploymentPatch patch;
  patch.name = "a";
  EXPECT_EQ(api.Patch(patch, ports::DryRun::kNo).error().code, ErrorCode::kKubeDown);
  EXPECT_EQ(Count("PATCH "), 1);
}

TEST_F(KubeApiTest, AViewFollowsWithoutARequestALook) {
  Answer(
      {{{"path", kDeployments}, {"body", ListJson("7", {DeploymentJson("a", 5)})}},
       {{"path", kDeployments},
        {"lines", json::array{EventJson("MODIFIED", DeploymentJson("a", 8, 3)),
                              EventJson("ADDED", DeploymentJson("b", 9)),
                              EventJson("DELETED", DeploymentJson("b", 10)),
                              EventJson("ADDED", DeploymentJson("c", 11)),
                              EventJson("BOOKMARK", {{"metadata", {{"resourceVersion", "20"}}}})}},
        {"stays", true}}});
  const auto view = api.Follow({KubeKind::kDeployment}, "x=y");
  EXPECT_TRUE(Sees(*view, [](const model::KubeObjects& objects) {
    return objects.deployments.size() == 2 && objects.deployments[0].replicas == 3 &&
           objects.deployments[1].meta.name == "c";
  }));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(view->Now());
  EXPECT_EQ(records.size(), 2U) << "one list and one watch";
  EXPECT_NE(Requests().find("watch=true&allowWatchBookmarks=true&resourceVersion=7"),
            std::string::npos)
      << Requests();
}

TEST_F(KubeApiTest, AViewGoesOnWhereAWatchEndedAndListsWhereThatIsTooOld) {
  Answer({{{"path", kDeployments}, {"body", ListJson("7", {DeploymentJson("a", 5)})}},
          {{"path", kDeployments}, {"body", ListJson("30", {DeploymentJson("b", 30)})}},
          {{"path", kDeployments},
           {"lines", json::array{EventJson("MODIFIED", DeploymentJson("a", 8, 3))}}},
          {{"path", kDeployments},
           {"lines", json::array{EventJson("ERROR", {{"kind", "Status"}, {"code", 410}})}}},
          {{"path", kDeployments}, {"lines", json::array()}, {"stays", true}}});
  const auto view = api.Follow({KubeKind::kDeployment}, "");
  EXPECT_TRUE(Sees(*view, [](const model::KubeObjects& objects) {
    return objects.deployments.size() == 1 && objects.deployments[0].meta.name == "b";
  })) << Requests();
  EXPECT_NE(Requests().find("resourceVersion=8"), std::string::npos) << Requests();
  EXPECT_NE(Requests().find("resourceVersion=30"), std::string::npos) << Requests();
}

TEST_F(KubeApiTest, AViewSaysThatTheApiIsAwayAndComesBack) {
  Answer({{{"path", kDeployments}, {"status", 502}, {"body", "connection refused"}}});
  const auto view = api.Follow({KubeKind::kDeployment}, "");
  EXPECT_EQ(view->Now().error().code, ErrorCode::kKubeDown);
  Answer({{{"path", kDeployments}, {"body", ListJson("7", {})}},
          {{"path", kDeployments}, {"status", 500}, {"lines", json::array()}},
          {{"path", kDeployments}, {"lines", json::array()}, {"stays", true}}});
  EXPECT_EQ(view->Now().error().code, ErrorCode::kKubeDown);
  EXPECT_TRUE(view->Now());
}

TEST_F(KubeApiTest, AViewKnowsWhatOurOwnPatchDid) {
  Answer({{{"path", kDeployments}, {"body", ListJson("7", {DeploymentJson("a", 5)})}},
          {{"path", kDeployments},
           {"lines", json::array{EventJson("MODIFIED", DeploymentJson("a", 6, 2))}},
           {"stays", true}},
          {{"path", kDeployments}, {"method", "PATCH"}, {"body", DeploymentJson("a", 9, 4)}}});
  const auto view = api.Follow({KubeKind::kDeployment}, "");
  ASSERT_TRUE(view->Now());
  ports::DeploymentPatch patch;
  patch.name = "a";
  patch.uid = "u-a";
  patch.resource_version = "5";
  patch.images = {{"proxy", "milvusdb/milvus:v2.2.4"}};
  ASSERT_TRUE(api.Patch(patch, ports::DryRun::kNo));
  EXPECT_EQ((*view->Now())->deployments[0].replicas, 4) << "an older event must not undo it";
  EXPECT_NE(Requests().find("PATCH " + std::string(kDeployments) +
                            "/a?fieldManager=milvus-upgrade localhost"),
            std::string::npos)
      << Requests();
}

TEST_F(KubeApiTest, AsksForEachRightThatTheRulesDoNotGrant) {
  constexpr char kReviews[] = "/apis/authorization.k8s.io/v1/selfsubject";
  const json::object rules = {
      {"status",
       {{"resourceRules", json::array{json::object{{"verbs", json::array{"get", "list"}},
                                                   {"apiGroups", json::array{"apps"}},
                                                   {"resources", json::array{"*"}}},
                                      json::object{{"verbs", json::array{"*"}},
                                                   {"apiGroups", json::array{"*"}},
                                                   {"resources", json::array{"configmaps"}},
                                                   {"resourceNames", json::array{"one"}}}}}}}};
  Answer({{{"path", std::string(kReviews) + "rulesreviews"}, {"method", "POST"}, {"body", rules}},
          {{"path", std::string(kReviews) + "accessreviews"},
           {"method", "POST"},
           {"body", {{"status", {{"allowed", true}}}}}},
          {{"path", std::string(kReviews) + "accessreviews"},
           {"method", "POST"},
           {"body", {{"status", {{"allowed", false}}}}}}});
  const auto lacking = api.Lacking(
      {{"list", "apps", "deployments"}, {"patch", "apps", "deployments"}, {"get", "", "pods/log"}});
  ASSERT_TRUE(lacking) << lacking.error().Text();
  EXPECT_EQ(*lacking, (std::vector<model::KubeRight>{{"get", "", "pods/log"}}));
  EXPECT_NE(Requests().find("\"subresource\":\"log\""), std::string::npos);
  EXPECT_EQ(records.size(), 3U);
}

}  // namespace
}  // namespace mu::adapters
