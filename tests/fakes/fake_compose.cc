// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>

#include "fakes/fake_ports.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"

namespace mu::fakes {
namespace {

namespace fs = std::filesystem;
using Variables = std::map<std::string, std::string>;

// ${VAR}, ${VAR:-default}, ${VAR-default}, $VAR, $$.
std::string Interpolate(const std::string& text, const Variables& variables) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '$' || at + 1 == text.size()) {
      out += text[at];
      continue;
    }
    ++at;
    if (text[at] == '$') {
      out += '$';
      continue;
    }
    const bool is_braced = text[at] == '{';
    const std::size_t start = is_braced ? at + 1 : at;
    std::size_t end = start;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) {
      ++end;
    }
    const auto it = variables.find(text.substr(start, end - start));
    std::string value = it == variables.end() ? std::string() : it->second;
    if (!is_braced) {
      out += value;
      at = end - 1;
      continue;
    }
    const std::size_t close = text.find('}', end);
    const std::string rest = text.substr(end, close - end);
    const bool is_unset = it == variables.end() || (rest.starts_with(":") && value.empty());
    if (is_unset && rest.find('-') != std::string::npos) value = rest.substr(rest.find('-') + 1);
    out += value;
    at = close;
  }
  return out;
}

// What the services of the files say, as Compose reads it, later files over earlier ones.
class Reader {
 public:
  Reader(Variables variables, std::string folder, std::string project)
      : variables_(std::move(variables)), folder_(std::move(folder)) {
    project_.name = std::move(project);
  }

  Status Add(const std::string& path, const std::string& text) {
    try {
      const YAML::Node root = YAML::Load(text);
      const YAML::Node services = root.IsMap() ? root["services"] : YAML::Node();
      if (!services.IsDefined() || !services.IsMap())
        return Fail(ErrorCode::kYamlNoServices, path + ": there are no services in it");
      for (const auto& item : services) Service(item.first.Scalar(), item.second);
      if (const YAML::Node networks = root["networks"]; networks.IsDefined()) {
        for (const auto& item : networks) {
          const YAML::Node name = item.second.IsMap() ? item.second["name"] : YAML::Node();
          if (name.IsDefined()) project_.networks[item.first.Scalar()] = Text(name);
        }
      }
      return {};
    } catch (const YAML::Exception& error) {
      return Fail(ErrorCode::kYamlSyntax, fmt::format("{}: {}", path, error.what()));
    }
  }

  model::ComposeProject Finish() {
    if (!project_.networks.contains("default"))
      project_.networks["default"] = project_.name + "_default";
    for (auto& [name, service] : project_.services) {
      if (service.networks.empty()) service.networks = {"default"};
    }
    return project_;
  }

 private:
  std::string Text(const YAML::Node& node) const { return Interpolate(node.Scalar(), variables_); }

  std::vector<std::string> Words(const YAML::Node& node) const {
    std::vector<std::string> words;
    if (node.IsScalar()) {
      for (const std::string& word : Split(Text(node), ' ')) {
        if (!word.empty()) words.push_back(word);
      }
    }
    for (const auto& item : node) words.push_back(Text(item));
    return words;
  }

  void Service(const std::string& name, const YAML::Node& node) {
    model::ComposeService& service = project_.services[name];
    service.name = name;
    if (const YAML::Node merged = node["<<"]; merged.IsDefined()) {
      if (merged.IsMap()) Fields(merged, &service);
      if (merged.IsSequence()) {
        for (std::size_t i = merged.size(); i > 0; --i) Fields(merged[i - 1], &service);
      }
    }
    Fields(node, &service);
  }

  void Fields(const YAML::Node& node, model::ComposeService* service) const {
    const auto text = [&](const char* key, std::string* into) {
      if (const YAML::Node value = node[key]; value.IsDefined()) *into = Text(value);
    };
    text("image", &service->image);
    text("container_name", &service->container_name);
    text("restart", &service->restart);
    text("pull_policy", &service->pull_policy);
    if (const YAML::Node value = node["command"]; value.IsDefined())
      service->command = Words(value);
    if (const YAML::Node value = node["stop_grace_period"]; value.IsDefined()) {
      if (const auto period = ParseDuration(Text(value))) service->stop_grace_period = *period;
    }
    service->has_healthcheck = service->has_healthcheck || node["healthcheck"].IsDefined();
    service->has_build = service->has_build || node["build"].IsDefined();
    Pairs(node["environment"], &service->environment);
    Pairs(node["labels"], &service->labels);
    if (const YAML::Node value = node["volumes"]; value.IsDefined()) {
      service->mounts.clear();
      for (const auto& item : value) service->mounts.push_back(MountOf(Text(item)));
    }
    if (const YAML::Node value = node["ports"]; value.IsDefined()) {
      service->ports.clear();
      for (const auto& item : value) service->ports.push_back(PortOf(Text(item)));
    }
    if (const YAML::Node value = node["depends_on"]; value.IsDefined()) {
      service->depends_on.clear();
      for (const auto& item : value)
        service->depends_on.push_back(item.IsDefined() && item.IsScalar() ? Text(item)
                                                                          : Text(item.first));
    }
  }

