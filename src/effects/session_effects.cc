// SPDX-License-Identifier: Apache-2.0
// Recording and releasing the session keys of our own containers. The rule (issue, ground.md 3): a
// lease is revoked only when its process is proven dead and the key, server id, lease and create
// revision are those recorded while it ran, the lease holds only this server's keys, and its
// remaining time has fallen. Any doubt, and any other key: wait, by name.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <utility>

#include "effects/parts.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/wait.h"

namespace mu::effects {
namespace {

constexpr std::int64_t kQuietSeconds = 3;  // a stop with its proof takes about 2 s
constexpr Millis kLongestPeriod{10'000};   // of 2.3, whose leases are of 30 s

struct Recorded {
  model::Session session;
  std::int64_t ttl_seconds = 0;
};

boost::json::object ToJson(const Recorded& recorded) {
  boost::json::object object;
  object["key"] = recorded.session.key;
  object["name"] = recorded.session.name;
  object["role"] = recorded.session.role;
  object["server_id"] = recorded.session.server_id;
  object["address"] = recorded.session.address;
  object["version"] = recorded.session.version;
  object["lease"] = recorded.session.lease;
  object["create_revision"] = recorded.session.create_revision;
  object["ttl_seconds"] = recorded.ttl_seconds;
  return object;
}

Result<std::vector<Recorded>> ParseRecord(const std::string& text) {
  try {
    std::vector<Recorded> all;
    const boost::json::value value = boost::json::parse(text);
    for (const boost::json::value& item : value.as_object().at("sessions").as_array()) {
      const boost::json::object& object = item.as_object();
      const auto string = [&](const char* name) {
        return std::string(object.at(name).as_string());
      };
      const auto number = [&](const char* name) {
        return object.at(name).to_number<std::int64_t>();
      };
      all.push_back(
          {{string("key"), string("name"), string("role"), number("server_id"), string("address"),
            string("version"), number("lease"), number("create_revision")},
           number("ttl_seconds")});
    }
    return all;
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kSessionChanged,
                fmt::format("the record of the sessions is damaged: {}", error.what()));
  }
}

std::string HostOf(const std::string& address) { return address.substr(0, address.rfind(':')); }

class RecordEffect : public run::Effect {
 public:
  explicit RecordEffect(const EffectPorts& ports) : ports_(ports) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step,
                                            run::StepScope& scope) override {
    const std::string file =
        scope.RunFolder() + "/" + std::get<plan::RecordSessions>(step.args).file;
    MU_TRY(const auto facts, ports_.files.Stat(file));
    if (!facts) return std::nullopt;
    MU_TRY(const std::string text, ports_.files.Read(file));
    MU_TRY(const auto recorded, ParseRecord(text));
    return EvidenceOf(recorded);
  }

  Status Act(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::RecordSessions>(step.args);
    MU_TRY(const auto containers, InspectAll(ports_.docker, NamesOf(args.containers)));
    std::set<std::string> addresses;
    for (const model::Container& container : containers) {
      if (!container.IsRunning()) continue;
      for (const auto& [network, ip] : container.network_ips) {
        if (!ip.empty()) addresses.insert(ip);
      }
    }
    MU_TRY(const auto sessions,
           observe::ReadSessions(ports_.etcd, args.etcd_container, args.session_prefix));
    std::vector<Recorded> ours;
    std::vector<std::int64_t> leases;
    for (const model::Session& session : sessions) {
      if (!addresses.contains(HostOf(session.address))) continue;
      ours.push_back({session, 0});
      leases.push_back(session.lease);
    }
    if (ours.empty()) {
      return Fail(ErrorCode::kSessionChanged,
                  fmt::format("no session key under {} belongs to a container of this project; "
                              "waiting for keys under a "
                              "wrong root would pass at once, so nothing is stopped",
                              args.session_prefix));
    }
    MU_TRY(const auto details, ReadWhenQuiet(args.etcd_container, leases));
    boost::json::array list;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      ours[i].ttl_seconds = details[i].ttl_seconds;
      list.push_back(ToJson(ours[i]));
    }
    return ports_.files.Replace(
        scope.RunFolder() + "/" + args.file,
        boost::json::serialize(boost::json::object{{"sessions", list}}) + "\n", 0600);
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override {
    MU_TRY(auto seen, Seen(step, scope));
    if (seen) return *seen;
    return Fail(ErrorCode::kFileRead, "the record of the sessions is gone from the run folder");
  }

 private:
  // A lease that is renewed between this reading and the exit of its process does not show that its
  // time falls until a second later, and that second would be outage (measured: 1.2 s in four of
  // seven runs). So a moment is waited for when none is about to be renewed, at most one period:
  // etcd's client renews when a third of the time is over.
  Result<std::vector<model::Lease>> ReadWhenQuiet(const std::string& container,
                                                  const std::vector<std::int64_t>& ids) {
    const Millis start = ports_.clock.Monotonic();
    for (;;) {
      MU_TRY(auto leases, ports_.etcd.ReadLeases(container, ids));
      Millis period(0);
      bool is_quiet = true;
      for (const model::Lease& lease : leases) {
        period = std::max<Millis>(period, std::chrono::seconds(lease.granted_seconds) / 3);
        is_quiet = is_quiet && lease.ttl_seconds >= lease.granted_seconds * 2 / 3 + kQuietSeconds;
      }
      if (is_quiet || ports_.clock.Monotonic() - start > std::min(period, kLongestPeriod))
        return leases;
      ports_.clock.Sleep(Millis(250));
    }
  }

