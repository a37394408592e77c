// SPDX-License-Identifier: Apache-2.0
// ScratchEtcd: a snapshot of the stack's etcd brought to life in an etcd that nobody else uses: the
// same image, an internal network of its own, no port, little weight on the machine. The sessions
// that were in the snapshot are removed from it (their leases come back with their full time,
// ground.md 6). It is gone when this object is, and what a kill leaves is found by its label.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "effects/parts.h"
#include "milvus_upgrade/effects/migrator.h"
#include "milvus_upgrade/ports/etcd_client.h"

namespace mu::effects {

class ScratchEtcd {
 public:
  // `snapshot`: a file of ours. `like`: the container whose image it is. Errors: those of the
  // ports; kContainerFailed with etcd's own words.
  static Result<std::unique_ptr<ScratchEtcd>> Start(
      const EffectPorts& ports, const std::string& project, const std::string& like,
      const std::string& snapshot, const meta::Scope& scope, run::StepScope& step_scope);
  ~ScratchEtcd();
  ScratchEtcd(const ScratchEtcd&) = delete;
  ScratchEtcd& operator=(const ScratchEtcd&) = delete;

  MigrationTarget Target() const;
  ports::EtcdClient& Client() { return *client_; }

 private:
  ScratchEtcd(const EffectPorts& ports, const std::string& project);
  Status Make(const model::Image& image, const std::string& snapshot, run::StepScope& scope);
  Status Restore(const model::Image& image, const std::string& snapshot, run::StepScope& scope);
  Status Serve(const model::Image& image, run::StepScope& scope);
  Status RemoveSessions(const meta::Scope& scope);
  void RemoveAll();
  ports::JobSpec SpecOf(const std::string& name, const model::Image& image) const;

  const EffectPorts& ports_;
  std::string project_;
  std::string restorer_;
  std::string server_;
  std::string network_;
  bool is_gentle_ = true;  // unless the kernel cannot
  std::unique_ptr<ports::EtcdClient> client_;
};

}  // namespace mu::effects
