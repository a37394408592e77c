// SPDX-License-Identifier: Apache-2.0
#include "fakes/fake_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"

namespace mu::fakes {
namespace {

constexpr Millis kCrashAfter{500};
constexpr Millis kRegisterAfter{1'000};
constexpr Millis kServeAfter{2'000};
// As in the official files: a probe each 30 s, failures count from 90 s on, three of them.
constexpr Millis kProbe{30'000};
constexpr Millis kUnhealthyAfter{180'000};
constexpr Millis kHangs{60'000};

int LeaseSeconds(const model::Version& version) {
  if (version.minor <= 1) return 60;
  return version.minor == 2 ? 20 : 30;
}

}  // namespace

FakeWorld::FakeWorld(Fuse& fuse, HandClock& clock, ports::Files& files)
    : fuse_(fuse), clock_(clock), files_(files), now_(clock.Monotonic()) {
  clock_.OnAdvance([this](Millis now) { OnTime(now); });
}

void FakeWorld::AddImage(const std::string& reference, Program program, const std::string& version,
                         Flaw flaw) {
  const std::string id = "sha256:" + Sha256(reference + version + std::to_string(int(flaw)));
  images_[reference] = {
      id, program, version.empty() ? model::Version{} : model::ParseVersion(version).value(), flaw};
}

void FakeWorld::AddToRegistry(const std::string& reference, const std::string& version, Flaw flaw) {
  const std::string id = "sha256:" + Sha256(reference + version + std::to_string(int(flaw)));
  registry_[reference] = {id, Program::kMilvus, model::ParseVersion(version).value(), flaw};
}

const FakeImage* FakeWorld::FindImage(const std::string& reference) const {
  if (const auto it = images_.find(reference); it != images_.end()) return &it->second;
  for (const auto& [name, image] : images_) {
    if (image.id == reference) return &image;
  }
  return nullptr;
}

const FakeImage* FakeWorld::FindInRegistry(const std::string& reference) const {
  const auto it = registry_.find(reference);
  return it == registry_.end() ? nullptr : &it->second;
}

FakeContainer* FakeWorld::Find(const std::string& name_or_id) {
  for (FakeContainer& container : containers_) {
    if (container.facts.name == name_or_id || container.facts.id == name_or_id) return &container;
  }
  return nullptr;
}

std::vector<FakeContainer*> FakeWorld::All() {
  std::vector<FakeContainer*> all;
  for (FakeContainer& container : containers_) all.push_back(&container);
  return all;
}

std::string FakeWorld::TimeText(Millis at) const {
  const auto ms = at.count();
  return fmt::format("2026-01-{:02}T{:02}:{:02}:{:02}.{:03}Z", 1 + ms / 86'400'000,
                     ms / 3'600'000 % 24, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

Result<Answer> FakeWorld::Enter(const std::string& name, Fuse::Cut cut) {
  if (std::uncaught_exceptions() > 0) return Fail(ErrorCode::kInternal, "a dead process calls");
  ++calls_;
  const Answer answer = on_call ? on_call(name, calls_) : Answer::kTrue;
  if (const Error* error = fuse_.Pass(name, cut)) return Fail(*error);
  if (answer == Answer::kHang) {
    clock_.Advance(kHangs);
    return Fail(ErrorCode::kCommandTimeout, name + " did not end in time");
  }
  if (!is_engine_up_ || answer == Answer::kEngineDown)
    return Fail(ErrorCode::kDockerDown, "Cannot connect to the Docker daemon. Is it running?");
  return answer;
}

// --- Containers ---

Result<std::string> FakeWorld::CreateContainer(const ContainerSpec& spec) {
  if (Find(spec.name) != nullptr) {
    return Fail(ErrorCode::kLocked,
                fmt::format("Conflict. The container name \"/{}\" is already in use", spec.name));
  }
  const FakeImage* image = FindImage(spec.image);
  if (image == nullptr) return Fail(ErrorCode::kImageMissing, "No such image: " + spec.image);
  FakeContainer container;
  container.spec = spec;
  container.image = *image;
  model::Container& facts = container.facts;
  facts.id = Sha256(fmt::format("container {}", ++containers_made_));
  facts.name = spec.name;
  facts.image = spec.image;
  facts.image_id = image->id;
  facts.status = "created";
  facts.restart_policy = spec.restart.empty() ? "no" : spec.restart;
  facts.has_healthcheck = spec.has_healthcheck;
  facts.command = spec.command;
  facts.environment = spec.environment;
  facts.labels = spec.labels;
  facts.mounts = spec.mounts;
  for (const std::string& network : spec.networks) facts.network_ips[network] = "";
  containers_.push_back(std::move(container));
  return containers_.back().facts.id;
}

Result<std::string> FakeWorld::CreateJob(const ports::JobSpec& spec) {
  FakeContainer* const other = spec.volumes_from.empty() ? nullptr : Find(spec.volumes_from);
  if (!spec.volumes_from.empty() && other == nullptr)
    return Fail(ErrorCode::kContainerFailed, "No such container: " + spec.volumes_from);
  const std::shared_ptr<EtcdStore> shared = other == nullptr ? nullptr : other->etcd;
  ContainerSpec made;
  made.name = spec.name;
  made.image = spec.image;
  made.command = spec.argv;
  made.environment = spec.environment;
  made.labels = spec.labels;
  if (other != nullptr) made.mounts = other->spec.mounts;
  if (!spec.volume.empty())
    made.mounts.push_back({"volume", "of " + spec.name, spec.volume, false});
  if (spec.network != "none") made.networks = {spec.network};
  MU_TRY(const std::string id, CreateContainer(made));
  FakeContainer& job = *Find(id);
  job.job = spec;
  if (job.image.program == Program::kEtcd)
    job.etcd = shared ? shared : std::make_shared<EtcdStore>();
  return id;
}

EtcdStore& FakeWorld::EtcdOf(const std::string& container) {
  const FakeContainer* found = Find(container);
  return found != nullptr && found->etcd ? *found->etcd : etcd_;
}

const JobProgram* FakeWorld::JobProgramOf(const std::string& image) const {
  for (const auto& [reference, program] : job_programs) {
    if (reference == image || FindImage(reference) == FindImage(image)) return &program;
  }
  return nullptr;
}

void FakeWorld::EndContainer(const std::string& name, int exit_code) {
  FakeContainer* container = Find(name);
  if (container != nullptr && container->facts.IsRunning()) End(*container, exit_code, true);
}

void FakeWorld::KeepSnapshot(const std::string& bytes, const EtcdStore& store) {
  snapshots_.insert_or_assign(Sha256(bytes), store);
}

const EtcdStore* FakeWorld::SnapshotOf(const std::string& bytes) const {
  const auto it = snapshots_.find(Sha256(bytes));
  return it == snapshots_.end() ? nullptr : &it->second;
}

std::string FakeWorld::FreeAddress() const {
  for (int host = 2;; ++host) {
    const std::string address = fmt::format("172.18.0.{}", host);
    const bool is_used =
        std::any_of(containers_.begin(), containers_.end(), [&](const FakeContainer& container) {
          return std::any_of(container.facts.network_ips.begin(), container.facts.network_ips.end(),
                             [&](const auto& item) { return item.second == address; });
        });
    if (!is_used) return address;
  }
}

Status FakeWorld::StartContainer(const std::string& name) {
  FakeContainer* container = Find(name);
  if (container == nullptr) return Fail(ErrorCode::kContainerGone, "No such container: " + name);
  model::Container& facts = container->facts;
  if (facts.IsRunning()) return {};
  for (const model::PublishedPort& port : container->spec.ports) {
    const bool is_taken =
        taken_ports_.contains(port.host_port) ||
        std::any_of(containers_.begin(), containers_.end(), [&](const FakeContainer& other) {
          return std::any_of(other.facts.ports.begin(), other.facts.ports.end(),
                             [&](const auto& used) { return used.host_port == port.host_port; });
        });
    if (!is_taken) continue;
    facts.error = fmt::format(
        "driver failed programming external connectivity on endpoint {}: Bind for {}:{} failed: "
        "port is already allocated",
        facts.name, port.host_ip, port.host_port);
    return Fail(ErrorCode::kContainerFailed, facts.error);
  }
  if (container->job && !HasNetwork(container->job->network)) {
    facts.error = fmt::format("network {} not found", container->job->network);
    return Fail(ErrorCode::kContainerFailed, facts.error);
  }
  facts.status = "running";
  facts.error.clear();
  facts.exit_code = 0;
  facts.started_at = TimeText(now_);
  facts.ports = container->spec.ports;
  for (auto& [network, address] : facts.network_ips) address = FreeAddress();
  container->is_held_down = false;
  container->starts += 1;
  container->started = now_;
  container->ends_at.reset();
  container->restarts_at.reset();
  container->is_registered = false;
  container->ready_at.reset();
  if (container->image.program != Program::kMilvus) {
    container->ready_at = now_;
    container->log += "starting\nready\n";
    if (container->image.program == Program::kEtcd) EtcdOf(name).RenewAll(now_);
    return {};
  }
  container->log += fmt::format("starting Milvus {}\n", container->image.version.Text());
  if (container->image.flaw == Flaw::kCrash) {
    container->log += "panic: a flaw of this build\n";
    container->ends_at = now_ + kCrashAfter;
    container->ends_with = 134;
  } else if (SpoilsData(*container)) {
    container->log += "Column families not opened: properties\n";
    container->ends_at = now_ + kCrashAfter;
    container->ends_with = 1;
  }
  container->ends_gracefully = false;
  return {};
}

bool FakeWorld::HasNetwork(const std::string& name) const {
  if (name == "none" || name == "bridge" || networks.contains(name)) return true;
  return std::any_of(containers_.begin(), containers_.end(), [&](const FakeContainer& container) {
    return !container.job && container.facts.network_ips.contains(name);
  });
}

// 2.3 adds to rocksmq what 2.2 cannot open (ground.md 3). True: this start meets newer data.
bool FakeWorld::SpoilsData(FakeContainer& container) {
  if (RoleOf(container) != model::Role::kStandalone || container.spec.mounts.empty()) return false;
  int& newest = rocksmq_minor_[container.spec.mounts.front().source];
  if (newest >= 3 && container.image.version.minor < 3) return true;
  newest = std::max(newest, container.image.version.minor);
  return false;
}

std::optional<model::Role> FakeWorld::RoleOf(const FakeContainer& container) const {
  if (container.image.program != Program::kMilvus) return {};
  return model::RoleOfCommand(container.spec.command);
}

void FakeWorld::End(FakeContainer& container, int exit_code, bool is_graceful) {
  model::Container& facts = container.facts;
  facts.status = "exited";
  facts.exit_code = exit_code;
  facts.finished_at = TimeText(now_);
  facts.ports.clear();
  for (auto& [network, address] : facts.network_ips) address.clear();
  container.ends_at.reset();
  container.ready_at.reset();
  for (const std::int64_t lease : container.leases) {
    if (is_graceful) {
      etcd_.Revoke(lease);
    } else {
      etcd_.Abandon(lease, now_);
    }
  }
  container.leases.clear();
  const std::string& policy = facts.restart_policy;
  const bool comes_back = policy == "always" || policy == "unless-stopped" ||
                          (policy == "on-failure" && exit_code != 0);
  if (comes_back && !container.is_held_down) {
    facts.status = "restarting";
    // The engine's own pause before a restart: 100 ms, twice as long each time, at most a minute.
    const int doubled = std::min(container.facts.restart_count, 9);
    container.restarts_at = now_ + Millis(100) * (1 << doubled);
  }
}

void FakeWorld::KillContainer(const std::string& name) {
  FakeContainer* container = Find(name);
  if (container != nullptr && container->facts.IsRunning()) End(*container, 137, false);
}

void FakeWorld::RemoveContainer(const std::string& name) {
  KillContainer(name);
  std::erase_if(containers_, [&](const FakeContainer& container) {
    return container.facts.name == name || container.facts.id == name;
  });
}

FakeWorld::StopBehaviour FakeWorld::StopOf(const FakeContainer& container) const {
  if (container.image.flaw == Flaw::kStubborn) return {{}, false};
  const auto role = RoleOf(container);
  if (!role) return {Millis(100), true};
  const model::Version& version = container.image.version;
  if (version.minor <= 1) return {Millis(500), true};
  // A loaded query node that has nowhere to hand its segments to never ends by itself.
  const bool has_query_node = *role == model::Role::kStandalone || *role == model::Role::kQueryNode;
  const auto other =
      std::count_if(containers_.begin(), containers_.end(), [&](const FakeContainer& candidate) {
        return candidate.facts.IsRunning() && RoleOf(candidate) == model::Role::kQueryNode;
      });
  if (is_loaded_ && has_query_node && other <= 1 && container.is_registered) return {{}, false};
  return {version.minor == 2 ? Millis(200) : Millis(1200), version.minor == 2};
}

Status FakeWorld::Signal(const std::vector<std::string>& names, Millis grace) {
  for (const std::string& name : names) {
    FakeContainer* container = Find(name);
    if (container == nullptr) return Fail(ErrorCode::kContainerGone, "No such container: " + name);
    container->is_held_down = true;
    if (container->facts.status == "restarting") {
      container->restarts_at.reset();
      container->facts.status = "exited";
    }
    if (!container->facts.IsRunning()) continue;
    const StopBehaviour stop = StopOf(*container);
    const bool is_killed = !stop.takes || *stop.takes > grace;
    container->ends_at = now_ + (is_killed ? grace + Millis(300) : *stop.takes);
    container->ends_with = is_killed ? 137 : 0;
    container->ends_gracefully = !is_killed && stop.frees_sessions;
  }
  return {};
}

bool FakeWorld::IsAnyEnding(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const FakeContainer* container = Find(name);
    return container != nullptr && container->ends_at.has_value();
  });
}

void FakeWorld::RestartEngine() {
  std::vector<std::string> back;
  for (FakeContainer& container : containers_) {
    const bool was_up = container.facts.IsRunning() || container.facts.status == "restarting";
    if (container.facts.IsRunning()) {
      container.is_held_down = true;  // no restart by End: the engine decides below
      End(container, 137, false);
      container.is_held_down = false;
    }
    const std::string& policy = container.facts.restart_policy;
    if ((policy == "always" && container.starts > 0) || (policy != "no" && was_up))
      back.push_back(container.facts.id);
  }
  for (const std::string& id : back) (void)StartContainer(id);
}

// --- Milvus and etcd ---

bool FakeWorld::IsEtcdRunning() const {
  return std::any_of(containers_.begin(), containers_.end(), [](const FakeContainer& container) {
    return container.image.program == Program::kEtcd && !container.etcd &&
           container.facts.IsRunning();
  });
}

bool FakeWorld::RegisterSession(const std::string& role, const model::Version& version,
                                const std::string& address, std::vector<std::int64_t>* leases) {
  const std::string prefix = std::string(kMetaPrefix) + "session/";
  const bool is_exclusive = model::RowOf(*model::RoleOfName(role)).is_exclusive;
  if (is_exclusive && etcd_.Find(prefix + role) != nullptr) return false;
  const model::KeyValue* counter = etcd_.Find(prefix + "id");
  const std::int64_t server = counter == nullptr ? 1 : std::stoll(counter->value);
  etcd_.Put(prefix + "id", std::to_string(server + 1));
  const std::int64_t lease = etcd_.Grant(LeaseSeconds(version), now_);
  const std::string version_field =
      version.minor <= 1 ? "" : fmt::format(",\"Version\":\"{}\"", version.Text());
  etcd_.Put(prefix + (is_exclusive ? role : fmt::format("{}-{}", role, server)),
            fmt::format("{{\"ServerID\":{},\"ServerName\":\"{}\",\"Address\":\"{}\","
                        "\"Exclusive\":{}{}}}",
                        server, role, address, is_exclusive, version_field),
            lease);
  leases->push_back(lease);
  return true;
}

// All of a process's roles register at once, or none: an exclusive key of someone else holds it up.
void FakeWorld::Register(FakeContainer& container) {
  const auto role = RoleOf(container);
  const FakeImage& image = container.image;
  if (!role || !IsEtcdRunning()) return;
  const auto roles = model::SessionRolesOf(*role, image.version.minor);
  const std::string prefix = std::string(kMetaPrefix) + "session/";
  for (const model::Role one : roles) {
    if (model::RowOf(one).is_exclusive && etcd_.Find(prefix + std::string(model::NameOf(one))))
      return;
  }
  const model::Version version =
      image.flaw == Flaw::kWrongVersion ? model::Version{2, 0, 2, ""} : image.version;
  const std::string address =
      container.facts.network_ips.empty() ? "" : container.facts.network_ips.begin()->second;
  int port = 21120;
  for (const model::Role one : roles) {
    if (image.flaw == Flaw::kSilent) break;
    RegisterSession(std::string(model::NameOf(one)), version, fmt::format("{}:{}", address, port++),
                    &container.leases);
  }
  container.is_registered = true;
  if (image.flaw != Flaw::kUnhealthy) container.ready_at = now_ + kServeAfter;
  container.log += "registered\n";
}

void FakeWorld::StartForeign(const std::string& role, const std::string& version,
                             const std::string& address) {
  RegisterSession(role, model::ParseVersion(version).value(), address, &foreign_leases_);
}

void FakeWorld::StopForeign() {
  for (const std::int64_t lease : foreign_leases_) etcd_.Revoke(lease);
  foreign_leases_.clear();
}

bool FakeWorld::IsReady(const FakeContainer& container) const {
  return container.facts.IsRunning() && container.ready_at && *container.ready_at <= now_;
}

std::string FakeWorld::HealthOf(const FakeContainer& container) const {
  if (!container.spec.has_healthcheck || !container.facts.IsRunning()) return "";
  const Millis up = now_ - container.started;
  const bool was_ready_at_a_probe = container.ready_at && up >= kProbe &&
                                    container.started + up - up % kProbe >= *container.ready_at;
  if (was_ready_at_a_probe) return "healthy";
  return up >= kUnhealthyAfter ? "unhealthy" : "starting";
}

// --- Time ---

void FakeWorld::At(Millis time, std::function<void()> action) {
  scripted_.emplace_back(time, std::move(action));
}

std::optional<Millis> FakeWorld::NextEvent() const {
  std::optional<Millis> next;
  const auto consider = [&](const std::optional<Millis>& at) {
    if (at && (!next || *at < *next)) next = at;
  };
  for (const FakeContainer& container : containers_) {
    consider(container.ends_at);
    consider(container.restarts_at);
    if (container.facts.IsRunning() && container.image.program == Program::kMilvus &&
        !container.is_registered && now_ < container.started + kRegisterAfter) {
      consider(container.started + kRegisterAfter);
    }
  }
  for (const auto& [at, action] : scripted_) consider(at);
  if (IsEtcdRunning()) consider(etcd_.NextExpiry());
  return next;
}

void FakeWorld::OnTime(Millis now) {
  if (is_applying_) return;  // an event that moves time itself: the outer loop goes on
  is_applying_ = true;
  for (auto next = NextEvent(); next && *next <= now; next = NextEvent()) {
    now_ = std::max(now_, *next);
    Apply(now_);
  }
  now_ = std::max(now_, now);
  Apply(now_);
  is_applying_ = false;
}

void FakeWorld::Apply(Millis now) {
  if (IsEtcdRunning()) etcd_.ExpireAt(now);
  for (std::size_t i = 0; i < containers_.size(); ++i) {
    FakeContainer& container = containers_[i];
    if (container.ends_at && *container.ends_at <= now)
      End(container, container.ends_with, container.ends_gracefully);
    if (container.restarts_at && *container.restarts_at <= now) {
      container.restarts_at.reset();
      container.facts.restart_count += 1;
      (void)StartContainer(container.facts.id);
    }
    if (container.facts.IsRunning() && !container.is_registered && !container.ends_at &&
        now >= container.started + kRegisterAfter) {
      Register(container);
    }
  }
  std::vector<std::function<void()>> due;
  std::erase_if(scripted_, [&](auto& item) {
    if (item.first > now) return false;
    due.push_back(std::move(item.second));
    return true;
  });
  for (const auto& action : due) action();
}

std::string FakeWorld::Describe() {
  std::vector<std::string> lines;
  for (const FakeContainer& container : containers_) {
    const model::Container& facts = container.facts;
    std::string line = fmt::format("container {} {} {} {} policy={} command=[{}]", facts.name,
                                   facts.image, facts.image_id.substr(0, 19), facts.status,
                                   facts.restart_policy, ShellLine(facts.command));
    for (const model::Mount& mount : facts.mounts) line += " " + mount.source + ":" + mount.target;
    for (const auto& port : facts.ports) line += fmt::format(" port={}", port.host_port);
    if (IsReady(container)) line += " serves";
    lines.push_back(std::move(line));
  }
  const std::string session = std::string(kMetaPrefix) + "session/";
  for (const auto& [key, kv] : etcd_.Keys()) {
    if (key == session + "id") continue;
    if (!key.starts_with(session)) {
      lines.push_back(fmt::format("key {} = {}", key, kv.value));
      continue;
    }
    const std::string name = key.substr(session.size());
    const auto version = kv.value.find("\"Version\":");
    lines.push_back(
        fmt::format("session {} {}", name.substr(0, name.find('-')),
                    version == std::string::npos ? "without version" : kv.value.substr(version)));
  }
  for (const auto& [name, labels] : networks) lines.push_back("network " + name);
  for (const auto& [folder, minor] : rocksmq_minor_)
    lines.push_back(fmt::format("data {} of 2.{}", folder, minor));
  std::sort(lines.begin(), lines.end());
  for (const std::string& path : described_files) {
    const auto bytes = files_.Read(path);
    lines.push_back(fmt::format("file {}:\n{}", path, bytes ? *bytes : bytes.error().message));
  }
  return Join(lines, "\n") + "\n";
}

}  // namespace mu::fakes
