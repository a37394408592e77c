// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "adapters/compose_cli.h"
#include "adapters/docker_cli.h"
#include "adapters/etcd_ways.h"
#include "adapters/etcdctl_cli.h"
#include "adapters/posix_files.h"
#include "adapters/process_runner.h"
#include "adapters/system_clock.h"
#include "contract/engines.h"
#include "contract/real_etcd.h"
#include "milvus_upgrade/base/text.h"

namespace mu::contract {
namespace {

constexpr char kMark[] = "mu-contract";
// PID 1 has no default action for SIGTERM: a program must ask for it.
constexpr char kPolite[] =
    "trap 'exit 0' TERM; echo starting; echo ready; while :; do sleep 0.05; done";
constexpr char kStubborn[] =
    "trap '' TERM; echo starting; echo ready; while :; do sleep 0.05; done";

class RealEngine : public EngineUnderTest {
 public:
  RealEngine() {
    std::string name = (std::filesystem::temp_directory_path() / "mu-contract-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~RealEngine() override {
    const auto ids = docker_.List({std::string(kMark) + "=" + folder_});
    for (const std::string& id : ids ? *ids : std::vector<std::string>{})
      (void)docker_.Remove(id, true);
    for (const std::string& name : variables_) ::unsetenv(name.c_str());
    std::filesystem::remove_all(folder_);
  }
  RealEngine(const RealEngine&) = delete;
  RealEngine& operator=(const RealEngine&) = delete;

  ports::Docker& Docker() override { return docker_; }
  ports::Compose& Compose() override { return compose_; }
  ports::Etcd& Etcd() override { return etcd_; }
  ports::EtcdClients& EtcdClients() override { return etcd_clients_; }
  ports::Files& Files() override { return files_; }
  ports::Clock& Clock() override { return clock_; }
  bool TakesThreads() override { return true; }
  std::string Folder() override { return folder_; }
  std::string Name(const std::string& name) override {
    return std::filesystem::path(folder_).filename().string() + "-" + name;
  }
  void SetVariable(const std::string& name, const std::string& value) override {
    ::setenv(name.c_str(), value.c_str(), 1);
    variables_.push_back(name);
  }

  void Rename(const std::string& container, const std::string& name) override {
    Run({"docker", "rename", container, name});
  }
  void RemoveNetwork(const std::string& name) override {
    ports::Command command;
    command.argv = {"docker", "network", "rm", name};
    (void)runner_.Run(command);  // it may never have been made
  }

  int FreePort() override { return contract::FreePort(); }

  void Create(const Make& make) override {
    std::vector<std::string> argv = {"docker",  "create",  "--name",
                                     make.name, "--label", std::string(kMark) + "=" + folder_};
    for (const std::string& label : make.labels) argv.insert(argv.end(), {"--label", label});
    argv.insert(argv.end(), {"--restart", make.restart});
    if (make.host_port != 0) {
      argv.insert(argv.end(), {"--publish", "127.0.0.1:" + std::to_string(make.host_port) + ":80"});
    }
    argv.emplace_back(kImage);
    if (make.is_etcd) {
      argv.insert(argv.end(),
                  {"etcd", "--data-dir", "/etcd", "--advertise-client-urls",
                   "http://127.0.0.1:2379", "--listen-client-urls", "http://0.0.0.0:2379"});
      argv.insert(argv.end(), make.etcd_flags.begin(), make.etcd_flags.end());
    } else {
      argv.insert(argv.end(), {"sh", "-c", make.is_stubborn ? kStubborn : kPolite});
    }
    Run(argv);
  }

  void Put(const std::string& container, const std::string& key, const std::string& value,
           std::int64_t lease) override {
    Run({"docker", "exec", "-i", container, "etcdctl", "put", "--lease=" + Hex(lease), "--", key},
        value.empty() ? "\n" : value);
  }
  std::int64_t Grant(const std::string& container, int ttl_seconds) override {
    const std::string out = Run(
        {"docker", "exec", container, "etcdctl", "lease", "grant", std::to_string(ttl_seconds)});
    const std::string id = Split(out, ' ').at(1);  // "lease 694d8c... granted with TTL(60s)"
    return std::stoll(id, nullptr, 16);
  }
  void Compact(const std::string& container, std::int64_t revision) override {
    Run({"docker", "exec", container, "etcdctl", "compact", std::to_string(revision)});
  }

 private:
  static std::string Hex(std::int64_t number) {
    char text[32];
    snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(number));
    return text;
  }
  std::string Run(std::vector<std::string> argv, std::string input = {}) {
    ports::Command command;
    command.argv = std::move(argv);
    command.standard_input = std::move(input);
    const auto result = runner_.Run(command);
    if (!result) throw std::runtime_error(result.error().Text());
    if (result->exit_code != 0)
      throw std::runtime_error(ShellLine(command.argv) + ": " + result->err);
    return result->out;
  }

  adapters::ProcessRunner runner_;
  adapters::DockerCli docker_{runner_};
  adapters::ComposeCli compose_{runner_};
  adapters::PosixFiles files_;
  adapters::SystemClock clock_;
  adapters::EtcdctlCli etcd_{docker_, files_};
  adapters::EtcdWays etcd_clients_{docker_, files_};
  std::string folder_;
  std::vector<std::string> variables_;
};

}  // namespace

std::string MakeRealEngine(std::unique_ptr<EngineUnderTest>* engine) {
  if (const char* host = ::getenv("MU_GROUND_DOCKER_HOST"); host != nullptr && *host != '\0') {
    ::setenv("DOCKER_HOST", host, 1);
  } else if (::getenv("DOCKER_HOST") == nullptr || ::getenv("MU_CONTRACT_REAL") == nullptr) {
    return "no engine of the ground: set MU_GROUND_DOCKER_HOST (tests/ground/ground env)";
  }
  auto real = std::make_unique<RealEngine>();
  const auto image = real->Docker().InspectImage(kImage);
  if (!image) return image.error().Text();
  if (!*image) return std::string(kImage) + " is not on the engine: tests/ground/ground images";
  *engine = std::move(real);
  return "";
}

std::vector<EngineRow> Engines() { return {{"Fake", MakeFakeEngine}, {"Real", MakeRealEngine}}; }

}  // namespace mu::contract
