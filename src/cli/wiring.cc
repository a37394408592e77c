// SPDX-License-Identifier: Apache-2.0
#include "cli/wiring.h"

#include <fmt/format.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "adapters/compose_cli.h"
#include "adapters/docker_cli.h"
#include "adapters/etcd_direct.h"
#include "adapters/etcd_gateway.h"
#include "adapters/etcd_ways.h"
#include "adapters/etcdctl_cli.h"
#include "adapters/etcdctl_client.h"
#include "adapters/http_client.h"
#include "adapters/kube_api.h"
#include "adapters/kube_config.h"
#include "adapters/kube_proxy.h"
#include "adapters/posix_files.h"
#include "adapters/process_runner.h"
#include "adapters/signals.h"
#include "adapters/system_clock.h"
#include "milvus_upgrade/base/log.h"
#include "milvus_upgrade/base/text.h"

namespace mu::cli {

struct Wiring::Parts {
  adapters::Signals signals;
  adapters::SystemClock clock{&signals};
  adapters::PosixFiles files;
  adapters::ProcessRunner bare_runner{&signals};
  ports::CommandLog log;
  adapters::RecordingRunner runner{bare_runner,
                                   [this](const ports::CommandRecord& record) { Tell(record); }};
  adapters::DockerCli docker{runner};
  adapters::DockerCli probe_docker{bare_runner};
  adapters::ComposeCli compose{runner};
  adapters::EtcdctlCli etcdctl{docker, files};
  adapters::EtcdDirect etcd{docker, etcdctl};
  adapters::EtcdWays etcd_clients{docker, files};
  adapters::HttpClient http;
  std::unique_ptr<adapters::KubeProxy> kube_proxy;
  std::unique_ptr<adapters::KubeApi> kube;
  std::unique_ptr<adapters::KubeApi> renewing_kube;
  std::map<std::string, std::string> environment;
  std::string working_directory;

  // Children and requests alike: to the debug log, and to whoever keeps records.
  void Tell(const ports::CommandRecord& record) const {
    LogDebug(fmt::format("{} -> {} in {}", ShellLine(record.argv),
                         record.failure.empty() ? std::to_string(record.exit_code) : record.failure,
                         FormatDuration(record.took)));
    if (log) log(record);
  }
};

Wiring::Wiring() : parts_(std::make_unique<Parts>()) {
  for (char** item = environ; *item != nullptr; ++item) {
    const std::string text = *item;
    const auto equals = text.find('=');
    if (equals != std::string::npos)
      parts_->environment[text.substr(0, equals)] = text.substr(equals + 1);
  }
  std::error_code ignored;
  parts_->working_directory = std::filesystem::current_path(ignored).string();
}

Wiring::~Wiring() = default;

observe::World Wiring::World() {
  return {parts_->docker,      parts_->compose,          parts_->etcd, parts_->files, parts_->http,
          parts_->environment, parts_->working_directory};
}

effects::EffectPorts Wiring::Effects() {
  return {parts_->docker, parts_->compose, parts_->etcd, parts_->etcd_clients, parts_->files,
          parts_->runner, parts_->clock,   parts_->http, parts_->kube.get()};
}

ports::Kube& Wiring::Kube(const plan::KubeTarget& at) {
  if (parts_->kube) return *parts_->kube;
  const auto runtime = parts_->environment.find("XDG_RUNTIME_DIR");
  const adapters::KubeAccess access{
      at.context, at.kubeconfig, at.name_space,
      runtime == parts_->environment.end() ? std::string() : runtime->second};
  const auto where = adapters::ReadKubeConfig(access, parts_->environment, parts_->files);
  parts_->kube_proxy = std::make_unique<adapters::KubeProxy>(access, parts_->clock);
  parts_->kube = std::make_unique<adapters::KubeApi>(
      *parts_->kube_proxy, where, parts_->clock,
      [this](const ports::CommandRecord& record) { parts_->Tell(record); });
  parts_->renewing_kube = std::make_unique<adapters::KubeApi>(*parts_->kube_proxy, where,
                                                              parts_->clock, ports::CommandLog());
  return *parts_->kube;
}

ports::Kube& Wiring::RenewingKube() { return *parts_->renewing_kube; }

ports::Files& Wiring::Files() { return parts_->files; }
ports::Docker& Wiring::Docker() { return parts_->docker; }
ports::Clock& Wiring::Clock() { return parts_->clock; }
ports::Interrupts& Wiring::Interrupts() { return parts_->signals; }
void Wiring::IgnoreSignals() { parts_->signals.Ignore(); }
ExitCode Wiring::InterruptedExit() {
  return parts_->signals.Signal() == SIGINT ? ExitCode::kInterrupted : ExitCode::kTerminated;
}
ports::Http& Wiring::Http() { return parts_->http; }
ports::EtcdClients& Wiring::EtcdClients() { return parts_->etcd_clients; }
ports::Runner& Wiring::ProbeRunner() { return parts_->bare_runner; }
Result<std::unique_ptr<ports::EtcdClient>> Wiring::EtcdOf(const config::MigrateYaml& yaml,
                                                          const std::string& container) {
  if (!container.empty()) {
    auto credentials = adapters::EtcdctlCredentials();
    if (!yaml.user.empty()) {
      credentials["ETCDCTL_USER"] = yaml.user;
      credentials["ETCDCTL_PASSWORD"] = yaml.password;
    }
    return std::make_unique<adapters::EtcdctlClient>(parts_->docker, parts_->files, container,
                                                     std::move(credentials));
  }
  adapters::GatewayOptions options;
  options.endpoints = yaml.endpoints;
  options.user = yaml.user;
  options.password = yaml.password;
  if (yaml.tls.is_enabled) {
    const auto path = [&](const std::string& name) {
      return name.empty() ? name : parts_->files.Absolute(name);
    };
    options.tls = adapters::HttpTls{path(yaml.tls.authority), path(yaml.tls.certificate),
                                    path(yaml.tls.key), yaml.tls.minimum_version, true};
  }
  return adapters::MakeEtcdGateway(options);
}

ports::Docker& Wiring::ProbeDocker() { return parts_->probe_docker; }

Result<std::string> Wiring::OwnProgram() {
  // The kernel gives the base of the program interpreter, where there is one.
  if (getauxval(AT_BASE) != 0)
    return Fail(ErrorCode::kNotInThisBuild,
                "this build of milvus-upgrade is not one static binary");
  return parts_->files.Read("/proc/self/exe");
}

void Wiring::SetCommandLog(ports::CommandLog log) { parts_->log = std::move(log); }
const std::map<std::string, std::string>& Wiring::Environment() const {
  return parts_->environment;
}

std::string Wiring::HostName() const {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data())
                                                        : std::string("unknown");
}

std::string Wiring::StateDir(const config::Config& config, const std::string& project_directory) {
  const std::string folder =
      config.state_dir.empty() ? project_directory + "/.milvus-upgrade" : config.state_dir;
  return parts_->files.Absolute(folder);
}

}  // namespace mu::cli
