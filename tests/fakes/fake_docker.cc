// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "fakes/fake_ports.h"
#include "milvus_upgrade/base/text.h"

namespace mu::fakes {
namespace {

constexpr Millis kTick{100};

bool HasAll(const std::map<std::string, std::string>& labels,
            const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& label) {
    const std::size_t equals = label.find('=');
    const auto it = labels.find(label.substr(0, equals));
    return it != labels.end() &&
           (equals == std::string::npos || it->second == label.substr(equals + 1));
  });
}

tl::unexpected<Error> Gone(const std::string& name) {
  return Fail(ErrorCode::kContainerGone, "No such container: " + name);
}

}  // namespace

Status FakeDocker::CheckEngine() const {
  if (world_.IsEngineUp()) return {};
  return Fail(ErrorCode::kDockerDown, "Cannot connect to the Docker daemon. Is it running?");
}

Result<FakeContainer*> FakeDocker::Need(const std::string& name) {
  FakeContainer* container = world_.Find(name);
  if (container == nullptr) return Gone(name);
  return container;
}

Result<model::Engine> FakeDocker::Info() {
  MU_CHECK(CheckEngine());
  return model::Engine{"FAKE:ENGINE", "20.10.24", "/var/lib/docker", "unix:///run/fake.sock"};
}

Result<std::vector<std::string>> FakeDocker::List(const std::vector<std::string>& labels) {
  MU_CHECK(CheckEngine());
  std::vector<std::string> ids;
  for (const FakeContainer* container : world_.All()) {
    if (HasAll(container->facts.labels, labels)) ids.push_back(container->facts.id);
  }
  return ids;
}

Result<std::vector<std::optional<model::Container>>> FakeDocker::Inspect(
    const std::vector<std::string>& names) {
  MU_CHECK(CheckEngine());
  std::vector<std::optional<model::Container>> found;
  for (const std::string& name : names) {
    FakeContainer* container = world_.Find(name);
    if (container == nullptr) {
      found.emplace_back();
      continue;
    }
    model::Container facts = container->facts;
    facts.health.status = world_.HealthOf(*container);
    if (facts.health.status == "unhealthy") {
      facts.health.failing_streak = 3;
      facts.health.last_output = "curl: (22) The requested URL returned error: 500";
    }
    found.push_back(std::move(facts));
  }
  return found;
}

Result<std::optional<model::Image>> FakeDocker::InspectImage(const std::string& reference) {
  MU_CHECK(CheckEngine());
  const FakeImage* found = world_.FindImage(reference);
  if (found == nullptr) return std::optional<model::Image>();
  model::Image image;
  image.id = found->id;
  image.architecture = "amd64";
  return std::optional(image);
}

Status FakeDocker::Pull(const std::string& reference) {
  MU_TRY(const Answer answer, world_.Enter("pull " + reference));
  if (answer == Answer::kLie) return {};
  const FakeImage* image = world_.FindInRegistry(reference);
  if (image == nullptr)
    return Fail(ErrorCode::kImageMissing, "manifest for " + reference + " not found");
  world_.AddImage(reference, image->program, image->version.Text(), image->flaw);
  return world_.Leave("pull " + reference);
}

Status FakeDocker::FindInRegistry(const std::string& reference) {
  MU_CHECK(CheckEngine());
  if (world_.FindInRegistry(reference) != nullptr) return {};
  return Fail(ErrorCode::kImageMissing, "manifest for " + reference + " not found");
}

Status FakeDocker::Stop(const std::vector<std::string>& names, Millis grace) {
  const std::string call = "stop " + Join(names, " ");
  MU_TRY(const Answer answer, world_.Enter(call));
  if (answer == Answer::kLie) return {};
  MU_CHECK(world_.Signal(names, grace));
  MU_CHECK(world_.Leave("signal " + Join(names, " ")));  // the engine goes on without us
  while (world_.IsAnyEnding(names)) world_.Clock().Advance(kTick);
  return world_.Leave(call);
}

Status FakeDocker::Start(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    MU_TRY(const Answer answer, world_.Enter("start " + name));
    if (answer == Answer::kLie) continue;
    MU_CHECK(world_.StartContainer(name));
    MU_CHECK(world_.Leave("start " + name));
  }
  return {};
}

