// SPDX-License-Identifier: Apache-2.0
#include "edit/shared_use.h"

#include <fmt/format.h>

#include <string_view>

#include "edit/interpolation.h"

namespace mu::edit {
namespace {

// The nearest key above a node, lists in between not counted.
std::string_view KeyAbove(const YamlDocument& document, int node) {
  while (node >= 0) {
    const std::string_view key = document.KeyOf(node);
    if (!key.empty()) return key;
    node = document.At(node).parent;
  }
  return {};
}

bool IsExtension(const YamlDocument& document, int node) {
  while (document.At(node).parent > 0) node = document.At(node).parent;
  return document.KeyOf(node).starts_with("x-");
}

// `- NAME`, `NAME:` or `environment: NAME`: Compose takes the value from the variable.
bool IsPassThrough(const YamlDocument& document, int node, std::string_view name) {
  const YamlNode& value = document.At(node);
  if (value.kind == NodeKind::kScalar && value.value == name) {
    const std::string_view key = KeyAbove(document, node);
    return key == "environment" || key == "args";
  }
  if (value.kind != NodeKind::kNull || document.KeyOf(node) != name) return false;
  const std::string_view key = KeyAbove(document, value.parent);
  return key == "environment" || key == "args";
}

bool IsEnvFileOf(const YamlDocument& document, int node, const std::string& env_path,
                 const std::string& project_folder) {
  const std::string_view key = KeyAbove(document, node);
  const bool is_entry =
      key == "env_file" ||
      (key == "path" && KeyAbove(document, document.At(node).parent) == "env_file");
  if (!is_entry) return false;
  const std::string& path = document.At(node).value;
  return JoinPath(FolderOf(document.Path()), path) == env_path ||
         JoinPath(project_folder, path) == env_path;
}

}  // namespace

std::optional<std::string> OtherUse(const ProjectSources& sources, const ComposeTree& tree,
                                    const Variables& variables, const Segment& segment,
                                    const std::set<ScalarId>& allowed) {
  const std::string& name = segment.variable;
  for (std::size_t file = 0; file < variables.Files().size(); ++file) {
    for (const EnvEntry& entry : variables.Files()[file]) {
      if (entry.is_expanded && MentionsVariable(entry.value, name)) {
        return fmt::format("by {} at {}:{}", entry.name, sources.env[file].path, entry.line);
      }
    }
  }
  const std::string& env_path = sources.env[segment.file].path;
  const std::string project_folder = FolderOf(sources.compose.front().path);
  for (const YamlDocument& document : tree.Documents()) {
    for (int node = 0; node < static_cast<int>(document.Nodes().size()); ++node) {
      const YamlNode& value = document.At(node);
      if (value.kind != NodeKind::kScalar && value.kind != NodeKind::kNull) continue;
      const bool is_mentioned =
          value.kind == NodeKind::kScalar && MentionsVariable(value.value, name);
      const bool is_used =
          (is_mentioned && !document.IsKey(node)) || IsPassThrough(document, node, name);
      if (is_used && !allowed.contains({&document, node})) {
        return "at " + document.PlaceOf(node);
      }
      if (value.kind == NodeKind::kScalar &&
          IsEnvFileOf(document, node, env_path, project_folder)) {
        return fmt::format("at {}, where the whole file is an env_file", document.PlaceOf(node));
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> AliasElsewhere(const ScalarId& scalar) {
  const YamlDocument& document = *scalar.first;
  if (document.KeyOf(scalar.second) != "image" && !IsExtension(document, scalar.second)) {
    return "at " + document.PlaceOf(scalar.second);
  }
  std::set<int> shown;  // the scalar and what it stands in
  for (int node = scalar.second; node >= 0; node = document.At(node).parent) shown.insert(node);
  for (int node = 0; node < static_cast<int>(document.Nodes().size()); ++node) {
    const YamlNode& alias = document.At(node);
    if (alias.kind != NodeKind::kAlias || !shown.contains(alias.target)) continue;
    const std::string_view key = document.KeyOf(node);
    const bool is_service = alias.parent >= 0 && document.KeyOf(alias.parent) == "services";
    const bool is_known = KeyAbove(document, node) == "<<" || is_service || key == "image" ||
                          key == "services" || IsExtension(document, node);
    if (!is_known) return "at " + document.PlaceOf(node);
  }
  return std::nullopt;
}

}  // namespace mu::edit
