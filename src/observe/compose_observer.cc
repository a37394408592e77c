// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/observe/compose_observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/rules/migration.h"
#include "observe/etcd_facts.h"
#include "observe/migration_facts.h"
#include "observe/settings.h"

namespace mu::observe {
namespace {

constexpr char kProjectLabel[] = "com.docker.compose.project";
constexpr char kServiceLabel[] = "com.docker.compose.service";
constexpr char kOneOffLabel[] = "com.docker.compose.oneoff";
constexpr char kVersionLabel[] = "com.docker.compose.version";
// Programs that start or recreate containers by themselves (issue: known autostarters).
constexpr std::string_view kAutostarters[] = {"watchtower", "autoheal", "ouroboros", "shepherd"};

// Both generations: lower case, and only [a-z0-9_-].
std::string NormalName(const std::string& name) {
  std::string normal;
  for (char c : ToLower(name)) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-') normal += c;
  }
  return normal;
}

Result<std::vector<model::Container>> AllContainers(ports::Docker& docker) {
  MU_TRY(const std::vector<std::string> ids, docker.List({}));
  if (ids.empty()) return std::vector<model::Container>{};
  MU_TRY(const auto found, docker.Inspect(ids));
  std::vector<model::Container> containers;
  for (const auto& container : found) {
    if (container) containers.push_back(*container);
  }
  return containers;
}

std::vector<model::Container> OfProject(const std::vector<model::Container>& all,
                                        const std::string& project) {
  std::vector<model::Container> mine;
  for (const model::Container& container : all) {
    if (container.Label(kProjectLabel) == project &&
        ToLower(container.Label(kOneOffLabel)) != "true") {
      mine.push_back(container);
    }
  }
  return mine;
}

// The generation that made the containers; where there are none, the one that is installed.
Result<model::ComposeGeneration> GenerationOf(const World& world,
                                              const std::vector<model::Container>& mine,
                                              std::string* made_by_version) {
  for (const model::Container& container : mine) {
    *made_by_version = container.Label(kVersionLabel);
    if (!made_by_version->empty()) {
      return made_by_version->starts_with("1.") ? model::ComposeGeneration::kV1
                                                : model::ComposeGeneration::kV2;
    }
  }
  if (const auto v2 = world.compose.Version(model::ComposeGeneration::kV2))
    return model::ComposeGeneration::kV2;
  if (const auto v1 = world.compose.Version(model::ComposeGeneration::kV1))
    return model::ComposeGeneration::kV1;
  return Fail(ErrorCode::kComposeMissing,
              "neither `docker compose` nor `docker-compose` can be run",
              "install the Compose plugin (docker-compose-plugin) and run again");
}

// The config files inside a container, in the order in which Milvus reads them.
std::vector<NamedText> SettingsFiles(ports::Docker& docker, const model::Container& container) {
  std::vector<NamedText> texts;
  for (const char* name : {"milvus.yaml", "user.yaml"}) {
    if (auto text = docker.ReadFile(container.id, fmt::format("/milvus/configs/{}", name))) {
      texts.push_back(
          {fmt::format("{}:/milvus/configs/{}", container.name, name), std::move(*text)});
    }
  }
  return texts;
}

std::optional<model::Version> MetricsVersion(ports::Http& http, const std::string& address) {
  if (address.empty()) return std::nullopt;
  const auto answer = http.Get(address + "/metrics", Millis(3000));
  if (!answer || answer->status != 200) return std::nullopt;
  const auto at = answer->body.find("milvus_build_info{");
  const auto start = at == std::string::npos ? at : answer->body.find("version=\"", at);
  if (start == std::string::npos) return std::nullopt;
  const auto end = answer->body.find('"', start + 9);
  auto version = model::VersionOfTag(answer->body.substr(start + 9, end - start - 9));
  return version ? std::optional(*version) : std::nullopt;
}

// The version that the sessions of this container carry: matched by its addresses.
std::optional<model::Version> SessionVersion(const std::vector<model::Session>& sessions,
                                             const model::Container& container) {
  for (const model::Session& session : sessions) {
    const std::string ip = session.address.substr(0, session.address.find(':'));
    for (const auto& [network, address] : container.network_ips) {
      if (address.empty() || address != ip || session.version.empty()) continue;
      // "2.2.0-pre+dev" and "2.2.16-lite" are seen: the numbers count (milvus.md 9).
      const std::string numbers = session.version.substr(0, session.version.find_first_of("-+"));
      if (auto version = model::ParseVersion(numbers)) return *version;
    }
  }
  return std::nullopt;
}

Status ObserveFiles(const World& world, const edit::ProjectSources& sources,
                    model::Observed* observed) {
  for (const auto* files : {&sources.compose, &sources.reachable, &sources.env}) {
    for (const edit::SourceFile& file : *files) {
      model::ProjectFile fact;
      fact.path = file.path;
      fact.sha256 = Sha256(file.bytes);
      MU_TRY(const auto stat, world.files.Stat(file.path));
      fact.is_writable = stat && stat->is_writable;
      if (stat) fact.link_target = stat->link_target;
      MU_TRY(fact.not_replaceable, world.files.WhyNotReplaceable(file.path));
      observed->files.push_back(std::move(fact));
    }
  }
  return {};
}

void ObserveShell(const edit::ProjectSources& sources, model::Observed* observed) {
  for (const auto& [name, value] : sources.shell) {
    for (const edit::SourceFile& file : sources.env) {
      for (const std::string& line : Lines(file.bytes)) {
        if (line.starts_with(name + "=") && line.substr(name.size() + 1) != value) {
          observed->shell_overrides[name] = IsSecretName(name) ? "***" : value;
        }
      }
    }
  }
}

void MaskSecrets(std::map<std::string, std::string>* environment) {
  for (auto& [name, value] : *environment) {
    if (IsSecretName(name)) value = "sha256:" + Sha256(value).substr(0, 12);
  }
}

void MaskSecrets(model::Observed* observed) {
  for (auto& [name, service] : observed->project.services) MaskSecrets(&service.environment);
  for (model::MilvusService& service : observed->milvus) {
    if (service.container) MaskSecrets(&service.container->environment);
  }
  for (auto& [service, container] : observed->name_holders) MaskSecrets(&container.environment);
  for (auto* containers : {&observed->other_containers, &observed->autostarters}) {
    for (model::Container& container : *containers) MaskSecrets(&container.environment);
  }
  for (auto& [reference, image] : observed->images) {
    if (image) MaskSecrets(&image->environment);
  }
}

// The folder that a CI job's files are in and that the next job wipes: GitHub, GitLab, Jenkins.
std::string CiWorkspace(const std::map<std::string, std::string>& environment) {
  if (!environment.contains("CI")) return {};
  for (const char* name : {"GITHUB_WORKSPACE", "CI_PROJECT_DIR", "WORKSPACE"}) {
    const auto it = environment.find(name);
    if (it != environment.end() && !it->second.empty()) return it->second;
  }
  return {};
}

// Containers that have a name which the files give to a service of this project, and are not ours.
void ObserveNames(const std::vector<model::Container>& all, model::Observed* observed) {
  for (const auto& [name, service] : observed->project.services) {
    if (service.container_name.empty()) continue;
    for (const model::Container& container : all) {
      if (container.name == service.container_name &&
          container.Label(kProjectLabel) != observed->project.name)
        observed->name_holders[name] = container;
    }
  }
}

Status ObserveServices(const std::vector<model::Container>& mine, model::Observed* observed) {
  for (const auto& [name, service] : observed->project.services) {
    const auto image = model::ParseImageRef(service.image);
    if (!image || !model::IsMilvusServer(*image)) continue;
    model::MilvusService milvus;
    milvus.service = name;
    milvus.image = *image;
    for (const model::Container& container : mine) {
      if (container.Label(kServiceLabel) == name) milvus.container = container;
    }
    auto role = model::RoleOfCommand(service.command);
    if (!role && milvus.container) role = model::RoleOfCommand(milvus.container->command);
    if (!role) continue;
    milvus.role = *role;
    // The running container's tag tells what runs; the file's tag is only what is wanted (config
    // drift is a check).
    const auto running = milvus.container ? model::ParseImageRef(milvus.container->image) : image;
    if (const auto version = model::VersionOfTag(running ? running->tag : image->tag))
      milvus.tag_version = *version;
    observed->milvus.push_back(std::move(milvus));
  }
  for (const model::Container& container : mine) {
    const std::string service = container.Label(kServiceLabel);
    const bool is_milvus =
        std::any_of(observed->milvus.begin(), observed->milvus.end(),
                    [&](const auto& milvus) { return milvus.service == service; });
    if (!is_milvus) observed->other_containers.push_back(container);
  }
  if (observed->milvus.empty()) {
    std::vector<std::string> images;
    for (const auto& [name, service] : observed->project.services)
      images.push_back(name + " (" + service.image + ")");
    return Fail(ErrorCode::kNoMilvusService,
                fmt::format("no service of project \"{}\" is a Milvus component; its services: {}",
                            observed->project.name, Join(images, ", ")));
  }
  return {};
}

Status ObserveMilvus(const World& world, const std::vector<model::Container>& all,
                     model::Observed* observed) {
  // Settings are those of the one process that all agree with: standalone, else the first
  // coordinator that runs.
  const model::MilvusService* source = &observed->milvus.front();
  for (const model::MilvusService& milvus : observed->milvus) {
    if (milvus.container &&
        (!source->container || model::RowOf(milvus.role).tier == model::Tier::kCoordinator)) {
      source = &milvus;
    }
  }
  const bool is_standalone = source->role == model::Role::kStandalone;
  std::vector<NamedText> yamls;
  std::map<std::string, std::string> environment =
      observed->project.services[source->service].environment;
  if (source->container) {
    yamls = SettingsFiles(world.docker, *source->container);
    environment = source->container->environment;
  }
  MU_TRY(observed->settings, SettingsOf(environment, yamls, is_standalone));

  std::string service;
  if (const model::Container* etcd = FindEtcd(all, observed->settings, &service)) {
    observed->etcd.container_id = etcd->id;
    observed->etcd.container_name = etcd->name;
    observed->etcd.service = service;
    if (etcd->IsRunning()) {
      ReadEtcdFacts(world.etcd, observed->settings, &observed->etcd, &observed->migration.metadata);
    } else {
      observed->etcd.unreachable = fmt::format("its container {} is {}", etcd->name, etcd->status);
    }
  } else {
    observed->etcd.unreachable = fmt::format("no container of this engine answers to {}",
                                             Join(observed->settings.etcd_endpoints, ", "));
  }
  for (model::MilvusService& milvus : observed->milvus) {
    if (!milvus.container || !milvus.container->IsRunning()) continue;
    milvus.session_version = SessionVersion(observed->etcd.sessions, *milvus.container);
    milvus.metrics_version =
        MetricsVersion(world.http, ManagementAddress(*observed, milvus, nullptr));
  }
  return {};
}

// What runs, what the files name, what each hop needs.
std::set<std::string> ReferencesOf(const config::Config& config,
                                   const std::optional<rules::VersionPath>& path,
                                   const model::Observed& observed) {
  std::set<std::string> references;
  for (const model::MilvusService& milvus : observed.milvus) {
    references.insert(milvus.image.Text());
    if (milvus.container) references.insert(milvus.container->image);
    if (!path) continue;
    for (const rules::HopRule& hop : path->hops) {
      references.insert(
          milvus.image.WithTag(model::TagForVersion(milvus.image.tag, hop.to)).Text());
    }
  }
  const bool uses_tool =
      config.migration_engine == config::MigrationEngine::kContainer || config.backs_up_with_tool;
  if (path && rules::MigrationHopOf(*path) != nullptr && uses_tool)
    references.insert(config.migration_image);
  return references;
}

Status ObserveImages(const World& world, const std::set<std::string>& references,
                     model::Observed* observed) {
  for (const std::string& reference : references) {
    MU_TRY(observed->images[reference], world.docker.InspectImage(reference));
    if (observed->images[reference]) continue;
    // A missing image that is found here costs no outage. A registry that cannot be asked says
    // nothing: the pull comes before the outage as well.
    const Status found = world.docker.FindInRegistry(reference);
    if (!found && found.error().code == ErrorCode::kImageMissing) {
      observed->unavailable_images[reference] = found.error().message;
    }
  }
  return {};
}

}  // namespace

