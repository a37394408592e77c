// SPDX-License-Identifier: Apache-2.0
// FakeWorld: one engine, one etcd, the network between them, in memory and on a hand clock. It
// knows how Milvus starts, registers, ignores SIGTERM, leaves keys behind and spoils data, by
// version, as measured (ground.md 3). The fake ports (fake_ports.h) are windows on it; it owns the
// truth that tests compare. Every call that changes it is an effect point: a test can cut the power
// there, answer with an error, lie, or let an outsider act.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fakes/etcd_store.h"
#include "fakes/fuse.h"
#include "fakes/hand_clock.h"
#include "milvus_upgrade/model/container.h"
#include "milvus_upgrade/model/role.h"
#include "milvus_upgrade/model/version.h"
#include "milvus_upgrade/ports/docker.h"
#include "milvus_upgrade/ports/files.h"

namespace mu::fakes {

enum class Program { kOther, kEtcd, kMilvus };
enum class Flaw {
  kNone,
  kCrash,         // ends with exit code 134 half a second after each start
  kUnhealthy,     // runs, /healthz 500, the health check fails
  kSilent,        // healthy, but registers no session
  kWrongVersion,  // registers as 2.0.2
  kStubborn,      // any program: ignores SIGTERM
};

struct FakeImage {
  std::string id;
  Program program = Program::kOther;
  model::Version version;  // of Milvus
  Flaw flaw = Flaw::kNone;
  bool operator==(const FakeImage&) const = default;
};

// What a container was made from.
struct ContainerSpec {
  std::string name;
  std::string image;
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> labels;
  std::vector<model::Mount> mounts;
  std::vector<model::PublishedPort> ports;
  std::vector<std::string> networks;
  std::string restart = "no";
  bool has_healthcheck = false;
};

struct FakeContainer {
  model::Container facts;
  ContainerSpec spec;
  FakeImage image;
  bool is_held_down = false;  // stopped by hand: only an engine restart brings `always` back
  int starts = 0;
  Millis started{0};
  std::optional<Millis> ends_at;      // by itself or by a signal that is on its way
  int ends_with = 0;                  // exit code
  bool ends_gracefully = false;       // its sessions go with it
  std::optional<Millis> restarts_at;  // restart policy
  bool is_registered = false;
  std::optional<Millis> ready_at;
  std::vector<std::int64_t> leases;
  std::string log;
  std::map<std::string, std::string> files;  // copied in
  std::optional<ports::JobSpec> job;
  // Of a job from an image of etcd: shared with the jobs that see its volume. Null: the stack's.
  std::shared_ptr<EtcdStore> etcd;
};

// A job's program while it runs.
struct FakeJob {
  const ports::JobSpec& spec;
  std::function<void(std::string_view)> line;  // prints one
  std::function<bool(Millis)> passes;  // lets time pass; false: the job was killed meanwhile
};
using JobProgram = std::function<int(const FakeJob&)>;  // returns the exit code

enum class Answer { kTrue, kEngineDown, kHang, kLie };  // kLie: says success and does nothing

class FakeWorld {
 public:
  FakeWorld(Fuse& fuse, HandClock& clock, ports::Files& files);
  FakeWorld(const FakeWorld&) = delete;
  FakeWorld& operator=(const FakeWorld&) = delete;

  // --- Setting the stage, and outsiders acting. None of these is an effect point. ---
  void AddImage(const std::string& reference, Program program, const std::string& version = {},
                Flaw flaw = Flaw::kNone);
  void AddToRegistry(const std::string& reference, const std::string& version,
                     Flaw flaw = Flaw::kNone);
  void RemoveImage(const std::string& reference) { images_.erase(reference); }
  Result<std::string> CreateContainer(const ContainerSpec& spec);  // errors: kLocked, kImageMissing
  Status StartContainer(const std::string& name);                  // errors: kContainerFailed
  void KillContainer(const std::string& name);                     // SIGKILL from outside
  void RemoveContainer(const std::string& name);
  void SetLoaded(bool is_loaded) { is_loaded_ = is_loaded; }  // a collection is loaded
  void TakePort(int host_port) { taken_ports_.insert(host_port); }
  void FreePort(int host_port) { taken_ports_.erase(host_port); }
  void SetEngineUp(bool is_up) { is_engine_up_ = is_up; }
  void RestartEngine();
  // A Milvus process outside of this engine: registers this role and lives until StopForeign.
  void StartForeign(const std::string& role, const std::string& version,
                    const std::string& address);
  void StopForeign();
  // Runs `action` when the time comes.
  void At(Millis time, std::function<void()> action);
  // What the jobs made from an image do when they are run, by the image's reference. Without one a
  // job knows echo, false, sleep, etcd and `etcdctl snapshot restore`.
  std::map<std::string, JobProgram> job_programs;
  std::function<Answer(const std::string& name, int number)> on_call;  // before each effect point

