// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "config/put.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/config/keys.h"

namespace mu::config {
namespace {

using Values = std::vector<std::string>;

constexpr std::string_view kPrefix = "MILVUS_UPGRADE_";

bool IsTaken(const KeyRow& row, unsigned command) { return (row.commands & command) != 0; }

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

// A path in a file is meant from the folder of that file, wherever we are called from.
std::string FromFileFolder(const std::string& value, const std::string& file_path) {
  return value.empty() || value.front() == '/' ? value : FolderOf(file_path) + value;
}

Result<Values> ValuesOf(const YAML::Node& node, const KeyRow& row, const std::string& where) {
  Values values;
  if (node.IsScalar()) return Values{node.Scalar()};
  if (!node.IsSequence())
    return Fail(ErrorCode::kInvalidInput, fmt::format("{}: this is not a value", where),
                row.IsList() ? "write a list of values" : "write one value");
  for (const auto& item : node) {
    if (!item.IsScalar())
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("{}: the list holds what is no value", where));
    values.push_back(item.Scalar());
  }
  // A command may be written as the argv that it is.
  if (row.type == KeyType::kCommand) return Values{ShellLine(values)};
  if (!row.IsList())
    return Fail(ErrorCode::kInvalidInput, fmt::format("{}: takes one value, not a list", where));
  return values;
}

Values FileKeys() {
  Values names;
  for (const KeyRow& row : KeyTable()) {
    if (row.given == Given::kEverywhere) names.emplace_back(row.name);
  }
  return names;
}

Status PutFile(const Inputs& inputs, Config& config, Config& aside) {
  YAML::Node root;
  const std::string& path = inputs.file_path;
  try {
    root = YAML::Load(inputs.file_text);
  } catch (const YAML::Exception& e) {
    return Fail(ErrorCode::kYamlSyntax,
                fmt::format("{}:{}:{}: {}", path, e.mark.line + 1, e.mark.column + 1, e.msg));
  }
  if (root.IsNull()) return {};
  if (!root.IsMap())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: the configuration file is not a map of keys", path),
                "write one `key: value` a line; see docs/configuration.md");
  std::set<std::string> seen;
  for (const auto& entry : root) {
    const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
    const std::string where = fmt::format("{}:{}: {}", path, entry.first.Mark().line + 1, name);
    const KeyRow* row = FindKey(name);
    if (row == nullptr) {
      const std::string near = Nearest(name, FileKeys());
      return Fail(
          ErrorCode::kInvalidInput, fmt::format("{}: there is no such key", where),
          near.empty() ? "see docs/configuration.md" : fmt::format("did you mean {}?", near));
    }
    if (row->given != Given::kEverywhere)
      return Fail(ErrorCode::kInvalidInput, fmt::format("{}: this cannot be set in a file", where),
                  fmt::format("give --{} on the command line", name));
    if (!seen.insert(name).second)
      return Fail(ErrorCode::kInvalidInput, fmt::format("{}: the key is written twice", where));
    if (entry.second.IsNull()) continue;
    MU_TRY(Values values, ValuesOf(entry.second, *row, where));
    if (row->type == KeyType::kPath || row->type == KeyType::kPathList) {
      for (std::string& value : values) value = FromFileFolder(value, path);
    }
    const bool taken = IsTaken(*row, inputs.command);
    MU_CHECK(Put(*row, values, where, taken ? config : aside));
    if (taken) config.sources[name] = "file " + path;
  }
  return {};
}

Status PutEnvironment(const Inputs& inputs, Config& config, Values& warnings) {
  Values known;
  for (const KeyRow& row : KeyTable()) {
    if (row.given == Given::kFlagOnly) continue;
    known.push_back(row.EnvironmentName());
    const auto it = inputs.environment.find(known.back());
    if (it == inputs.environment.end() || it->second.empty()) continue;
    if (!IsTaken(row, inputs.command)) continue;
    const Values values = row.IsList() ? Split(it->second, ',') : Values{it->second};
    MU_CHECK(Put(row, values, known.back(), config));
    config.sources[std::string(row.name)] = "environment";
  }
  for (const auto& [name, value] : inputs.environment) {
    if (!name.starts_with(kPrefix) || std::find(known.begin(), known.end(), name) != known.end())
      continue;
    const std::string near = Nearest(name, known);
    warnings.push_back(fmt::format("{} is not used", name) +
                       (near.empty() ? std::string() : fmt::format("; did you mean {}?", near)));
  }
  return {};
}

}  // namespace

Result<Resolved> Resolve(const Inputs& inputs) {
  Resolved resolved;
  Config aside;
  for (const KeyRow& row : KeyTable()) {
    if (row.set != nullptr && IsTaken(row, inputs.command))
      resolved.config.sources[std::string(row.name)] = "default";
  }
  if (!inputs.file_path.empty()) MU_CHECK(PutFile(inputs, resolved.config, aside));
  MU_CHECK(PutEnvironment(inputs, resolved.config, resolved.warnings));
  for (const auto& [name, values] : inputs.flags) {
    const KeyRow* row = FindKey(name);
    if (row == nullptr || !IsTaken(*row, inputs.command))
      return Fail(ErrorCode::kInternal, fmt::format("--{} is no flag of this command", name));
    MU_CHECK(Put(*row, values, "--" + name, resolved.config));
    if (row->set != nullptr) resolved.config.sources[name] = "flag";
  }
  return resolved;
}

std::vector<std::string> ConfigFileCandidates(
    const std::map<std::string, std::string>& environment) {
  std::vector<std::string> paths = {".milvus-upgrade.yaml"};
  const auto value = [&](const std::string& name) {
    const auto it = environment.find(name);
    return it == environment.end() ? std::string() : it->second;
  };
  const std::string xdg = value("XDG_CONFIG_HOME");
  const std::string home = value("HOME");
  // A relative XDG folder is to be ignored, says the XDG base directory specification.
  if (xdg.starts_with('/')) {
    paths.push_back(xdg + "/milvus-upgrade/config.yaml");
  } else if (!home.empty()) {
    paths.push_back(home + "/.config/milvus-upgrade/config.yaml");
  }
  return paths;
}

}  // namespace mu::config
