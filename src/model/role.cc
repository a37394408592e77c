// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/model/role.h"

#include <algorithm>
#include <array>

#include "milvus_upgrade/base/text.h"

namespace mu::model {
namespace {

constexpr std::array<RoleRow, 12> kRoles = {{
    {Role::kStandalone, "standalone", Tier::kCoordinator, false},
    {Role::kRootCoord, "rootcoord", Tier::kCoordinator, true},
    {Role::kDataCoord, "datacoord", Tier::kCoordinator, true},
    {Role::kIndexCoord, "indexcoord", Tier::kCoordinator, true},
    {Role::kQueryCoord, "querycoord", Tier::kCoordinator, true},
    {Role::kMixCoord, "mixcoord", Tier::kCoordinator, true},
    {Role::kDataNode, "datanode", Tier::kNode, false},
    {Role::kIndexNode, "indexnode", Tier::kNode, false},
    {Role::kQueryNode, "querynode", Tier::kNode, false},
    {Role::kStreamingNode, "streamingnode", Tier::kNode, false},
    {Role::kProxy, "proxy", Tier::kProxy, false},
    {Role::kCdc, "cdc", Tier::kNode, false},
}};

std::string_view FileNameOf(std::string_view path) {
  return path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
}

// The words of a command: a shell's one string is taken apart, since `sh -c "milvus run proxy"` and
// `["milvus", "run", "proxy"]` run the same.
std::vector<std::string> WordsOf(const std::vector<std::string>& command) {
  std::vector<std::string> words;
  for (const std::string& argument : command) {
    std::string word;
    for (const char c : argument + " ") {
      if (std::string_view(" \t\r\n;\"'").find(c) == std::string_view::npos) {
        word += c;
      } else if (!word.empty()) {
        words.push_back(std::move(word));
        word.clear();
      }
    }
  }
  return words;
}

}  // namespace

std::span<const RoleRow> RoleTable() { return kRoles; }

const RoleRow& RowOf(Role role) {
  return *std::find_if(kRoles.begin(), kRoles.end(),
                       [&](const RoleRow& row) { return row.role == role; });
}

std::string_view NameOf(Role role) { return RowOf(role).name; }

std::string_view NameOf(Tier tier) {
  switch (tier) {
    case Tier::kCoordinator:
      return "coordinator";
    case Tier::kNode:
      return "node";
    case Tier::kProxy:
      return "proxy";
  }
  return "";
}

std::optional<Role> RoleOfName(std::string_view name) {
  const std::string lower = ToLower(name);
  for (const RoleRow& row : kRoles) {
    if (row.name == lower) return row.role;
  }
  return {};
}

std::optional<Role> RoleOfCommand(const std::vector<std::string>& command) {
  const std::vector<std::string> words = WordsOf(command);
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    if (FileNameOf(words[i]) == "milvus" && words[i + 1] == "run") return RoleOfName(words[i + 2]);
  }
  return {};
}

std::optional<Role> RoleOfSession(std::string_view session_name) {
  const std::size_t dash = session_name.find('-');
  if (dash != std::string_view::npos) {
    const std::string_view id = session_name.substr(dash + 1);
    if (id.empty() || id.find_first_not_of("0123456789") != std::string_view::npos) return {};
  }
  return RoleOfName(session_name.substr(0, dash));
}

std::vector<Role> SessionRolesOf(Role role, int minor_of_2) {
  const bool has_mixed_coordinators = minor_of_2 >= 6;
  std::vector<Role> roles = {Role::kRootCoord, Role::kDataCoord, Role::kIndexCoord,
                             Role::kQueryCoord};
  if (has_mixed_coordinators) roles = {Role::kMixCoord};
  if (role == Role::kMixCoord) return roles;
  if (role == Role::kCdc) return {};
  if (role != Role::kStandalone) return {role};
  roles.push_back(Role::kDataNode);
  roles.push_back(has_mixed_coordinators ? Role::kStreamingNode : Role::kIndexNode);
  roles.push_back(Role::kQueryNode);
  roles.push_back(Role::kProxy);
  return roles;
}

}  // namespace mu::model
