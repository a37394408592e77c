// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "contract/engines.h"
#include "fakes/fake_ports.h"
#include "fakes/unsynced_files.h"

namespace mu::contract {
namespace {

class FakeEngine : public EngineUnderTest {
 public:
  FakeEngine() {
    world_.AddImage(kImage, fakes::Program::kEtcd);
    world_.AddImage(kStubbornImage, fakes::Program::kOther, "", fakes::Flaw::kStubborn);
    (void)files_.MakeFolders(Folder(), 0700);
  }
  ports::Docker& Docker() override { return docker_; }
  ports::Compose& Compose() override { return compose_; }
  ports::Etcd& Etcd() override { return etcd_; }
  ports::EtcdClients& EtcdClients() override { return etcd_clients_; }
  ports::Files& Files() override { return files_; }
  ports::Clock& Clock() override { return clock_; }
  bool TakesThreads() override { return false; }
  std::string Folder() override { return "/contract"; }
  std::string Name(const std::string& name) override { return "contract-" + name; }
  int FreePort() override { return ++port_; }
  void SetVariable(const std::string& name, const std::string& value) override {
    world_.shell[name] = value;
  }

  void Rename(const std::string& container, const std::string& name) override {
    world_.Find(container)->facts.name = name;
  }
  void RemoveNetwork(const std::string&) override {}

  void Create(const Make& make) override {
    fakes::ContainerSpec spec;
    spec.name = make.name;
    spec.image = make.is_stubborn ? kStubbornImage : kImage;
    if (!make.is_etcd && !make.is_stubborn) spec.command = {"sleep", "infinity"};
    spec.networks = {"bridge"};
    spec.restart = make.restart;
    if (make.host_port != 0) spec.ports = {{"127.0.0.1", make.host_port, 80}};
    for (const std::string& label : make.labels)
      spec.labels[label.substr(0, label.find('='))] = label.substr(label.find('=') + 1);
    if (const auto id = world_.CreateContainer(spec); !id)
      throw std::runtime_error(id.error().Text());
  }

  void Put(const std::string&, const std::string& key, const std::string& value,
           std::int64_t lease) override {
    world_.Etcd().Put(key, value, lease);
  }
  std::int64_t Grant(const std::string&, int ttl_seconds) override {
    const std::int64_t id = world_.Etcd().Grant(ttl_seconds, clock_.Monotonic());
    world_.Etcd().Abandon(id, clock_.Monotonic());  // nobody renews it
    return id;
  }
  void Compact(const std::string&, std::int64_t revision) override {
    world_.Etcd().Compact(revision);
  }

 private:
  fakes::Fuse fuse_;
  fakes::HandClock clock_;
  fakes::UnsyncedFiles files_{fuse_};
  fakes::FakeWorld world_{fuse_, clock_, files_};
  fakes::FakeDocker docker_{world_};
  fakes::FakeCompose compose_{world_};
  fakes::FakeEtcd etcd_{world_};
  fakes::FakeEtcdClients etcd_clients_{world_};
  int port_ = 20'000;
};

}  // namespace

std::string MakeFakeEngine(std::unique_ptr<EngineUnderTest>* engine) {
  *engine = std::make_unique<FakeEngine>();
  return "";
}

}  // namespace mu::contract