Status FakeDocker::Remove(const std::string& name, bool is_forced) {
  const Fuse::Cut cut = is_forced ? Fuse::Cut::kLater : Fuse::Cut::kHere;
  MU_TRY(const Answer answer, world_.Enter("remove " + name, cut));
  if (answer == Answer::kLie) return {};
  MU_TRY(const FakeContainer* container, Need(name));
  if (container->facts.IsRunning() && !is_forced) {
    return Fail(ErrorCode::kContainerFailed,
                "You cannot remove a running container " + name + ". Stop the container first");
  }
  world_.RemoveContainer(name);
  return world_.Leave("remove " + name, cut);
}

Status FakeDocker::SetRestartPolicy(const std::vector<std::string>& names,
                                    const std::string& policy, int max_retries) {
  for (const std::string& name : names) {
    MU_TRY(const Answer answer, world_.Enter("update " + name));
    if (answer == Answer::kLie) continue;
    MU_TRY(FakeContainer* const container, Need(name));
    container->facts.restart_policy = policy;
    container->facts.restart_max_retries = max_retries;
    MU_CHECK(world_.Leave("update " + name));
  }
  return {};
}

Result<std::string> FakeDocker::Create(const std::string& name, const std::string& image,
                                       const std::map<std::string, std::string>& labels) {
  MU_TRY(const Answer answer, world_.Enter("create " + name));
  if (answer == Answer::kLie) return std::string(64, '0');
  ContainerSpec spec;
  spec.name = name;
  spec.image = image;
  spec.labels = labels;
  MU_TRY(const std::string id, world_.CreateContainer(spec));
  MU_CHECK(world_.Leave("create " + name));
  return id;
}

Result<std::string> FakeDocker::CreateHelper(const ports::HelperSpec& spec) {
  MU_TRY(const Answer answer, world_.Enter("create " + spec.name));
  if (answer == Answer::kLie) return std::string(64, '0');
  ContainerSpec made;
  made.name = spec.name;
  made.image = spec.image;
  made.command = spec.argv;
  made.labels = spec.labels;
  made.networks = {spec.network};
  MU_TRY(const std::string id, world_.CreateContainer(made));
  MU_CHECK(world_.Leave("create " + spec.name));
  return id;
}

Status FakeDocker::CopyIn(const std::string& name, const std::vector<ports::FileInside>& files) {
  MU_TRY(const Answer answer, world_.Enter("copy in " + name));
  if (answer == Answer::kLie) return {};
  MU_TRY(FakeContainer* const container, Need(name));
  for (const ports::FileInside& file : files) container->files[file.path] = file.bytes;
  return world_.Leave("copy in " + name);
}

Result<ports::ExecResult> FakeDocker::RunHelper(
    const std::string& name, const std::function<void(std::string_view)>& on_line,
    const std::function<bool()>& wants_end) {
  MU_CHECK(CheckEngine());
  MU_TRY(const FakeContainer* container, Need(name));
  const std::vector<std::string> argv = container->spec.command;
  const auto copied = container->files.find(argv[0]);
  if (argv[0] != "echo" && argv[0] != "cat" && copied == container->files.end()) {
    world_.RemoveContainer(name);
    return Fail(ErrorCode::kContainerFailed,
                "exec: \"" + argv[0] + "\": executable file not found in $PATH");
  }
  const std::string printed = argv[0] == "echo" ? Join({argv.begin() + 1, argv.end()}, " ")
                              : copied != container->files.end() ? copied->second
                                                                 : "";
  MU_CHECK(world_.StartContainer(name));
  for (const std::string& line : Lines(printed)) on_line(line);
  while (argv[0] == "cat" && !wants_end()) world_.Clock().Advance(kTick);
  world_.RemoveContainer(name);
  return ports::ExecResult{};
}

Result<std::string> FakeDocker::CreateJob(const ports::JobSpec& spec) {
  MU_TRY(const Answer answer, world_.Enter("create " + spec.name));
  if (answer == Answer::kLie) return std::string(64, '0');
  MU_TRY(const std::string id, world_.CreateJob(spec));
  MU_CHECK(world_.Leave("create " + spec.name));
  return id;
}