std::string PublishedAddress(const std::string& endpoint, const model::PublishedPort& port) {
  // A published port is on the engine's host: ours when the endpoint is a local socket, else the
  // host that it names.
  std::string host = "127.0.0.1";
  const bool is_remote =
      !endpoint.empty() && !endpoint.starts_with("unix://") && !endpoint.starts_with("npipe://");
  if (is_remote) {
    std::string authority = endpoint.substr(endpoint.find("://") + 3);
    if (const auto user = authority.find('@'); user != std::string::npos)
      authority = authority.substr(user + 1);
    host = authority.substr(0, authority.find_first_of(":/"));
  }
  const bool is_loopback = port.host_ip.starts_with("127.") || port.host_ip == "::1";
  const bool is_any = port.host_ip.empty() || port.host_ip == "0.0.0.0" || port.host_ip == "::";
  if (port.host_port == 0 || (is_remote && is_loopback)) return {};
  if (!is_any)
    host = port.host_ip.find(':') == std::string::npos ? port.host_ip : "[" + port.host_ip + "]";
  return fmt::format("http://{}:{}", host, port.host_port);
}

std::string ManagementAddress(const model::Observed& observed, const model::MilvusService& service,
                              std::string* why_not) {
  std::string ignored;
  std::string& why = why_not == nullptr ? ignored : *why_not;
  if (!service.container) {
    why = "it has no container";
    return {};
  }
  for (const model::PublishedPort& port : service.container->ports) {
    if (port.container_port != observed.settings.metrics_port || port.host_port == 0) continue;
    std::string address = PublishedAddress(observed.engine.endpoint, port);
    if (address.empty())
      why = fmt::format("port {} is published on the engine's own loopback only",
                        port.container_port);
    return address;
  }
  why = fmt::format("port {} of {} is not published", observed.settings.metrics_port,
                    service.service);
  return {};
}

