// SPDX-License-Identifier: Apache-2.0
// The cluster that the contract of ports::Kube is asked of: the fake always, a real API where there
// is one (MU_GROUND_KUBECONFIG, tests/ground/ground kube env). It makes what the port cannot make,
// in a namespace of its own, and removes all that it made.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fakes/fake_cluster.h"
#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/ports/kube.h"

namespace mu::contract {

class ClusterUnderTest {
 public:
  virtual ~ClusterUnderTest() = default;
  virtual ports::Kube& Kube() = 0;
  virtual ports::Clock& Clock() = 0;
  // Pods come ready within a second; those of a tag with a flaw as the fake's do.
  virtual void Add(const fakes::FakeWorkload& workload) = 0;
};

struct ClusterRow {
  std::string name;
  // The reason why it cannot be had, or "" and the cluster.
  std::function<std::string(std::unique_ptr<ClusterUnderTest>*)> make;
};
std::vector<ClusterRow> Clusters();

}  // namespace mu::contract
