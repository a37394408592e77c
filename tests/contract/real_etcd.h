// SPDX-License-Identifier: Apache-2.0
// RealEtcd: an etcd of this test, a process on 127.0.0.1 with its data in a temporary folder. It
// can be paused, killed and started again, and is gone with the test, however that ends. Made of
// what tests/ground installs: Debian's etcd 3.4, and the 3.5.1 of the ground's image.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/etcd_gateway.h"

namespace mu::contract {

enum class EtcdRelease { k34, k35 };

// A folder that goes with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& Path() const { return path_; }

 private:
  std::string path_;
};

struct RealEtcdOptions {
  std::string name = "default";
  std::vector<std::string> flags = {};
  bool is_tls = false;  // the flags then name the certificates
  int client_port = 0;  // 0: a free one
  int peer_port = 0;
  std::string initial_cluster = {};  // "": itself alone
};

// All of these throw std::runtime_error when the world does not obey.
class RealEtcd {
 public:
  RealEtcd(EtcdRelease release, RealEtcdOptions options = {});
  ~RealEtcd();
  RealEtcd(const RealEtcd&) = delete;
  RealEtcd& operator=(const RealEtcd&) = delete;

  // Before its first start: its data from a snapshot (etcdctl snapshot save).
  void Restore(const std::string& snapshot) const;
  void Start();  // returns at once; WaitUntilItAnswers
  void Pause();
  void Continue();
  void Kill();
  std::string Endpoint() const;  // http://127.0.0.1:port
  // What etcdctl of the same release prints.
  std::string Etcdctl(std::vector<std::string> arguments) const;

 private:
  std::string Peer() const;
  std::string InitialCluster() const;
  EtcdRelease release_;
  RealEtcdOptions options_;
  TemporaryFolder folder_;
  int pid_ = 0;
};

std::string VersionOf(EtcdRelease release);
int FreePort();
// Runs a program to its end and gives back what it printed.
std::string Output(std::vector<std::string> argv);
void WaitUntilItAnswers(ports::EtcdClient& client);
std::unique_ptr<ports::EtcdClient> GatewayTo(adapters::GatewayOptions options);
// Alone, plain, answering.
std::unique_ptr<RealEtcd> StartedEtcd(EtcdRelease release, std::vector<std::string> flags = {});

}  // namespace mu::contract
