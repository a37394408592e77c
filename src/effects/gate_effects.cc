// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "effects/parts.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/model/version.h"
#include "milvus_upgrade/run/wait.h"

namespace mu::effects {
namespace {

constexpr Millis kPoll{250};
constexpr int kCrashLoop = 2;  // restarts after which waiting cannot help
// Milvus 2.2 answers 200 for 10 to 25 ms at its very start, before its parts register (measured):
// one is no proof.
constexpr int kAnswersInARow = 3;

class ServicesGate : public Gate {
 public:
  ServicesGate(ports::Docker& docker, ports::Http& http, ports::Clock& clock)
      : docker_(docker), http_(http), clock_(clock) {}

 private:
  Result<run::Evidence> Wait(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::WaitServices>(step.args);
    MU_TRY(const model::Engine engine, docker_.Info());
    endpoint_ = engine.endpoint;
    std::vector<std::string> names;
    for (const auto& wanted : args.services) names.push_back(wanted.container);
    std::vector<int> in_a_row(args.services.size(), 0);
    std::vector<int> starts(args.services.size(), 0);
    std::vector<std::optional<Past>> pasts(args.services.size());
    run::Evidence evidence;
    const auto look = [&]() -> Result<run::Observation> {
      MU_TRY(const auto containers, InspectAll(docker_, names));
      std::vector<std::string> waiting;
      for (std::size_t i = 0; i < containers.size(); ++i) {
        const model::Container& container = containers[i];
        if (HasEnded(container) && starts[i] < args.starts_again) {
          ++starts[i];
          MU_CHECK(StartAgain(container, scope));
          waiting.push_back(names[i] + " started once more");
          continue;
        }
        if (!pasts[i]) pasts[i] = PastOf(container);
        MU_TRY(const std::string state,
               LookAt(args, args.services[i], container, in_a_row[i], *pasts[i]));
        in_a_row[i] = state.empty() ? in_a_row[i] + 1 : 0;
        if (in_a_row[i] >= kAnswersInARow || container.health.status == "healthy") {
          evidence[names[i]] = container.image + " " + container.image_id;
        } else {
          waiting.push_back(names[i] + " " + (state.empty() ? "healthy for a moment" : state));
        }
      }
      return run::Observation{waiting.empty(), Join(waiting, ", ")};
    };
    MU_TRY(const std::string last,
           run::WaitFor("all services healthy", step.timeout, kPoll, clock_, scope, look));
    return evidence;
  }

  // What was wrong with a container before the gate looked at it first, when a run is gone on with
  // and the cause is mended: of the past, until it shows anew.
  struct Past {
    std::string started_at;
    int restarts = 0;
    bool is_unhealthy = false;
  };
  static Past PastOf(const model::Container& container) {
    return {container.started_at,
            container.restart_count >= kCrashLoop ? container.restart_count : 0,
            container.health.status == "unhealthy"};
  }

  // By itself, and nobody will start it again.
  static bool HasEnded(const model::Container& container) {
    const bool restarts = container.restart_policy != "no" && !container.restart_policy.empty();
    return (container.status == "exited" || container.status == "dead") && !restarts;
  }

  Status StartAgain(const model::Container& container, run::StepScope& scope) {
    MU_CHECK(scope.Event("started-again", {{container.name, observe::CauseOf(container, docker_)},
                                           {"ended_at", container.finished_at}}));
    return docker_.Start({container.name});
  }

  // "" when this service is well, else what is waited for. Errors: it can no longer become well.
  Result<std::string> LookAt(const plan::WaitServices& args,
                             const plan::WaitServices::Wanted& wanted,
                             const model::Container& container, int in_a_row, const Past& past) {
    const auto stuck = [&](const std::string& why) {
      return Fail(ErrorCode::kGateStuck, fmt::format("{}: {}", container.name, why));
    };
    MU_TRY(const auto image, docker_.InspectImage(wanted.image));
    if (!image) return stuck("its image " + wanted.image + " is gone from the engine");
    if (container.image_id != image->id ||
        (!wanted.image_id.empty() && container.image_id != wanted.image_id)) {
      return stuck(fmt::format("it runs {} ({}), not {} ({})", container.image, container.image_id,
                               wanted.image, image->id));
    }
    std::vector<model::Mount> mounts = container.mounts;
    std::sort(mounts.begin(), mounts.end());
    if (mounts != wanted.mounts) {
      return stuck(
          "its mounts are not those from before: it may be looking at another, empty data folder");
    }
    const bool is_unhealthy = container.health.status == "unhealthy" &&
                              !(past.is_unhealthy && past.started_at == container.started_at);
    if (HasEnded(container) || container.restart_count - past.restarts >= kCrashLoop ||
        is_unhealthy || container.is_oom_killed) {
      return stuck(observe::CauseOf(container, docker_));
    }
    if (!container.IsRunning()) return container.status;
    if (in_a_row >= kAnswersInARow || container.health.status == "healthy") return std::string();
    return Healthz(args.health_port, container);
  }