  void Pairs(const YAML::Node& node, std::map<std::string, std::string>* into) const {
    if (!node.IsDefined()) return;
    for (const auto& item : node) {
      if (node.IsMap()) {
        (*into)[item.first.Scalar()] = Text(item.second);
      } else {
        const std::string pair = Text(item);
        (*into)[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
      }
    }
  }

  model::Mount MountOf(const std::string& text) const {
    const std::vector<std::string> parts = Split(text, ':');
    const bool is_bind = parts[0].starts_with(".") || parts[0].starts_with("/");
    const std::string source =
        is_bind ? (fs::path(folder_) / parts[0]).lexically_normal().string() : parts[0];
    return {is_bind ? "bind" : "volume", source, parts.size() > 1 ? parts[1] : parts[0],
            parts.size() > 2 && parts[2] == "ro"};
  }

  static model::PublishedPort PortOf(const std::string& text) {
    const std::vector<std::string> parts = Split(text, ':');
    const auto number = [&](std::size_t from_end) {
      return parts.size() < from_end ? 0 : std::atoi(parts[parts.size() - from_end].c_str());
    };
    return {parts.size() > 2 ? parts[0] : "0.0.0.0", number(2), number(1)};
  }

  Variables variables_;
  std::string folder_;
  model::ComposeProject project_;
};

std::string FolderOf(const model::ComposeSelectors& selectors) {
  if (!selectors.project_directory.empty()) return selectors.project_directory;
  return selectors.files.empty() ? "/" : fs::path(selectors.files.front()).parent_path().string();
}

std::string HashOf(const model::ComposeService& service) {
  std::string text = service.image + ShellLine(service.command) + service.restart;
  for (const auto& [name, value] : service.environment) text += name + "=" + value + "\n";
  for (const auto& mount : service.mounts) text += mount.source + ":" + mount.target + "\n";
  for (const auto& port : service.ports)
    text += fmt::format("{}:{}:{}\n", port.host_ip, port.host_port, port.container_port);
  return Sha256(text);
}

}  // namespace

Result<std::string> FakeCompose::Version(model::ComposeGeneration generation) {
  if (is_missing_[generation])
    return Fail(ErrorCode::kComposeMissing, "this generation of Compose is not installed");
  return std::string(generation == model::ComposeGeneration::kV1 ? "1.29.2" : "2.40.3");
}

