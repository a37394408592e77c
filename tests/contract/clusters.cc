// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>

#include "adapters/kube_api.h"
#include "adapters/kube_config.h"
#include "adapters/posix_files.h"
#include "adapters/system_clock.h"
#include "contract/cluster_under_test.h"

namespace mu::contract {
namespace {

class FakeUnderTest : public ClusterUnderTest {
 public:
  FakeUnderTest() { cluster_.ready_after = Millis(300); }
  ports::Kube& Kube() override { return kube_; }
  ports::Clock& Clock() override { return clock_; }
  void Add(const fakes::FakeWorkload& workload) override { cluster_.AddDeployment(workload); }

 private:
  fakes::Fuse fuse_;
  fakes::HandClock clock_;
  fakes::FakeCluster cluster_{fuse_, clock_};
  fakes::FakeKube kube_{cluster_};
};

class RealUnderTest : public ClusterUnderTest {
 public:
  explicit RealUnderTest(const std::string& kubeconfig)
      : access_{"", kubeconfig, NewNamespace(), ""} {
    Kubectl({"create", "namespace", access_.name_space}, "");
  }
  // Not waited for: the cluster's own controller empties it.
  ~RealUnderTest() override {
    (void)Try({"delete", "namespace", access_.name_space, "--wait=false"}, "");
  }
  RealUnderTest(const RealUnderTest&) = delete;
  RealUnderTest& operator=(const RealUnderTest&) = delete;
  ports::Kube& Kube() override { return api_; }
  ports::Clock& Clock() override { return clock_; }
  void Add(const fakes::FakeWorkload& workload) override {
    Kubectl({"apply", "--namespace", access_.name_space, "--filename", "-"},
            fakes::ManifestOf(workload));
  }

 private:
  static std::string NewNamespace() {
    static std::atomic<int> number = 0;
    return "mu-contract-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
  }
  Result<ports::CommandResult> Try(const std::vector<std::string>& words,
                                   const std::string& input) {
    ports::Command command;
    command.argv = adapters::KubectlWords(access_, words);
    command.standard_input = input;
    return runner_.Run(command);
  }
  void Kubectl(const std::vector<std::string>& words, const std::string& input) {
    const auto ran = Try(words, input);
    if (!ran) throw std::runtime_error(ran.error().Text());
    if (ran->exit_code != 0) throw std::runtime_error(ran->err);
  }

  adapters::KubeAccess access_;
  adapters::SystemClock clock_;
  adapters::ProcessRunner runner_;
  adapters::PosixFiles files_;
  adapters::KubeProxy proxy_{access_, clock_};
  adapters::KubeApi api_{proxy_, adapters::ReadKubeConfig(access_, {}, files_), clock_, nullptr};
};

}  // namespace

std::vector<ClusterRow> Clusters() {
  return {{"Fake",
           [](std::unique_ptr<ClusterUnderTest>* cluster) {
             *cluster = std::make_unique<FakeUnderTest>();
             return std::string();
           }},
          {"Real", [](std::unique_ptr<ClusterUnderTest>* cluster) {
             const char* kubeconfig = ::getenv("MU_GROUND_KUBECONFIG");
             if (kubeconfig == nullptr || *kubeconfig == '\0')
               return std::string(
                   "no control plane of the ground: set MU_GROUND_KUBECONFIG "
                   "(tests/ground/ground kube env)");
             *cluster = std::make_unique<RealUnderTest>(kubeconfig);
             return std::string();
           }}};
}

}  // namespace mu::contract
