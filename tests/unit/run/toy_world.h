// SPDX-License-Identifier: Apache-2.0
// A toy world for the executor: named switches, steps that turn them on, one gate, and a plan of
// five steps. Turning a switch passes the fuse before and after, so that a test can cut there. What
// is counted is how often each switch was really turned.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fakes/fuse.h"
#include "fakes/hand_clock.h"
#include "fakes/unsynced_files.h"
#include "milvus_upgrade/run/executor.h"

namespace mu::run::toy {

struct World {
  std::map<std::string, bool> is_on;
  std::map<std::string, int> turns;
  int looks = 0;  // of the gate
  bool is_gate_open = true;
  std::map<std::string, Error> act_errors;
  std::map<std::string, Error> restore_errors;
  std::map<std::string, int> restores;  // step id -> what Act answers
  std::map<plan::Expectation::Kind, Error> broken;
};

// Bringing services up is one step of several parts, each of which can be cut.
inline std::vector<std::string> PartsOf(const plan::Step& step) {
  const auto* up = std::get_if<plan::UpServices>(&step.args);
  if (up == nullptr) return {step.id};
  std::vector<std::string> parts;
  for (const std::string& service : up->services) parts.push_back(step.id + "/" + service);
  return parts;
}

class Switch : public Effect {
 public:
  Switch(World& world, fakes::Fuse& fuse) : world_(world), fuse_(fuse) {}
  Result<std::optional<Evidence>> Seen(const plan::Step& step, StepScope&) override {
    if (const Error* error = fuse_.Pass("seen " + step.id)) return Fail(*error);
    if (!AllOn(step)) return std::optional<Evidence>();
    return Evidence{{"switch", "on"}};
  }
  Status Act(const plan::Step& step, StepScope&) override {
    if (const auto it = world_.act_errors.find(step.id); it != world_.act_errors.end())
      return Fail(it->second);
    for (const std::string& part : PartsOf(step)) {
      if (world_.is_on[part]) continue;
      if (const Error* error = fuse_.Pass("before act " + part)) return Fail(*error);
      ++world_.turns[part];
      world_.is_on[part] = true;
      if (const Error* error = fuse_.Pass("after act " + part)) return Fail(*error);
    }
    return {};
  }
  std::string Difference() const override { return "it is off"; }
  Status Restore(const plan::Step& step, StepScope&) override {
    if (const Error* error = fuse_.Pass("restore " + step.id)) return Fail(*error);
    if (const auto it = world_.restore_errors.find(step.id); it != world_.restore_errors.end())
      return Fail(it->second);
    ++world_.restores[step.id];
    for (const std::string& part : PartsOf(step)) world_.is_on[part] = false;
    return {};
  }
  Result<Evidence> Confirm(const plan::Step& step, StepScope&) override {
    if (const Error* error = fuse_.Pass("confirm " + step.id)) return Fail(*error);
    if (!AllOn(step)) return Fail(ErrorCode::kInternal, step.id + " is off");
    return Evidence{{"switch", "on"}};
  }

 private:
  bool AllOn(const plan::Step& step) {
    for (const std::string& part : PartsOf(step)) {
      if (!world_.is_on[part]) return false;
    }
    return true;
  }
  World& world_;
  fakes::Fuse& fuse_;
};

class Gate : public Effect {
 public:
  Gate(World& world, fakes::Fuse& fuse) : world_(world), fuse_(fuse) {}
  Result<std::optional<Evidence>> Seen(const plan::Step&, StepScope&) override {
    return std::optional<Evidence>();
  }
  Status Act(const plan::Step& step, StepScope& scope) override {
    if (const Error* error = fuse_.Pass("gate " + step.id)) return Fail(*error);
    ++world_.looks;
    if (world_.is_gate_open) return {};
    if (scope.IsInterrupted()) return Fail(ErrorCode::kInterrupted, "while waiting");
    return Fail(ErrorCode::kGateTimeout, "the gate is shut");
  }
  Result<Evidence> Confirm(const plan::Step&, StepScope&) override { return Evidence{}; }

 private:
  World& world_;
  fakes::Fuse& fuse_;
};

class Effects : public EffectTable {
 public:
  Effects(World& world, fakes::Fuse& fuse)
      : world_(world), switch_(world, fuse), gate_(world, fuse) {}
  Effect& For(plan::StepKind kind) override {
    if (plan::RowOf(kind).is_read_only) return gate_;
    return switch_;
  }
  Status Check(const plan::Expectation& expectation) override {
    if (expectation.kind == plan::Expectation::Kind::kContainersDown) {
      for (const std::string& part : expectation.subjects) {
        if (world_.is_on[part]) return Fail(ErrorCode::kContainerStarted, part + " is up");
      }
    }
    const auto it = world_.broken.find(expectation.kind);
    return it == world_.broken.end() ? Status() : Status(Fail(it->second));
  }

 private:
  World& world_;
  Switch switch_;
  Gate gate_;
};

class Silent : public Progress {
 public:
  void Tell(const ProgressEvent& event) override {
    kinds.push_back(event.kind);
    texts.push_back(event.text);
  }
  std::vector<ProgressEvent::Kind> kinds;
  std::vector<std::string> texts;
};

inline plan::Plan FiveSteps() {
  plan::Plan plan;
  plan.hops = {{"1", "2", "R1", "image", "", true, ""}};
  const auto add = [&](std::string id, plan::StepArgs args) -> plan::Step& {
    plan::Step step;
    step.id = std::move(id);
    step.kind = static_cast<plan::StepKind>(args.index() + 1);
    step.args = std::move(args);
    plan.steps.push_back(std::move(step));
    return plan.steps.back();
  };
  const plan::ContainerRef container{"standalone", "milvus", "1"};
  add("backup", plan::BackupKeys{});
  add("stop", plan::StopContainers{{container}, Millis(1)}).outage = plan::OutageMark::kOpens;
  add("file", plan::ReplaceFile{"/f", "", "", {}, ""});
  plan::UpServices up;
  up.services = {"standalone", "proxy"};
  add("up", up).expects = {
      {plan::Expectation::Kind::kContainersDown, {"up/standalone", "up/proxy"}, ""}};
  add("gate", plan::WaitServices{}).outage = plan::OutageMark::kCloses;
  return plan;
}

// One process: opens the journal and runs the plan until it ends or the power goes.
struct Machine {
  World world;
  fakes::Fuse fuse;
  fakes::HandClock clock;
  fakes::HandInterrupts interrupts;
  fakes::UnsyncedFiles files{fuse};
  Effects effects{world, fuse};
  Silent progress;
  Machine() {
    files.Put("/run/plan.json", "");
    clock.OnAdvance([](Millis) {});
  }
  Outcome Run(const plan::Plan& plan, const std::string& pause_before = "",
              const std::string& until = "") {
    auto journal = Journal::Open(files, clock, "/run/journal");
    if (!journal) return {Outcome::Kind::kFailed, journal.error(), ""};
    return Execute(plan, "forward", {effects, **journal, clock, interrupts, progress, "/run"},
                   {pause_before, until});
  }
  std::vector<Record> Records() {
    const auto bytes = files.Read("/run/journal");
    return bytes ? ParseJournal(*bytes)->records : std::vector<Record>();
  }
};

}  // namespace mu::run::toy