Result<model::ComposeProject> FakeCompose::Config(model::ComposeGeneration generation,
                                                  const model::ComposeSelectors& selectors,
                                                  ports::ComposeEnvironment environment) {
  MU_CHECK(Version(generation));
  const std::string folder = FolderOf(selectors);
  Variables variables;
  std::vector<std::string> env_files = selectors.env_files;
  if (env_files.empty()) env_files = {folder + "/.env"};
  for (const std::string& path : env_files) {
    MU_TRY(const auto facts, world_.Files().Stat(path));
    if (!facts) continue;
    MU_TRY(const std::string text, world_.Files().Read(path));
    for (const std::string& line : Lines(text)) {
      const std::size_t equals = line.find('=');
      if (equals != std::string::npos && !line.starts_with("#"))
        variables[line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
  if (environment == ports::ComposeEnvironment::kOurs) {
    for (const auto& [name, value] : world_.shell) variables[name] = value;
  }
  const std::string name = selectors.project_name.empty()
                               ? ToLower(fs::path(folder).filename().string())
                               : selectors.project_name;
  Reader reader(std::move(variables), folder, name);
  for (const std::string& path : selectors.files) {
    MU_TRY(const std::string text, world_.Files().Read(path));
    MU_CHECK(reader.Add(path, text));
  }
  return reader.Finish();
}

ContainerSpec FakeCompose::SpecOf(model::ComposeGeneration generation,
                                  const model::ComposeProject& project,
                                  const model::ComposeService& service) const {
  const bool is_v1 = generation == model::ComposeGeneration::kV1;
  ContainerSpec spec;
  spec.name = service.container_name;
  if (spec.name.empty())
    spec.name = is_v1 ? fmt::format("{}_{}_1", project.name, service.name)
                      : fmt::format("{}-{}-1", project.name, service.name);
  spec.image = service.image;
  spec.command = service.command;
  spec.environment = service.environment;
  spec.mounts = service.mounts;
  spec.ports = service.ports;
  for (const std::string& network : service.networks) {
    const auto it = project.networks.find(network);
    spec.networks.push_back(it == project.networks.end() ? project.name + "_" + network
                                                         : it->second);
  }
  spec.restart = service.restart.empty() ? "no" : service.restart;
  spec.has_healthcheck = service.has_healthcheck;
  spec.labels = service.labels;
  spec.labels["com.docker.compose.project"] = project.name;
  spec.labels["com.docker.compose.service"] = service.name;
  spec.labels["com.docker.compose.oneoff"] = "False";
  spec.labels["com.docker.compose.version"] = is_v1 ? "1.29.2" : "2.40.3";
  spec.labels["com.docker.compose.config-hash"] = HashOf(service);
  return spec;
}

Status FakeCompose::UpOne(const ContainerSpec& spec) {
  const std::string hash = spec.labels.at("com.docker.compose.config-hash");
  const FakeImage* image = world_.FindImage(spec.image);
  std::vector<FakeContainer*> mine;
  FakeContainer* current = nullptr;
  for (FakeContainer* container : world_.All()) {
    const model::Container& facts = container->facts;
    if (facts.Label("com.docker.compose.project") != spec.labels.at("com.docker.compose.project") ||
        facts.Label("com.docker.compose.service") != spec.labels.at("com.docker.compose.service")) {
      continue;
    }
    mine.push_back(container);
    if (facts.Label("com.docker.compose.config-hash") == hash && facts.image_id == image->id)
      current = container;
  }
  std::string id;
  if (current != nullptr) {
    id = current->facts.id;
    for (FakeContainer* container : mine) {
      if (container == current) continue;
      const std::string old = container->facts.id;
      MU_CHECK(world_.Enter("compose remove " + container->facts.name));
      world_.RemoveContainer(old);
      return UpOne(spec);
    }
  } else {
    MU_CHECK(world_.Enter("compose create " + spec.name));
    ContainerSpec fresh = spec;
    std::string old;
    if (!mine.empty()) {
      old = mine.front()->facts.id;
      fresh.name = old.substr(0, 12) + "_" + spec.name;
    }
    MU_TRY(id, world_.CreateContainer(fresh));
    if (!old.empty()) {
      MU_CHECK(world_.Enter("compose remove " + spec.name));
      (void)world_.Signal({old}, Millis(10'000));
      while (world_.IsAnyEnding({old})) world_.Clock().Advance(Millis(100));
      world_.RemoveContainer(old);
      MU_CHECK(world_.Enter("compose rename " + spec.name));
      if (world_.Find(spec.name) != nullptr)
        return Fail(ErrorCode::kLocked, "Conflict. The container name is already in use");
      world_.Find(id)->facts.name = spec.name;
    }
  }
  if (world_.Find(id)->facts.IsRunning()) return {};
  MU_CHECK(world_.Enter("compose start " + spec.name));
  MU_CHECK(world_.StartContainer(id));
  return world_.Leave("compose start " + spec.name);
}

Status FakeCompose::Up(model::ComposeGeneration generation,
                       const model::ComposeSelectors& selectors,
                       const std::vector<std::string>& services) {
  const auto failed = [](const Error& error) {
    const bool is_own =
        error.code == ErrorCode::kCommandTimeout || error.code == ErrorCode::kDockerDown;
    return Fail(is_own ? error : Error{ErrorCode::kComposeFailed, error.message, "", {}});
  };
  MU_TRY(const Answer answer, world_.Enter("compose up " + Join(services, " ")));
  if (answer == Answer::kLie) return {};
  MU_TRY(const model::ComposeProject project,
         Config(generation, selectors, ports::ComposeEnvironment::kOurs));
  for (const std::string& name : services) {
    const auto it = project.services.find(name);
    if (it == project.services.end())
      return Fail(ErrorCode::kComposeFailed, "no such service: " + name);
    if (world_.FindImage(it->second.image) == nullptr)
      return Fail(ErrorCode::kComposeFailed, "No such image: " + it->second.image);
  }
  for (const FakeContainer* container : world_.All()) {
    const std::string made_by = container->facts.Label("com.docker.compose.version");
    if (generation == model::ComposeGeneration::kV2 && made_by.starts_with("1.") &&
        container->facts.Label("com.docker.compose.project") == project.name) {
      return Fail(ErrorCode::kComposeFailed,
                  "network was found but has incorrect label com.docker.compose.network");
    }
  }
  for (const std::string& name : services) {
    const Status up = UpOne(SpecOf(generation, project, project.services.at(name)));
    if (!up) return failed(up.error());
  }
  return world_.Leave("compose up " + Join(services, " "));
}

Status FakeCompose::Bring(model::ComposeGeneration generation,
                          const model::ComposeSelectors& selectors) {
  MU_TRY(const model::ComposeProject project,
         Config(generation, selectors, ports::ComposeEnvironment::kOurs));
  for (const auto& [name, service] : project.services) {
    MU_TRY(const std::string id, world_.CreateContainer(SpecOf(generation, project, service)));
    MU_CHECK(world_.StartContainer(id));
  }
  return {};
}

}  // namespace mu::fakes