// What a job does without a program of the world's; nullopt: it cannot be started.
std::optional<int> FakeDocker::RunOwn(const FakeContainer& container, const FakeJob& job) {
  const std::vector<std::string>& argv = job.spec.argv;
  const bool is_etcd = container.image.program == Program::kEtcd;
  const std::string program = argv.empty() ? "etcd" : argv[0].substr(argv[0].rfind('/') + 1);
  if (program == "echo") {
    job.line(Join({argv.begin() + 1, argv.end()}, " "));
    return 0;
  }
  if (program == "false") return 1;
  if (program == "sleep" || (is_etcd && program == "etcd")) {
    while (job.passes(kTick)) {
    }
    return 0;
  }
  if (!is_etcd || program != "etcdctl") return std::nullopt;
  for (const std::string& word : argv) {
    const auto file = container.files.find(word);
    const EtcdStore* kept =
        file == container.files.end() ? nullptr : world_.SnapshotOf(file->second);
    if (kept == nullptr) continue;
    *container.etcd = *kept;
    return 0;
  }
  job.line("Error: no snapshot to restore");
  return 1;
}

Result<int> FakeDocker::RunJob(const std::string& name,
                               const std::function<void(std::string_view)>& on_line,
                               const std::function<bool()>& wants_kill) {
  MU_TRY(const Answer answer, world_.Enter("run " + name));
  if (answer == Answer::kLie) return 0;
  MU_TRY(const FakeContainer* container, Need(name));
  if (!container->job) return Fail(ErrorCode::kInternal, name + " is no job");
  const ports::JobSpec spec = *container->job;
  const FakeContainer before = *container;
  MU_CHECK(world_.StartContainer(name));
  MU_CHECK(world_.Leave("start " + name));  // the engine goes on without us
  const FakeJob job{spec, on_line, [&](Millis duration) {
                      for (Millis left = duration; left > Millis(0); left -= kTick) {
                        if (wants_kill()) world_.KillContainer(name);
                        const FakeContainer* now = world_.Find(name);
                        if (now == nullptr || !now->facts.IsRunning()) return false;
                        world_.Clock().Advance(std::min(left, kTick));
                      }
                      return true;
                    }};
  const JobProgram* const program = world_.JobProgramOf(spec.image);
  const std::optional<int> code = program != nullptr ? (*program)(job) : RunOwn(before, job);
  if (!code) {
    *world_.Find(name) = before;
    world_.Find(name)->facts.exit_code = 127;
    world_.Find(name)->facts.error = "exec: \"" + spec.argv[0] + "\": executable file not found";
    return Fail(ErrorCode::kContainerFailed, world_.Find(name)->facts.error);
  }
  world_.EndContainer(name, *code);
  MU_CHECK(world_.Leave("run " + name));
  MU_CHECK(CheckEngine());
  MU_TRY(container, Need(name));
  return container->facts.exit_code;
}

Status FakeDocker::Kill(const std::string& name) {
  MU_TRY(const Answer answer, world_.Enter("kill " + name));
  if (answer == Answer::kLie) return {};
  MU_CHECK(Need(name));
  world_.KillContainer(name);
  return world_.Leave("kill " + name);
}

Status FakeDocker::CreateNetwork(const std::string& name,
                                 const std::map<std::string, std::string>& labels) {
  MU_TRY(const Answer answer, world_.Enter("create network " + name));
  if (answer == Answer::kLie) return {};
  if (!world_.networks.try_emplace(name, labels).second)
    return Fail(ErrorCode::kLocked, "network with name " + name + " already exists");
  return world_.Leave("create network " + name);
}

Status FakeDocker::RemoveNetwork(const std::string& name) {
  MU_TRY(const Answer answer, world_.Enter("remove network " + name, Fuse::Cut::kLater));
  if (answer == Answer::kLie) return {};
  if (!world_.networks.contains(name))
    return Fail(ErrorCode::kContainerGone, "network " + name + " not found");
  for (const FakeContainer* container : world_.All()) {
    if (container->facts.IsRunning() && container->facts.network_ips.contains(name))
      return Fail(ErrorCode::kContainerFailed, "network " + name + " has active endpoints");
  }
  world_.networks.erase(name);
  return world_.Leave("remove network " + name, Fuse::Cut::kLater);
}

Result<std::vector<std::string>> FakeDocker::ListNetworks(const std::vector<std::string>& labels) {
  MU_CHECK(CheckEngine());
  std::vector<std::string> names;
  for (const auto& [name, own] : world_.networks) {
    if (HasAll(own, labels)) names.push_back(name);
  }
  return names;
}