  // The container's own health check may look only every 30 s (official files); /healthz is asked
  // directly.
  Result<std::string> Healthz(int port, const model::Container& container) {
    for (const model::PublishedPort& published : container.ports) {
      if (published.container_port != port) continue;
      const std::string address = observe::PublishedAddress(endpoint_, published);
      if (address.empty()) continue;
      const auto answer = http_.Get(address + "/healthz", Millis(2000));
      if (answer)
        return answer->status == 200 ? std::string() : fmt::format("/healthz {}", answer->status);
    }
    const auto inside = docker_.Exec(container.name,
                                     {"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                                      fmt::format("http://127.0.0.1:{}/healthz", port)},
                                     {}, Millis(5000));
    if (inside && inside->exit_code == 0) {
      return inside->out == "200" ? std::string() : "/healthz " + Printable(inside->out);
    }
    // curl 7 is "connection refused"; 126 and 127 are an image without curl: running is then all
    // that can be seen here, and the sessions gate is the proof.
    if (inside && (inside->exit_code == 126 || inside->exit_code == 127)) return std::string();
    return std::string("/healthz does not answer");
  }

  ports::Docker& docker_;
  ports::Http& http_;
  ports::Clock& clock_;
  std::string endpoint_;  // of the engine: whose loopback a published 127.0.0.1 is
};

class StableGate : public Gate {
 public:
  StableGate(ports::Docker& docker, ports::Clock& clock) : docker_(docker), clock_(clock) {}

 private:
  Result<run::Evidence> Wait(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::WaitStable>(step.args);
    MU_TRY(const auto first, InspectAll(docker_, args.containers));
    const Millis start = clock_.Monotonic();
    const auto look = [&]() -> Result<run::Observation> {
      MU_TRY(const auto now, InspectAll(docker_, args.containers));
      for (std::size_t i = 0; i < now.size(); ++i) {
        if (now[i].IsRunning() && now[i].started_at == first[i].started_at &&
            now[i].health.status != "unhealthy")
          continue;
        std::string cause = observe::CauseOf(now[i], docker_);
        if (cause.empty()) cause = "it was started again at " + now[i].started_at;
        return Fail(ErrorCode::kGateStuck,
                    fmt::format("{} did not stay up: {}", now[i].name, cause));
      }
      // Said once: a pipe gets a line for each change of what is seen.
      if (clock_.Monotonic() - start < args.period)
        return run::Observation{false,
                                "no restart so far, wanted for " + FormatDuration(args.period)};
      return run::Observation{true, "no restart for " + FormatDuration(args.period)};
    };
    MU_TRY(const std::string last,
           run::WaitFor("no restart", step.timeout, kPoll, clock_, scope, look));
    return run::Evidence{{"stable", last}};
  }

  ports::Docker& docker_;
  ports::Clock& clock_;
};

class SessionsGate : public Gate {
 public:
  SessionsGate(ports::Etcd& etcd, ports::Clock& clock) : etcd_(etcd), clock_(clock) {}

 private:
  Result<run::Evidence> Wait(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::WaitSessions>(step.args);
    run::Evidence evidence;
    const auto look = [&]() -> Result<run::Observation> {
      MU_TRY(const auto sessions,
             observe::ReadSessions(etcd_, args.etcd_container, args.session_prefix));
      std::vector<std::string> missing;
      evidence.clear();
      for (const std::string& role : args.roles) {
        std::string seen;
        for (const model::Session& session : sessions) {
          if (session.role != role) continue;
          if (IsVersion(session.version, args.version)) evidence[session.name] = session.version;
          seen = session.version.empty() ? "without a version" : "with version " + session.version;
        }
        const bool has_role = std::any_of(evidence.begin(), evidence.end(), [&](const auto& item) {
          return item.first == role || item.first.starts_with(role + "-");
        });
        if (!has_role) missing.push_back(seen.empty() ? role : role + " (" + seen + ")");
      }
      return run::Observation{missing.empty(), "no session of " + Join(missing, ", ")};
    };
    MU_TRY(const std::string last,
           run::WaitFor("a session of each role", step.timeout, Millis(500), clock_, scope, look));
    return evidence;
  }

  // The session's version is a constant of the source ("2.2.0-pre+dev" is seen): major and minor
  // count (milvus.md 9).
  static bool IsVersion(const std::string& session, const std::string& wanted) {
    if (wanted.empty()) return true;
    const auto want = model::ParseVersion(wanted);
    const auto have = model::ParseVersion(session.substr(0, session.find_first_of("-+")));
    return want && have && have->SameMinor(*want);
  }

  ports::Etcd& etcd_;
  ports::Clock& clock_;
};

}  // namespace

void AddGateEffects(const EffectPorts& ports, EffectMap* effects) {
  (*effects)[plan::StepKind::kWaitServices] =
      std::make_unique<ServicesGate>(ports.docker, ports.http, ports.clock);
  (*effects)[plan::StepKind::kWaitStable] = std::make_unique<StableGate>(ports.docker, ports.clock);
  (*effects)[plan::StepKind::kWaitSessions] =
      std::make_unique<SessionsGate>(ports.etcd, ports.clock);
}

}  // namespace mu::effects
