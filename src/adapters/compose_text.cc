// SPDX-License-Identifier: Apache-2.0
#include "adapters/compose_text.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <regex>

#include "adapters/json_read.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Both generations print `$` as `$$`, so that their output is a compose file again.
std::string Unescaped(std::string text) {
  for (std::size_t at = 0; (at = text.find("$$", at)) != std::string::npos; ++at) text.erase(at, 1);
  return text;
}

// Scalars stay text: numbers and flags are read from text where they are needed.
json::value JsonOfYaml(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map: {
      json::object object;
      for (const auto& entry : node) object[entry.first.Scalar()] = JsonOfYaml(entry.second);
      return object;
    }
    case YAML::NodeType::Sequence: {
      json::array array;
      for (const YAML::Node& element : node) array.push_back(JsonOfYaml(element));
      return array;
    }
    case YAML::NodeType::Scalar:
      return json::value(node.Scalar());
    default:
      return nullptr;
  }
}

bool IsTrue(const json::value& value, JsonPath path) {
  return JsonFlag(value, path) || JsonText(value, path) == "true";
}

bool Has(const json::value& value, JsonPath path) {
  const json::value* found = FindJson(value, path);
  return found != nullptr && !found->is_null();
}

// A list, or one string that v1 left unsplit.
std::vector<std::string> CommandOf(const json::value& service, JsonPath path) {
  const std::string line = JsonText(service, path);
  std::vector<std::string> words = line.empty() ? JsonTexts(service, path) : SplitWords(line);
  for (std::string& word : words) word = Unescaped(std::move(word));
  return words;
}

// A map, or a list of NAME=VALUE. Names without a value have none in the container either.
std::map<std::string, std::string> TextsOf(const json::value& service, JsonPath path) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : JsonObject(service, path)) {
    if (!value.is_null()) texts[name] = Unescaped(JsonTextMap(service, path)[name]);
  }
  for (const std::string& line : JsonTexts(service, path)) {
    const auto equals = line.find('=');
    if (equals != std::string::npos)
      texts[line.substr(0, equals)] = Unescaped(line.substr(equals + 1));
  }
  return texts;
}

