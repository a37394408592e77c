// SPDX-License-Identifier: Apache-2.0
#include "adapters/kube_config.h"

#include <gtest/gtest.h>

#include "adapters/posix_files.h"
#include "unit/adapters/scratch.h"

namespace mu::adapters {
namespace {

constexpr char kTwo[] = R"(
apiVersion: v1
current-context: prod
contexts:
- name: prod
  context: {cluster: c-prod, user: u, namespace: other}
- name: dev
  context: {cluster: c-dev, user: u}
- name: torn
  context: {cluster: nowhere}
clusters:
- name: c-prod
  cluster: {server: "https://10.0.0.1:6443"}
- name: c-dev
  cluster: {server: "https://10.0.0.2:6443"}
)";
constexpr char kOther[] = R"(
current-context: dev
contexts:
- {name: dev, context: {cluster: c-dev}}
clusters:
- {name: c-dev, cluster: {server: "https://10.9.9.9:6443"}}
)";

class KubeConfigTest : public ::testing::Test {
 protected:
  KubeConfigTest() {
    test::Spill(scratch.Path("two"), kTwo);
    test::Spill(scratch.Path("other"), kOther);
  }
  std::string Read(const std::string& context, const std::string& kubeconfig,
                   const std::map<std::string, std::string>& environment) {
    const auto cluster = ReadKubeConfig({context, kubeconfig, "milvus", ""}, environment, files);
    if (!cluster) return cluster.error().message;
    EXPECT_EQ(cluster->name_space, "milvus");
    EXPECT_EQ(cluster->version, "");
    return cluster->context + " " + cluster->server;
  }

  test::Scratch scratch;
  PosixFiles files;
};

TEST_F(KubeConfigTest, TakesTheCurrentContextOrTheOneThatIsNamed) {
  const std::string two = scratch.Path("two");
  EXPECT_EQ(Read("", two, {}), "prod https://10.0.0.1:6443");
  EXPECT_EQ(Read("dev", two, {}), "dev https://10.0.0.2:6443");
  EXPECT_EQ(Read("prd", two, {}), "the kubeconfig has no context \"prd\"");
  EXPECT_NE(Read("torn", two, {}).find("no server for the cluster \"nowhere\""), std::string::npos);
}

TEST_F(KubeConfigTest, OfSeveralFilesTheFirstCounts) {
  const std::map<std::string, std::string> both = {
      {"KUBECONFIG",
       scratch.Path("missing") + ":" + scratch.Path("other") + "::" + scratch.Path("two")}};
  EXPECT_EQ(Read("", "", both), "dev https://10.9.9.9:6443");
  EXPECT_EQ(Read("prod", "", both), "prod https://10.0.0.1:6443");
  EXPECT_EQ(Read("", scratch.Path("two"), both), "prod https://10.0.0.1:6443") << "the flag wins";
}

TEST_F(KubeConfigTest, IsLookedForAtHomeAndThenInThePod) {
  std::filesystem::create_directories(scratch.Path("home/.kube"));
  test::Spill(scratch.Path("home/.kube/config"), kTwo);
  EXPECT_EQ(Read("", "", {{"HOME", scratch.Path("home")}}), "prod https://10.0.0.1:6443");
  EXPECT_EQ(Read("", "",
                 {{"HOME", "/nowhere"},
                  {"KUBERNETES_SERVICE_HOST", "10.96.0.1"},
                  {"KUBERNETES_SERVICE_PORT", "443"}}),
            " https://10.96.0.1:443");
}

TEST_F(KubeConfigTest, SaysWhatIsWrongWithIt) {
  EXPECT_NE(Read("", "", {{"HOME", "/nowhere"}}).find("/nowhere/.kube/config"), std::string::npos);
  EXPECT_NE(Read("", scratch.Path("missing"), {}).find("missing"), std::string::npos);
  test::Spill(scratch.Path("torn"), "contexts: [\n");
  EXPECT_NE(Read("", scratch.Path("torn"), {}).find("torn:"), std::string::npos);
  test::Spill(scratch.Path("list"), "- a\n");
  EXPECT_NE(Read("", scratch.Path("list"), {}).find("is no kubeconfig"), std::string::npos);
}

}  // namespace
}  // namespace mu::adapters
