// SPDX-License-Identifier: Apache-2.0
// One migration of one etcd, by either engine: the stack's own metadata, or a copy of it. The
// container engine is treated as hostile (ground.md 4): it is given a deadline, killed when it says
// that it exits or when a Milvus registers meanwhile, and whether it has done its work is judged by
// others (meta/judge.h), never by its exit code alone. Nothing of it is left behind but its log.
#pragma once

#include <string>

#include "milvus_upgrade/effects/effects.h"
#include "milvus_upgrade/migrate/migrator.h"
#include "milvus_upgrade/plan/step.h"

namespace mu::effects {

inline constexpr Millis kEtcdPatience{60'000};  // for etcd to come back within a step

// Where the migration works: the stack's etcd or a scratch one.
struct MigrationTarget {
  std::string etcd_container;
  std::string network;
  std::vector<std::string> endpoints;  // as known on that network
  bool is_scratch = false;             // no TLS there, and little weight on the machine
};

// Whether the engine could not start a container because its kernel has no weights for disks.
bool IsAboutWeight(const Error& error);
// "milvus-upgrade-scratch-etcd-milvus"; of a long project a part and its digest, since it is a host
// name as well (63 characters).
std::string HelperName(const std::string& purpose, const std::string& project);
meta::Scope ScopeOf(const plan::Migration& migration);

// `keys`: how many the scope has, for the deadline. `log`: a path of ours, for the container's
// output. `lock_record`: a path of ours, where the lock of the container's migration is kept while
// it runs. Errors: kMigrationFailed; of builtin those of Migrator::Run.
Result<run::Evidence> RunMigration(const EffectPorts& ports, const plan::Migration& migration,
                                   const MigrationTarget& target, std::size_t keys,
                                   const std::string& log, const std::string& lock_record,
                                   run::StepScope& scope);

// After it no migrator of this project lives, and none that was killed holds the migration's lock
// where it is proven to have been its own; a lock of anyone else is left to its lease.
Status ProveMigratorsDead(const EffectPorts& ports, const plan::Migration& migration,
                          const std::string& lock_record);

// The longest that a migration may take: many times what was measured for so many keys.
Millis DeadlineOf(std::size_t keys, bool has_tool_backup);

// What a migration tells, as what a step waits for.
class ToldToScope : public migrate::Listener {
 public:
  explicit ToldToScope(run::StepScope& scope) : scope_(scope) {}
  void Note(const std::string& line) override { scope_.Waiting(line); }
  void Progress(const std::string& what, std::size_t done, std::size_t total) override;

 private:
  run::StepScope& scope_;
};

// A step's interrupts, for those who ask a port.
class StepInterrupts : public ports::Interrupts {
 public:
  explicit StepInterrupts(run::StepScope& scope) : scope_(scope) {}
  ports::Interrupt Pending() override {
    return scope_.IsInterrupted() ? ports::Interrupt::kStopNow : ports::Interrupt::kNone;
  }
  int Signal() override { return 0; }

 private:
  run::StepScope& scope_;
};

}  // namespace mu::effects
