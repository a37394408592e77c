// SPDX-License-Identifier: Apache-2.0
// The ports of the product as windows on one FakeWorld. They hold nothing of their own. Which
// answers they owe is written once, in tests/contract, and asked of the real adapters as well.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fakes/fake_world.h"
#include "milvus_upgrade/ports/compose.h"
#include "milvus_upgrade/ports/docker.h"
#include "milvus_upgrade/ports/etcd.h"
#include "milvus_upgrade/ports/etcd_client.h"
#include "milvus_upgrade/ports/http.h"

namespace mu::fakes {

class FakeDocker : public ports::Docker {
 public:
  explicit FakeDocker(FakeWorld& world) : world_(world) {}
  Result<model::Engine> Info() override;
  Result<std::vector<std::string>> List(const std::vector<std::string>& labels) override;
  Result<std::vector<std::optional<model::Container>>> Inspect(
      const std::vector<std::string>& names) override;
  Result<std::optional<model::Image>> InspectImage(const std::string& reference) override;
  Status Pull(const std::string& reference) override;
  Status FindInRegistry(const std::string& reference) override;
  Status Stop(const std::vector<std::string>& names, Millis grace) override;
  Status Start(const std::vector<std::string>& names) override;
  Status Remove(const std::string& name, bool is_forced) override;
  Status SetRestartPolicy(const std::vector<std::string>& names, const std::string& policy,
                          int max_retries) override;
  Result<std::string> Create(const std::string& name, const std::string& image,
                             const std::map<std::string, std::string>& labels) override;
  Result<std::string> CreateHelper(const ports::HelperSpec& spec) override;
  Status CopyIn(const std::string& name, const std::vector<ports::FileInside>& files) override;
  // Knows the programs echo and cat, and those that were copied in: their bytes are what they
  // print.
  Result<ports::ExecResult> RunHelper(const std::string& name,
                                      const std::function<void(std::string_view)>& on_line,
                                      const std::function<bool()>& wants_end) override;
  Result<std::string> CreateJob(const ports::JobSpec& spec) override;
  // By FakeWorld::job_programs.
  Result<int> RunJob(const std::string& name, const std::function<void(std::string_view)>& on_line,
                     const std::function<bool()>& wants_kill) override;
  Status Kill(const std::string& name) override;
  Status CreateNetwork(const std::string& name,
                       const std::map<std::string, std::string>& labels) override;
  Status RemoveNetwork(const std::string& name) override;
  Result<std::vector<std::string>> ListNetworks(const std::vector<std::string>& labels) override;
  Status CopyFileIn(const std::string& name, const std::string& file,
                    const std::string& path_inside) override;
  Result<ports::ExecResult> Exec(const std::string& name, const std::vector<std::string>& argv,
                                 const std::map<std::string, std::string>& environment,
                                 Millis timeout) override;
  Result<ports::ExecResult> ExecWithInput(const std::string& name,
                                          const std::vector<std::string>& argv,
                                          const std::map<std::string, std::string>& environment,
                                          const std::string& input, Millis timeout) override;
  Result<std::string> Logs(const std::string& name, int lines) override;
  Status CopyOut(const std::string& name, const std::string& path_inside,
                 const std::string& tar_file) override;
  Result<std::string> ReadFile(const std::string& name, const std::string& path_inside) override;

 private:
  Status CheckEngine() const;
  Result<FakeContainer*> Need(const std::string& name);
  std::optional<int> RunOwn(const FakeContainer& container, const FakeJob& job);
  FakeWorld& world_;
};

// Reads the files of the world with yaml-cpp: image, command, environment, ports, volumes and so on
// of services, `${VAR}` and `.env`, several -f files, merge keys. `extends` and `include` are not
// read. `up` goes the way of Compose v2 (measured): the new container is created under another
// name, the old stopped and removed, the new renamed and started; each is an effect point, and what
// a cut leaves is adopted by the next `up` under its wrong name.
class FakeCompose : public ports::Compose {
 public:
  explicit FakeCompose(FakeWorld& world) : world_(world) {}
  Result<std::string> Version(model::ComposeGeneration generation) override;
  Result<model::ComposeProject> Config(model::ComposeGeneration generation,
                                       const model::ComposeSelectors& selectors,
                                       ports::ComposeEnvironment environment) override;
  Status Up(model::ComposeGeneration generation, const model::ComposeSelectors& selectors,
            const std::vector<std::string>& services) override;
  // For tests: creates and starts the whole project, outside of any effect point.
  Status Bring(model::ComposeGeneration generation, const model::ComposeSelectors& selectors);
  void SetInstalled(model::ComposeGeneration generation, bool is_installed) {
    is_missing_[generation] = !is_installed;
  }

 private:
  ContainerSpec SpecOf(model::ComposeGeneration generation, const model::ComposeProject& project,
                       const model::ComposeService& service) const;
  Status UpOne(const ContainerSpec& spec);
  FakeWorld& world_;
  std::map<model::ComposeGeneration, bool> is_missing_;
};

class FakeEtcd : public ports::Etcd {
 public:
  explicit FakeEtcd(FakeWorld& world) : world_(world) {}
  Result<model::EtcdStatus> Observe(const std::string& container) override;
  Result<model::KeyRange> GetPrefix(const std::string& container, const std::string& prefix,
                                    ports::KeysOnly keys_only, std::int64_t revision) override;
  Result<std::vector<model::Lease>> ReadLeases(const std::string& container,
                                               const std::vector<std::int64_t>& leases) override;
  Status RevokeLeases(const std::string& container,
                      const std::vector<std::int64_t>& leases) override;
  Result<Snapshot> SaveSnapshot(const std::string& container, const std::string& file) override;

 private:
  Status Reach(const std::string& container) const;
  FakeWorld& world_;
};

// Clients of the etcds in the world's containers. What changes etcd is an effect point: "etcd
// commit", "etcd grant", "etcd revoke".
class FakeEtcdClients : public ports::EtcdClients {
 public:
  explicit FakeEtcdClients(FakeWorld& world) : world_(world) {}
  Result<std::unique_ptr<ports::EtcdClient>> Of(const std::string& container) override;

 private:
  FakeWorld& world_;
};

// Answers for the published ports of running containers: /healthz, and /metrics (with
// milvus_build_info from 2.5 on).
class FakeHttp : public ports::Http {
 public:
  explicit FakeHttp(FakeWorld& world) : world_(world) {}
  Result<ports::HttpAnswer> Get(const std::string& url, Millis timeout) override;

 private:
  FakeWorld& world_;
};

}  // namespace mu::fakes
