// SPDX-License-Identifier: Apache-2.0
// The only place that builds adapters: the program's real world, and what the flows need of it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/config/migrate_yaml.h"
#include "milvus_upgrade/effects/effects.h"
#include "milvus_upgrade/observe/compose_observer.h"
#include "milvus_upgrade/plan/plan.h"
#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/ports/etcd_client.h"
#include "milvus_upgrade/ports/runner.h"

namespace mu::cli {

class Wiring {
 public:
  // `log` is told of every child program; it may be set later (the journal exists only once a run
  // does).
  Wiring();
  ~Wiring();
  Wiring(const Wiring&) = delete;
  Wiring& operator=(const Wiring&) = delete;

  observe::World World();
  effects::EffectPorts Effects();
  ports::Files& Files();
  ports::Docker& Docker();
  ports::Clock& Clock();
  ports::Interrupts& Interrupts();
  void IgnoreSignals();        // from now on, by children as well
  ExitCode InterruptedExit();  // of the signal that came: 130 or 143
  ports::Http& Http();
  // The API of this cluster; from then on Effects() has it. One a process: the first that is asked
  // for stays.
  ports::Kube& Kube(const plan::KubeTarget& at);
  // The same, not recorded, for a thread of its own. REQUIRES: Kube() was asked for.
  ports::Kube& RenewingKube();
  ports::EtcdClients& EtcdClients();
  ports::Runner&
  ProbeRunner();  // not recorded: a probe's hundreds of children are no part of the run
  ports::Docker& ProbeDocker();  // not recorded either, for a thread of its own
  // The bytes of this very program, to be run elsewhere. Errors: kNotInThisBuild when it needs
  // libraries that are not there.
  Result<std::string> OwnProgram();
  void SetCommandLog(ports::CommandLog log);
  const std::map<std::string, std::string>& Environment() const;
  std::string HostName() const;
  // The etcd of a migration, by its endpoints or by the etcdctl inside a container of it. Relative
  // paths are meant from the working folder. Errors: kInvalidInput, kFileRead.
  Result<std::unique_ptr<ports::EtcdClient>> EtcdOf(const config::MigrateYaml& yaml,
                                                    const std::string& container);
  // --state-dir, or .milvus-upgrade/ of the project folder. Absolute.
  std::string StateDir(const config::Config& config, const std::string& project_directory);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace mu::cli