// The keys of a map, or the elements of a list.
std::vector<std::string> NamesOf(const json::value& service, JsonPath path) {
  std::vector<std::string> names = JsonTexts(service, path);
  for (const auto& [name, value] : JsonObject(service, path)) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

int PortNumber(const std::string& text) {
  return std::atoi(text.c_str());  // of a range its first, "" is 0
}

// "[IP:][HOST:]CONTAINER[/PROTOCOL]"; an IPv6 address has colons of its own.
model::PublishedPort PortOfText(std::string text) {
  text = text.substr(0, text.find('/'));
  model::PublishedPort port;
  const auto last = text.rfind(':');
  port.container_port = PortNumber(last == std::string::npos ? text : text.substr(last + 1));
  if (last == std::string::npos) return port;
  const std::string rest = text.substr(0, last);
  const auto middle = rest.rfind(':');
  port.host_port = PortNumber(middle == std::string::npos ? rest : rest.substr(middle + 1));
  if (middle != std::string::npos) port.host_ip = rest.substr(0, middle);
  if (port.host_ip.starts_with('[') && port.host_ip.ends_with(']'))
    port.host_ip = port.host_ip.substr(1, port.host_ip.size() - 2);
  return port;
}

// "[SOURCE:]TARGET[:MODE]".
model::Mount MountOfText(const std::string& text) {
  const std::vector<std::string> parts = Split(text, ':');
  model::Mount mount;
  mount.source = parts.size() > 1 ? parts[0] : "";
  mount.target = parts.size() > 1 ? parts[1] : parts[0];
  mount.type = mount.source.starts_with('/') ? "bind" : "volume";
  if (parts.size() > 2) {
    const std::vector<std::string> modes = Split(parts[2], ',');
    mount.read_only = std::find(modes.begin(), modes.end(), "ro") != modes.end();
  }
  return mount;
}

// Reads a resolved project in either syntax. `prefix` names what has no name of its own: v1 prints
// none, v2 all.
class ProjectReader {
 public:
  ProjectReader(const json::value& config, std::string name)
      : config_(config), name_(std::move(name)) {}

  model::ComposeProject Read() const {
    model::ComposeProject project;
    project.name = name_;
    for (const auto& [key, network] : JsonObject(config_, {"networks"}))
      project.networks[std::string(key)] = RealName(key, network);
    for (const auto& [key, service] : JsonObject(config_, {"services"}))
      project.services[std::string(key)] = Service(std::string(key), service);
    for (const auto& [key, service] : project.services) {
      for (const std::string& network : service.networks)
        project.networks.try_emplace(network, name_ + "_" + network);
    }
    return project;
  }

 private:
  std::string RealName(std::string_view key, const json::value& thing) const {
    if (std::string name = JsonText(thing, {"name"}); !name.empty()) return name;
    if (std::string name = JsonText(thing, {"external", "name"}); !name.empty()) return name;
    return IsTrue(thing, {"external"}) ? std::string(key) : fmt::format("{}_{}", name_, key);
  }

  model::Mount Mount(const json::value& value) const {
    model::Mount mount;
    if (value.is_string()) {
      mount = MountOfText(Unescaped(JsonText(value, {})));
    } else {
      mount.type = JsonText(value, {"type"});
      mount.source = Unescaped(JsonText(value, {"source"}));
      mount.target = Unescaped(JsonText(value, {"target"}));
      mount.read_only = IsTrue(value, {"read_only"});
    }
    if (mount.type == "volume" && !mount.source.empty()) {
      const json::value* volume = FindJson(config_, {"volumes", mount.source});
      mount.source = RealName(mount.source, volume == nullptr ? json::value() : *volume);
    }
    return mount;
  }

  model::ComposeService Service(std::string name, const json::value& value) const {
    model::ComposeService service;
    service.name = std::move(name);
    service.image = Unescaped(JsonText(value, {"image"}));
    service.command = CommandOf(value, {"command"});
    service.entrypoint = CommandOf(value, {"entrypoint"});
    service.container_name = Unescaped(JsonText(value, {"container_name"}));
    service.environment = TextsOf(value, {"environment"});
    service.labels = TextsOf(value, {"labels"});
    for (const json::value& mount : JsonArray(value, {"volumes"}))
      service.mounts.push_back(Mount(mount));
    for (const json::value& port : JsonArray(value, {"ports"})) {
      service.ports.push_back(
          port.is_string()
              ? PortOfText(JsonText(port, {}))
              : model::PublishedPort{JsonText(port, {"host_ip"}),
                                     static_cast<int>(JsonInteger(port, {"published"})),
                                     static_cast<int>(JsonInteger(port, {"target"}))});
    }
    service.networks = NamesOf(value, {"networks"});
    if (service.networks.empty() && !Has(value, {"network_mode"})) service.networks = {"default"};
    service.depends_on = NamesOf(value, {"depends_on"});
    service.restart = JsonText(value, {"restart"});
    service.restart = service.restart.substr(0, service.restart.find(':'));  // "on-failure:3"
    service.pull_policy = JsonText(value, {"pull_policy"});
    if (const auto grace = ParseDuration(JsonText(value, {"stop_grace_period"})))
      service.stop_grace_period = *grace;
    const std::vector<std::string> test = JsonTexts(value, {"healthcheck", "test"});
    service.has_healthcheck = Has(value, {"healthcheck"}) &&
                              !IsTrue(value, {"healthcheck", "disable"}) &&
                              (test.empty() || test[0] != "NONE");
    service.has_build = Has(value, {"build"});
    return service;
  }

  const json::value& config_;
  std::string name_;
};

tl::unexpected<Error> NoServices() {
  return Fail(ErrorCode::kYamlNoServices, "Compose finds no services in the project");
}

std::string NameOfV1(const model::ComposeSelectors& selectors) {
  std::string name = selectors.project_name;
  if (name.empty()) {
    const std::filesystem::path folder =
        !selectors.project_directory.empty() ? std::filesystem::path(selectors.project_directory)
        : selectors.files.empty()            ? std::filesystem::path()
                                  : std::filesystem::path(selectors.files[0]).parent_path();
    name = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  }
  std::string normal;  // v1's own rule, for given names too
  for (const char c : ToLower(name)) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_') normal += c;
  }
  return normal.empty() ? "default" : normal;
}

void DropDisabledProfiles(json::value* config, const std::vector<std::string>& enabled) {
  json::value* services = config->get_object().if_contains("services");
  if (services == nullptr || !services->is_object()) return;
  std::vector<std::string> dropped;
  for (const auto& [name, service] : services->get_object()) {
    const std::vector<std::string> profiles = JsonTexts(service, {"profiles"});
    const bool is_on =
        profiles.empty() || std::any_of(profiles.begin(), profiles.end(), [&](const auto& profile) {
          return std::find(enabled.begin(), enabled.end(), profile) != enabled.end();
        });
    if (!is_on) dropped.emplace_back(name);
  }
  for (const std::string& name : dropped) services->get_object().erase(name);
}

}  // namespace