std::string FingerprintOf(const model::Observed& observed) {
  std::string facts = "engine " + observed.engine.id + "\nproject " + observed.project.name + "\n";
  for (const model::ProjectFile& file : observed.files)
    facts += "file " + file.path + " " + file.sha256 + "\n";
  for (const model::MilvusService& milvus : observed.milvus) {
    facts += "service " + milvus.service + " " + milvus.image.Text();
    if (milvus.container) {
      facts += " " + milvus.container->id + " " + milvus.container->image_id + " " +
               milvus.container->status + " " + milvus.container->started_at;
    }
    facts += "\n";
  }
  facts += "root " + observed.settings.MetaPrefix() + " of " + observed.etcd.container_id + "\n";
  for (const model::Session& session : observed.etcd.sessions) {
    facts += fmt::format("session {} {} {} {}\n", session.key, session.server_id, session.lease,
                         session.create_revision);
  }
  return Sha256(facts);
}

Result<ComposeView> ObserveCompose(const World& world, const config::Config& config) {
  ComposeView view;
  model::Observed& observed = view.observed;
  MU_TRY(observed.selectors, ResolveSelectors(world, config.selectors));
  observed.project_directory = ProjectDirectoryOf(observed.selectors);
  observed.state_dir = world.files.Absolute(config.state_dir.empty()
                                                ? observed.project_directory + "/.milvus-upgrade"
                                                : config.state_dir);
  observed.ci_workspace = CiWorkspace(world.environment);
  MU_TRY(view.sources, ReadSources(world, observed.selectors));
  MU_TRY(observed.engine, world.docker.Info());
  MU_TRY(const std::vector<model::Container> all, AllContainers(world.docker));

  std::string name = observed.selectors.project_name;
  if (name.empty()) name = std::filesystem::path(observed.project_directory).filename().string();
  name = NormalName(name);
  MU_TRY(observed.made_by, GenerationOf(world, OfProject(all, name), &observed.made_by_version));
  MU_TRY(observed.compose_version, world.compose.Version(observed.made_by));
  MU_TRY(observed.project, world.compose.Config(observed.made_by, observed.selectors,
                                                ports::ComposeEnvironment::kOurs));
  // A `name:` in the file wins over the folder's name; v1 knows no such key and reports none.
  if (observed.project.name.empty()) observed.project.name = name;
  const std::vector<model::Container> mine = OfProject(all, observed.project.name);
  if (observed.made_by_version.empty() && !mine.empty()) {
    MU_TRY(const model::ComposeGeneration made_by,
           GenerationOf(world, mine, &observed.made_by_version));
    if (made_by != observed.made_by) {
      observed.made_by = made_by;
      MU_TRY(observed.compose_version, world.compose.Version(made_by));
    }
  }
  ObserveNames(all, &observed);
  for (const model::Container& container : all) {
    const bool is_autostarter =
        container.IsRunning() &&
        std::any_of(std::begin(kAutostarters), std::end(kAutostarters), [&](std::string_view mark) {
          return container.image.find(mark) != std::string::npos;
        });
    if (is_autostarter) observed.autostarters.push_back(container);
  }
  MU_CHECK(ObserveFiles(world, view.sources, &observed));
  ObserveShell(view.sources, &observed);
  MU_CHECK(ObserveServices(mine, &observed));
  MU_CHECK(ObserveMilvus(world, all, &observed));
  const auto path = PathOf(config, observed);
  ReadMigrationFacts(world, config, all, path, &observed);
  MU_CHECK(ObserveImages(world, ReferencesOf(config, path, observed), &observed));
  if (const auto free = world.files.FreeBytes(observed.state_dir)) {
    observed.free_bytes_state = static_cast<std::int64_t>(*free);
  }
  MaskSecrets(&observed);
  return view;
}

}  // namespace mu::observe