  // --- The truth. ---
  FakeContainer* Find(const std::string& name_or_id);
  std::vector<FakeContainer*> All();
  const FakeImage* FindImage(const std::string& reference) const;
  const FakeImage* FindInRegistry(const std::string& reference) const;
  EtcdStore& Etcd() { return etcd_; }  // the stack's
  EtcdStore& EtcdOf(const std::string& container);
  // What the snapshot with these bytes holds; null when it is none of this world.
  const EtcdStore* SnapshotOf(const std::string& bytes) const;
  HandClock& Clock() { return clock_; }
  ports::Files& Files() { return files_; }
  Fuse& TheFuse() { return fuse_; }
  bool IsEngineUp() const { return is_engine_up_; }
  bool IsReady(const FakeContainer& container) const;  // /healthz 200
  std::string HealthOf(const FakeContainer& container) const;
  std::map<std::string, std::map<std::string, std::string>> networks;  // made by us: labels
  std::map<std::string, std::string> shell;        // variables that Compose sees
  std::map<std::string, std::string> image_files;  // "image:path" -> text
  std::vector<std::string> described_files;        // whose bytes belong to the world
  // All that matters of the world, without what differs between two runs of the same story: ids,
  // times, addresses, leases, counters.
  std::string Describe();
  std::string TimeText(Millis at) const;

  // --- For the fake ports. ---
  // An effect point. The returned answer is the hook's; the fuse may cut or fail. What destructors
  // want while a PowerCut goes through does not happen: their process is dead.
  Result<Answer> Enter(const std::string& name, Fuse::Cut cut = Fuse::Cut::kHere);
  // Behind it: the power may go, or the answer be an error although it was done.
  Status Leave(const std::string& name, Fuse::Cut cut = Fuse::Cut::kHere) {
    const Error* error = fuse_.Pass("after " + name, cut);
    return error == nullptr ? Status() : Fail(*error);
  }
  Result<std::string> CreateJob(const ports::JobSpec& spec);  // errors: as CreateContainer
  const JobProgram* JobProgramOf(const std::string& image) const;
  void EndContainer(const std::string& name, int exit_code);  // by itself; nothing when it is over
  void KeepSnapshot(const std::string& bytes, const EtcdStore& store);
  Status Signal(const std::vector<std::string>& names, Millis grace);  // SIGTERM, SIGKILL later
  bool IsAnyEnding(const std::vector<std::string>& names);
  static constexpr char kMetaPrefix[] = "by-dev/meta/";

 private:
  void OnTime(Millis now);
  std::optional<Millis> NextEvent() const;
  void Apply(Millis now);
  void End(FakeContainer& container, int exit_code, bool is_graceful);
  void Register(FakeContainer& container);
  bool RegisterSession(const std::string& role, const model::Version& version,
                       const std::string& address, std::vector<std::int64_t>* leases);
  std::string FreeAddress() const;
  bool IsEtcdRunning() const;
  bool HasNetwork(const std::string& name) const;
  std::optional<model::Role> RoleOf(const FakeContainer& container) const;
  struct StopBehaviour {
    std::optional<Millis> takes;  // nullopt: SIGTERM is ignored
    bool frees_sessions = true;
  };
  StopBehaviour StopOf(const FakeContainer& container) const;
  bool SpoilsData(FakeContainer& container);

  Fuse& fuse_;
  HandClock& clock_;
  ports::Files& files_;
  Millis now_{0};
  bool is_engine_up_ = true;
  bool is_loaded_ = true;
  bool is_applying_ = false;
  int calls_ = 0;
  int containers_made_ = 0;
  std::vector<FakeContainer> containers_;
  std::map<std::string, FakeImage> images_;
  std::map<std::string, FakeImage> registry_;
  std::set<int> taken_ports_;
  std::map<std::string, int> rocksmq_minor_;  // data folder -> newest minor that opened it
  std::vector<std::int64_t> foreign_leases_;
  std::vector<std::pair<Millis, std::function<void()>>> scripted_;
  EtcdStore etcd_;
  std::map<std::string, EtcdStore> snapshots_;  // by the SHA-256 of their bytes
};

}  // namespace mu::fakes