std::vector<std::string> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool has_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      // Inside double quotes only these are escapes.
      if (quote == '"' && line[i + 1] != '"' && line[i + 1] != '\\') word += c;
      word += line[++i];
      has_word = true;
    } else if (quote != 0) {
      word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      has_word = true;
    } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      if (has_word) words.push_back(std::move(word));
      word.clear();
      has_word = false;
    } else {
      word += c;
      has_word = true;
    }
  }
  if (has_word) words.push_back(std::move(word));
  return words;
}

Result<model::ComposeProject> ProjectOfV2(std::string_view config) {
  MU_TRY(const json::value parsed, ParseJson(config, "docker compose config"));
  if (!parsed.is_object())
    return Fail(ErrorCode::kCommandOutput, "docker compose config printed no project");
  if (JsonObject(parsed, {"services"}).empty()) return NoServices();
  return ProjectReader(parsed, JsonText(parsed, {"name"})).Read();
}

Result<model::ComposeProject> ProjectOfV1(std::string_view config,
                                          const model::ComposeSelectors& selectors) {
  json::value parsed;
  try {
    parsed = JsonOfYaml(YAML::Load(std::string(config)));
  } catch (const YAML::Exception& e) {
    return Fail(ErrorCode::kCommandOutput,
                fmt::format("docker-compose config printed something that is not YAML: {}",
                            Printable(e.what())));
  }
  if (!parsed.is_object())
    return Fail(ErrorCode::kCommandOutput, "docker-compose config printed no project");
  DropDisabledProfiles(&parsed, selectors.profiles);
  if (JsonObject(parsed, {"services"}).empty()) return NoServices();
  return ProjectReader(parsed, NameOfV1(selectors)).Read();
}

std::string ComposeWords(std::string_view err) {
  static const std::regex progress(
      R"(^(\s*(Container|Network|Volume|Image) .*|time=".*level=warning.*|(Creating|Starting|Recreating|Stopping) \S+ \.\.\..*|Traceback .*|  File ".*)$)");
  std::vector<std::string> lines;
  for (const std::string& line : Lines(Printable(err))) {
    if (!Trim(line).empty() && !std::regex_match(line, progress)) lines.emplace_back(Trim(line));
  }
  if (lines.size() > 8) lines.erase(lines.begin(), lines.end() - 8);
  return lines.empty() ? "it gave no reason" : Join(lines, "; ");
}

Error ConfigError(std::string_view err) {
  const std::string text = ToLower(err);
  const std::string words = ComposeWords(err);
  const auto is = [&](ErrorCode code, std::initializer_list<std::string_view> signs) {
    for (const std::string_view sign : signs) {
      if (Contains(text, sign)) return Error{code, words, {}, {}};
    }
    return Error{};
  };
  for (Error error :
       {is(ErrorCode::kFileRead, {"no such file or directory", "is a directory",
                                  "isadirectoryerror", "permission denied", "permissionerror"}),
        // The last of these is how v1 reads `services: {}`.
        is(ErrorCode::kYamlNoServices,
           {"empty compose file", "not '<class 'nonetype'>'", "service services has neither"})}) {
    if (!error.message.empty()) return error;
  }
  // v2: `failed to parse FILE: yaml: line N: WORDS`; v1: `in "FILE", line N, column M`, the last.
  static const std::regex v1(R"re(in "([^"]+)", line (\d+), column)re");
  static const std::regex v2(R"(failed to parse (.+?): (?:yaml: )?(?:line (\d+))?)");
  std::string where;
  const std::string raw = Printable(err);
  for (std::sregex_iterator it(raw.begin(), raw.end(), v1), end; it != end; ++it)
    where = (*it)[1].str() + ":" + (*it)[2].str() + ": ";
  std::smatch match;
  if (where.empty() && std::regex_search(raw, match, v2))
    where = match[1].str() + (match[2].matched ? ":" + match[2].str() : "") + ": ";
  Error syntax = is(ErrorCode::kYamlSyntax,
                    {"yaml: ", "failed to parse", "already defined at line", "yaml.parser",
                     "yaml.scanner", "yaml.composer", "yaml.reader", "yaml.constructor",
                     "unicodedecodeerror", "must be a mapping", "needs to be an object"});
  if (syntax.message.empty())
    return {ErrorCode::kComposeFailed, "Compose refuses the project: " + words, {}, {}};
  syntax.message = where + syntax.message;
  return syntax;
}

}  // namespace mu::adapters
