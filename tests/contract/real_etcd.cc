// SPDX-License-Identifier: Apache-2.0
#include "contract/real_etcd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "adapters/process_runner.h"
#include "adapters/system_clock.h"
#include "milvus_upgrade/base/text.h"

namespace mu::contract {
namespace {

// The folder of etcd and etcdctl. That of 3.5.1 is fetched by the ground when it is not cached.
std::string ProgramsOf(EtcdRelease release) {
  if (release == EtcdRelease::k34) return "/usr/bin";
  static const std::string root =
      std::string(Trim(Output({"bash", MU_SOURCE_DIR "/tests/ground/ground", "images", "--root",
                               "ground.local/coreos/etcd:v3.5.1"})));
  return root + "/usr/local/bin";
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  path_ = (std::filesystem::temp_directory_path() / "mu-etcd-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string VersionOf(EtcdRelease release) {
  return release == EtcdRelease::k34 ? "3.4.23" : "3.5.1";
}

int FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

std::string Output(std::vector<std::string> argv) {
  ports::Command command;
  command.argv = std::move(argv);
  command.environment["ETCDCTL_API"] = "3";  // etcdctl 3.4 of Debian speaks v3; older ones do not
  command.timeout = Millis(300'000);
  adapters::ProcessRunner runner;
  const auto result = runner.Run(command);
  if (!result) throw std::runtime_error(result.error().Text());
  if (result->exit_code != 0)
    throw std::runtime_error(ShellLine(command.argv) + ": " + result->err);
  return result->out;
}

RealEtcd::RealEtcd(EtcdRelease release, RealEtcdOptions options)
    : release_(release), options_(std::move(options)) {
  if (options_.client_port == 0) options_.client_port = FreePort();
  if (options_.peer_port == 0) options_.peer_port = FreePort();
}

RealEtcd::~RealEtcd() { Kill(); }

std::string RealEtcd::Endpoint() const {
  return fmt::format("{}://127.0.0.1:{}", options_.is_tls ? "https" : "http", options_.client_port);
}

std::string RealEtcd::Peer() const {
  return fmt::format("http://127.0.0.1:{}", options_.peer_port);
}

std::string RealEtcd::InitialCluster() const {
  return options_.initial_cluster.empty() ? options_.name + "=" + Peer() : options_.initial_cluster;
}

void RealEtcd::Restore(const std::string& snapshot) const {
  Output({ProgramsOf(release_) + "/etcdctl", "snapshot", "restore", snapshot, "--name",
          options_.name, "--initial-cluster", InitialCluster(), "--initial-advertise-peer-urls",
          Peer(), "--data-dir", folder_.Path() + "/data"});
}

void RealEtcd::Start() {
  std::vector<std::string> argv = {"setpriv",
                                   "--pdeathsig",
                                   "KILL",
                                   ProgramsOf(release_) + "/etcd",
                                   "--name",
                                   options_.name,
                                   "--data-dir",
                                   folder_.Path() + "/data",
                                   "--listen-client-urls",
                                   Endpoint(),
                                   "--advertise-client-urls",
                                   Endpoint(),
                                   "--listen-peer-urls",
                                   Peer(),
                                   "--initial-advertise-peer-urls",
                                   Peer(),
                                   "--initial-cluster",
                                   InitialCluster()};
  argv.insert(argv.end(), options_.flags.begin(), options_.flags.end());
  std::vector<char*> pointers;
  for (std::string& word : argv) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  const std::string log = folder_.Path() + "/log";
  for (const int stream : {1, 2})
    ::posix_spawn_file_actions_addopen(&actions, stream, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                       0600);
  const int error = ::posix_spawnp(&pid_, "setpriv", &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("setpriv cannot be started");
}

void RealEtcd::Pause() {
  ::kill(pid_, SIGSTOP);
  ::waitpid(pid_, nullptr, WUNTRACED);  // until the last of its threads stands still
}
void RealEtcd::Continue() { ::kill(pid_, SIGCONT); }
void RealEtcd::Kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

std::string RealEtcd::Etcdctl(std::vector<std::string> arguments) const {
  std::vector<std::string> argv = {ProgramsOf(release_) + "/etcdctl", "--endpoints", Endpoint()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return Output(std::move(argv));
}

void WaitUntilItAnswers(ports::EtcdClient& client) {
  adapters::SystemClock clock;
  std::string why;
  for (const Millis end = clock.Monotonic() + Millis(60'000); clock.Monotonic() < end;
       clock.Sleep(Millis(50))) {
    // Not Observe: a member without a leader answers that.
    ports::PageQuery query;
    query.start = "nobody";
    const auto page = client.GetPage(query);
    if (page || page.error().code != ErrorCode::kEtcdUnreachable) return;
    why = page.error().Text();
  }
  throw std::runtime_error("etcd does not come up: " + why +
                           " (is it installed? tests/ground/install ground)");
}

std::unique_ptr<ports::EtcdClient> GatewayTo(adapters::GatewayOptions options) {
  auto client = adapters::MakeEtcdGateway(options);
  if (!client) throw std::runtime_error(client.error().Text());
  return std::move(*client);
}

std::unique_ptr<RealEtcd> StartedEtcd(EtcdRelease release, std::vector<std::string> flags) {
  RealEtcdOptions options;
  options.flags = std::move(flags);
  auto etcd = std::make_unique<RealEtcd>(release, options);
  etcd->Start();
  adapters::GatewayOptions gateway;
  gateway.endpoints = {etcd->Endpoint()};
  WaitUntilItAnswers(*GatewayTo(gateway));
  return etcd;
}

}  // namespace mu::contract
