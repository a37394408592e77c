// SPDX-License-Identifier: Apache-2.0
#include "effects/scratch_etcd.h"

#include <fmt/format.h>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/helper_container.h"
#include "milvus_upgrade/run/wait.h"

namespace mu::effects {
namespace {

constexpr char kFolder[] = "/milvus-upgrade";
constexpr char kSnapshot[] = "/milvus-upgrade/etcd.snap";
constexpr char kData[] = "/milvus-upgrade/data";
constexpr Millis kStartTimeout{60'000};
// The most that etcd advises; a stack's own may be above the default of 2 GiB.
constexpr char kQuota[] = "8589934592";

}  // namespace

ScratchEtcd::ScratchEtcd(const EffectPorts& ports, const std::string& project)
    : ports_(ports),
      project_(project),
      restorer_(HelperName("scratch-restore", project)),
      server_(HelperName("scratch-etcd", project)),
      network_(HelperName("scratch", project)) {}

ScratchEtcd::~ScratchEtcd() { RemoveAll(); }

void ScratchEtcd::RemoveAll() {
  client_.reset();
  (void)ports_.docker.Remove(server_, true);
  (void)ports_.docker.Remove(restorer_, true);
  (void)ports_.docker.RemoveNetwork(network_);
}

MigrationTarget ScratchEtcd::Target() const {
  return {server_, network_, {server_ + ":2379"}, true};
}

Result<std::unique_ptr<ScratchEtcd>> ScratchEtcd::Start(
    const EffectPorts& ports, const std::string& project, const std::string& like,
    const std::string& snapshot, const meta::Scope& scope, run::StepScope& step_scope) {
  std::unique_ptr<ScratchEtcd> scratch(new ScratchEtcd(ports, project));
  scratch->RemoveAll();  // of a run that was killed
  MU_TRY(const auto containers, InspectAll(ports.docker, {like}));
  MU_TRY(const auto image, ports.docker.InspectImage(containers.front().image_id));
  if (!image)
    return Fail(ErrorCode::kImageMissing,
                fmt::format("the image of {} is gone from the engine", like));
  step_scope.Waiting("the snapshot is restored into a scratch etcd");
  Status made = scratch->Make(*image, snapshot, step_scope);
  if (!made && IsAboutWeight(made.error())) {
    scratch->RemoveAll();
    scratch->is_gentle_ = false;
    made = scratch->Make(*image, snapshot, step_scope);
  }
  MU_CHECK(made);
  MU_CHECK(scratch->RemoveSessions(scope));
  return scratch;
}

Status ScratchEtcd::Make(const model::Image& image, const std::string& snapshot,
                         run::StepScope& scope) {
  MU_CHECK(Restore(image, snapshot, scope));
  return Serve(image, scope);
}

ports::JobSpec ScratchEtcd::SpecOf(const std::string& name, const model::Image& image) const {
  ports::JobSpec spec;
  spec.name = name;
  spec.image = image.id;
  spec.network = "none";
  spec.labels = {{run::kHelperLabel, project_}};
  spec.is_gentle = is_gentle_;
  spec.is_root = true;  // whoever the image's user is, the files copied in are root's
  // etcd refuses to start where a variable of its image contradicts a flag; an empty one says
  // nothing.
  for (const auto& [variable, value] : image.environment) {
    if (variable.starts_with("ETCD_")) spec.environment[variable] = "";
  }
  spec.environment["ETCDCTL_API"] = "3";  // for 3.3 and older
  return spec;
}

Status ScratchEtcd::Restore(const model::Image& image, const std::string& snapshot,
                            run::StepScope& scope) {
  Error last;
  // etcdutl does it since 3.5; etcdctl did before, and still does in 3.5.
  for (const char* program : {"etcdutl", "etcdctl"}) {
    (void)ports_.docker.Remove(restorer_, true);
    ports::JobSpec spec = SpecOf(restorer_, image);
    spec.argv = {program, "snapshot", "restore", kSnapshot, "--data-dir", kData};
    spec.volume = kFolder;
    MU_CHECK(ports_.docker.CreateJob(spec));
    MU_CHECK(ports_.docker.CopyFileIn(restorer_, snapshot, kSnapshot));
    std::string words;
    const auto ended = ports_.docker.RunJob(
        restorer_,
        [&](std::string_view line) {
          if (words.size() < 4096) words.append(line).append("\n");
        },
        [&] { return scope.IsInterrupted(); });
    if (ended && *ended == 0) return {};
    if (!ended && ended.error().code != ErrorCode::kContainerFailed) return Fail(ended.error());
    last = ended ? Error{ErrorCode::kContainerFailed,
                         fmt::format("{} snapshot restore ended with exit code {}: {}", program,
                                     *ended, Printable(Tail(Trim(words), 2))),
                         "",
                         {}}
                 : ended.error();
  }
  return Fail(last);
}

Status ScratchEtcd::Serve(const model::Image& image, run::StepScope& scope) {
  MU_CHECK(ports_.docker.CreateNetwork(network_, {{run::kHelperLabel, project_}}));
  ports::JobSpec spec = SpecOf(server_, image);
  spec.network = network_;
  spec.volumes_from = restorer_;
  const std::string url = fmt::format("http://{}:2379", server_);
  spec.argv = {"etcd",
               "--data-dir",
               kData,
               "--listen-client-urls",
               "http://0.0.0.0:2379",
               "--advertise-client-urls",
               url,
               "--quota-backend-bytes",
               kQuota};
  MU_CHECK(ports_.docker.CreateJob(spec));
  MU_CHECK(ports_.docker.Start({server_}));
  const auto look = [&]() -> Result<run::Observation> {
    MU_TRY(const auto containers, InspectAll(ports_.docker, {server_}));
    if (!containers.front().IsRunning()) {
      const auto words = ports_.docker.Logs(server_, 3);
      return Fail(ErrorCode::kContainerFailed,
                  fmt::format("the scratch etcd ended with exit code {}: {}",
                              containers.front().exit_code, words.value_or("")));
    }
    auto client = ports_.etcd_clients.Of(server_);
    if (!client) return run::Observation{false, client.error().message};
    const auto page = (*client)->GetPage({"a", "", 0, 1, true});
    if (!page) return run::Observation{false, page.error().message};
    client_ = *std::move(client);
    return run::Observation{true, "the scratch etcd answers"};
  };
  MU_CHECK(run::WaitFor("the scratch etcd", kStartTimeout, Millis(100), ports_.clock, scope, look));
  return {};
}

Status ScratchEtcd::RemoveSessions(const meta::Scope& scope) {
  const std::string sessions = scope.Sessions();
  MU_TRY(const ports::KeyPage page,
         client_->GetPage({sessions, model::EndOfPrefix(sessions), 0, 0, true}));
  for (const model::KeyValue& kv : page.kvs) {
    if (kv.lease == 0) continue;  // the counter
    const ports::Transaction remove{
        {{kv.key, "", ports::Compare::Field::kModRevision, kv.mod_revision, ""}},
        {{ports::Write::Kind::kDelete, kv.key, "", 0}}};
    MU_CHECK(client_->Commit(remove));
  }
  return {};
}

}  // namespace mu::effects