  static run::Evidence EvidenceOf(const std::vector<Recorded>& recorded) {
    run::Evidence evidence;
    for (const Recorded& item : recorded) {
      evidence[item.session.name] = fmt::format("{} lease {:x} {}", item.session.address,
                                                item.session.lease, item.session.version);
    }
    return evidence;
  }

  EffectPorts ports_;
};

class ReleaseEffect : public run::Effect {
 public:
  explicit ReleaseEffect(const EffectPorts& ports) : ports_(ports) {}

  // What is read here is what acting begins with: each reading is outage.
  Result<std::optional<run::Evidence>> Seen(const plan::Step& step, run::StepScope&) override {
    revoked_ = 0;
    seen_ = {};
    MU_TRY(auto sessions, Sessions(step));
    if (sessions.empty()) return Evidence();
    seen_ = {step.id, std::move(sessions)};
    return std::nullopt;
  }

  Status Act(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::ReleaseSessions>(step.args);
    MU_TRY(const std::string text, ports_.files.Read(scope.RunFolder() + "/" + args.record));
    MU_TRY(const std::vector<Recorded> recorded, ParseRecord(text));
    std::map<std::int64_t, std::int64_t> last_ttl;
    for (const Recorded& item : recorded) last_ttl[item.session.lease] = item.ttl_seconds;
    const auto look = [&]() -> Result<run::Observation> {
      MU_TRY(const auto sessions, Sessions(step));
      if (sessions.empty()) return run::Observation{true, "no session key is left"};
      std::vector<std::string> waiting;
      std::vector<std::int64_t> candidates;
      for (const model::Session& session : sessions) {
        waiting.push_back(fmt::format("{} ({})", session.name, session.address));
        if (args.may_revoke && IsOurs(session, recorded)) candidates.push_back(session.lease);
      }
      if (!candidates.empty()) {
        MU_TRY(const auto leases, ports_.etcd.ReadLeases(args.etcd_container, candidates));
        std::vector<std::int64_t> revocable;
        for (const model::Lease& lease : leases) {
          const bool has_fallen = lease.ttl_seconds < last_ttl[lease.id];
          last_ttl[lease.id] = lease.ttl_seconds;
          if (lease.ttl_seconds >= 0 && has_fallen && HoldsOnly(lease, recorded))
            revocable.push_back(lease.id);
        }
        if (!revocable.empty()) {
          MU_CHECK(ports_.etcd.RevokeLeases(args.etcd_container, revocable));
          revoked_ += revocable.size();
          // Confirm reads whether they are gone.
          if (revocable.size() == sessions.size())
            return run::Observation{true, "all leases are revoked"};
        }
      }
      return run::Observation{false, "session keys left: " + Join(waiting, ", ")};
    };
    const auto last = run::WaitFor("no session key of Milvus", step.timeout, Millis(500),
                                   ports_.clock, scope, look);
    if (last) return {};
    Error error = last.error();
    if (error.code == ErrorCode::kGateTimeout) error.code = ErrorCode::kSessionForeign;
    return Fail(std::move(error));
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope&) override {
    MU_TRY(const auto sessions, Sessions(step));
    if (sessions.empty()) return Evidence();
    return Fail(
        ErrorCode::kSessionForeign,
        fmt::format("{} registered {} just now", sessions.front().address, sessions.front().key));
  }

 private:
  run::Evidence Evidence() const {
    return {{"leases_revoked", std::to_string(revoked_)}, {"session_keys_left", "0"}};
  }

  // What Seen has just read of this step, once; else what etcd says now.
  Result<std::vector<model::Session>> Sessions(const plan::Step& step) {
    const auto seen = std::exchange(seen_, {});
    if (seen.first == step.id) return seen.second;
    const auto& args = std::get<plan::ReleaseSessions>(step.args);
    return observe::ReadSessions(ports_.etcd, args.etcd_container, args.session_prefix);
  }

  // Recorded while our container ran, and unchanged; and nobody else registered the same role at
  // the same address.
  static bool IsOurs(const model::Session& now, const std::vector<Recorded>& recorded) {
    const auto same_place =
        std::count_if(recorded.begin(), recorded.end(), [&](const Recorded& item) {
          return item.session.role == now.role && item.session.address == now.address;
        });
    const auto it = std::find_if(recorded.begin(), recorded.end(),
                                 [&](const Recorded& item) { return item.session.key == now.key; });
    return it != recorded.end() && same_place == 1 && it->session.server_id == now.server_id &&
           it->session.address == now.address && it->session.lease == now.lease &&
           it->session.create_revision == now.create_revision;
  }

  // Every key of the lease is a recorded session key of one and the same server.
  static bool HoldsOnly(const model::Lease& lease, const std::vector<Recorded>& recorded) {
    std::set<std::int64_t> servers;
    for (const std::string& key : lease.keys) {
      const auto it = std::find_if(recorded.begin(), recorded.end(),
                                   [&](const Recorded& item) { return item.session.key == key; });
      if (it == recorded.end()) return false;
      servers.insert(it->session.server_id);
    }
    return servers.size() == 1;
  }

  EffectPorts ports_;
  std::size_t revoked_ = 0;
  std::pair<std::string, std::vector<model::Session>> seen_;  // step id
};

}  // namespace

void AddSessionEffects(const EffectPorts& ports, EffectMap* effects) {
  (*effects)[plan::StepKind::kRecordSessions] = std::make_unique<RecordEffect>(ports);
  (*effects)[plan::StepKind::kReleaseSessions] = std::make_unique<ReleaseEffect>(ports);
}

}  // namespace mu::effects