Status FakeDocker::CopyFileIn(const std::string& name, const std::string& file,
                              const std::string& path_inside) {
  MU_TRY(const Answer answer, world_.Enter("copy in " + name));
  if (answer == Answer::kLie) return {};
  MU_TRY(FakeContainer* const container, Need(name));
  auto bytes = world_.Files().Read(file);
  if (!bytes) return Fail(ErrorCode::kFileRead, bytes.error().message);
  container->files[path_inside] = *std::move(bytes);
  return world_.Leave("copy in " + name);
}

Result<ports::ExecResult> FakeDocker::Exec(const std::string& name,
                                           const std::vector<std::string>& argv,
                                           const std::map<std::string, std::string>&, Millis) {
  MU_CHECK(CheckEngine());
  MU_TRY(const FakeContainer* container, Need(name));
  if (!container->facts.IsRunning())
    return Fail(ErrorCode::kContainerGone, "Container " + name + " is not running");
  if (argv.empty() || argv.front() != "curl")
    return ports::ExecResult{127, "", "exec: not found in $PATH"};
  if (!container->is_registered && container->image.flaw != Flaw::kUnhealthy)
    return ports::ExecResult{7, "000", "Connection refused"};
  return ports::ExecResult{0, world_.IsReady(*container) ? "200" : "500", ""};
}

// No program of the fake reads its stdin.
Result<ports::ExecResult> FakeDocker::ExecWithInput(
    const std::string& name, const std::vector<std::string>& argv,
    const std::map<std::string, std::string>& environment, const std::string&, Millis timeout) {
  return Exec(name, argv, environment, timeout);
}

Result<std::string> FakeDocker::Logs(const std::string& name, int lines) {
  MU_CHECK(CheckEngine());
  MU_TRY(const FakeContainer* container, Need(name));
  return Tail(container->log, static_cast<std::size_t>(lines));
}

Status FakeDocker::CopyOut(const std::string& name, const std::string& path_inside,
                           const std::string& tar_file) {
  MU_CHECK(CheckEngine());
  MU_TRY(const FakeContainer* container, Need(name));
  for (const model::Mount& mount : container->facts.mounts) {
    if (path_inside.starts_with(mount.target)) {
      return world_.Files().Create(tar_file, "tar of " + mount.source + "\n", 0600);
    }
  }
  return Fail(ErrorCode::kFileRead,
              fmt::format("Could not find the file {} in container {}", path_inside, name));
}

Result<std::string> FakeDocker::ReadFile(const std::string& name, const std::string& path_inside) {
  MU_CHECK(CheckEngine());
  MU_TRY(const FakeContainer* container, Need(name));
  if (const auto copied = container->files.find(path_inside); copied != container->files.end())
    return copied->second;
  const auto it = world_.image_files.find(container->facts.image + ":" + path_inside);
  if (it != world_.image_files.end()) return it->second;
  return Fail(ErrorCode::kFileRead,
              fmt::format("Could not find the file {} in container {}", path_inside, name));
}

Result<ports::HttpAnswer> FakeHttp::Get(const std::string& url, Millis timeout) {
  const std::string rest = url.substr(std::min(url.size(), std::string("http://").size()));
  const std::size_t colon = rest.find(':');
  const std::size_t slash = rest.find('/');
  const int port = colon == std::string::npos ? 80 : std::atoi(rest.c_str() + colon + 1);
  const std::string path = slash == std::string::npos ? "/" : rest.substr(slash);
  (void)timeout;
  for (const FakeContainer* container : world_.All()) {
    for (const model::PublishedPort& published : container->facts.ports) {
      if (published.host_port != port) continue;
      // docker-proxy accepts early; behind it nobody listens yet (ground.md 3).
      if (!container->is_registered && container->image.flaw != Flaw::kUnhealthy) break;
      if (path == "/healthz") {
        return world_.IsReady(*container)
                   ? ports::HttpAnswer{200, "OK"}
                   : ports::HttpAnswer{500, "Not all components are healthy"};
      }
      if (path != "/metrics") return ports::HttpAnswer{404, "404 page not found"};
      const model::Version& version = container->image.version;
      if (version.minor < 5) return ports::HttpAnswer{200, "# no build info\n"};
      return ports::HttpAnswer{
          200, fmt::format("milvus_build_info{{version=\"{}\"}} 1\n", version.Text())};
    }
  }
  return Fail(ErrorCode::kCommandFailed, url + ": Connection refused");
}

}  // namespace mu::fakes
