// SPDX-License-Identifier: Apache-2.0
// The engine that a contract is asked of: the fake world always, a real one where there is one
// (MU_GROUND_DOCKER_HOST, or DOCKER_HOST with MU_CONTRACT_REAL=1, so that nobody's own engine is
// used by accident). It makes what a port cannot make, and removes all that it made.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/ports/compose.h"
#include "milvus_upgrade/ports/docker.h"
#include "milvus_upgrade/ports/etcd.h"
#include "milvus_upgrade/ports/etcd_client.h"
#include "milvus_upgrade/ports/files.h"
#include "milvus_upgrade/ports/http.h"

namespace mu::contract {

// Both the fake and the real engine have it: busybox, etcd and etcdctl (tests/ground/images/etcd).
inline constexpr char kImage[] = "ground.local/coreos/etcd:v3.5.1";
inline constexpr char kStubbornImage[] = "ground.local/mu-contract/stubborn:1";

struct Make {
  std::string name;
  bool is_stubborn = false;  // ignores SIGTERM; otherwise it ends with 0 on it
  bool is_etcd = false;
  int host_port = 0;  // published from 127.0.0.1
  std::string restart = "no";
  std::vector<std::string> labels = {};  // "name=value"
  std::vector<std::string> etcd_flags = {};
};

class EngineUnderTest {
 public:
  virtual ~EngineUnderTest() = default;
  virtual ports::Docker& Docker() = 0;
  virtual ports::Compose& Compose() = 0;
  virtual ports::Etcd& Etcd() = 0;
  virtual ports::EtcdClients& EtcdClients() = 0;
  virtual ports::Files& Files() = 0;
  virtual ports::Clock& Clock() = 0;
  virtual bool TakesThreads() = 0;                        // may be called from several at once
  virtual std::string Folder() = 0;                       // for files of the test, exists
  virtual std::string Name(const std::string& name) = 0;  // unique on this engine
  virtual int FreePort() = 0;
  // Creates it, does not start it.
  virtual void Create(const Make& make) = 0;
  virtual void Rename(const std::string& container, const std::string& name) = 0;
  virtual void RemoveNetwork(const std::string& name) = 0;
  // Of the environment that Compose is started in.
  virtual void SetVariable(const std::string& name, const std::string& value) = 0;
  // etcd's own writes, outside of the port.
  virtual void Put(const std::string& container, const std::string& key, const std::string& value,
                   std::int64_t lease = 0) = 0;
  virtual std::int64_t Grant(const std::string& container, int ttl_seconds) = 0;
  virtual void Compact(const std::string& container, std::int64_t revision) = 0;
};

struct EngineRow {
  std::string name;
  // The reason why it cannot be had, or "" and the engine.
  std::function<std::string(std::unique_ptr<EngineUnderTest>*)> make;
};
std::vector<EngineRow> Engines();

}  // namespace mu::contract
