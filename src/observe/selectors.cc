// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/observe/compose_observer.h"

namespace mu::observe {
namespace {

namespace fs = std::filesystem;

// Compose's order of default names (compose-go DefaultFileNames and DefaultOverrideFileNames).
constexpr std::string_view kDefaultNames[] = {"compose.yaml", "compose.yml", "docker-compose.yml",
                                              "docker-compose.yaml"};
constexpr std::string_view kOverrideNames[] = {"compose.override.yml", "compose.override.yaml",
                                               "docker-compose.override.yml",
                                               "docker-compose.override.yaml"};

std::string Absolute(const std::string& path, const std::string& base) {
  return fs::path(path).is_absolute() ? fs::path(path).lexically_normal().string()
                                      : (fs::path(base) / path).lexically_normal().string();
}

std::string Variable(const World& world, const std::string& name) {
  const auto it = world.environment.find(name);
  return it == world.environment.end() ? std::string() : it->second;
}

Result<bool> IsFile(const World& world, const std::string& path) {
  MU_TRY(const auto facts, world.files.Stat(path));
  return facts.has_value() && !facts->is_folder;
}

Result<std::vector<std::string>> DefaultFiles(const World& world, const std::string& start) {
  for (fs::path folder = start;; folder = folder.parent_path()) {
    for (std::string_view name : kDefaultNames) {
      const std::string path = (folder / name).string();
      MU_TRY(const bool found, IsFile(world, path));
      if (!found) continue;
      std::vector<std::string> files = {path};
      for (std::string_view override_name : kOverrideNames) {
        const std::string override_path = (folder / override_name).string();
        MU_TRY(const bool has_override, IsFile(world, override_path));
        if (has_override) {
          files.push_back(override_path);
          break;
        }
      }
      return files;
    }
    if (folder == folder.root_path()) break;
  }
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("no compose file in {} or the folders above it", start),
              "go to the folder of the stack, or name the file with -f");
}

}  // namespace

Result<model::ComposeSelectors> ResolveSelectors(const World& world,
                                                 const model::ComposeSelectors& given) {
  model::ComposeSelectors selectors = given;
  if (selectors.project_name.empty())
    selectors.project_name = Variable(world, "COMPOSE_PROJECT_NAME");
  if (!selectors.project_directory.empty()) {
    selectors.project_directory = Absolute(selectors.project_directory, world.working_directory);
  }
  if (selectors.profiles.empty() && !Variable(world, "COMPOSE_PROFILES").empty()) {
    selectors.profiles = Split(Variable(world, "COMPOSE_PROFILES"), ',');
  }
  if (selectors.env_files.empty() && !Variable(world, "COMPOSE_ENV_FILES").empty()) {
    selectors.env_files = Split(Variable(world, "COMPOSE_ENV_FILES"), ',');
  }
  for (std::string& file : selectors.env_files) file = Absolute(file, world.working_directory);
  if (selectors.files.empty() && !Variable(world, "COMPOSE_FILE").empty()) {
    const std::string separator = Variable(world, "COMPOSE_PATH_SEPARATOR");
    selectors.files =
        Split(Variable(world, "COMPOSE_FILE"), separator.empty() ? ':' : separator.front());
  }
  if (selectors.files.empty()) {
    const std::string start =
        selectors.project_directory.empty() ? world.working_directory : selectors.project_directory;
    MU_TRY(selectors.files, DefaultFiles(world, start));
  }
  for (std::string& file : selectors.files) {
    file = Absolute(file, world.working_directory);
    MU_TRY(const auto facts, world.files.Stat(file));
    if (!facts) {
      return Fail(ErrorCode::kFileRead, fmt::format("{}: there is no such file", file),
                  "check the path given with -f");
    }
    if (facts->is_folder) {
      return Fail(ErrorCode::kFileRead, fmt::format("{}: is a folder, not a compose file", file),
                  "name the file in it with -f");
    }
  }
  return selectors;
}

std::string ProjectDirectoryOf(const model::ComposeSelectors& selectors) {
  if (!selectors.project_directory.empty()) return selectors.project_directory;
  return selectors.files.empty() ? std::string(".")
                                 : fs::path(selectors.files.front()).parent_path().string();
}

Result<edit::ProjectSources> ReadSources(const World& world,
                                         const model::ComposeSelectors& selectors) {
  edit::ProjectSources sources;
  std::set<std::string> seen;
  std::vector<std::string> waiting;
  const auto read = [&](const std::string& path) -> Result<edit::SourceFile> {
    MU_TRY(std::string bytes, world.files.Read(path));
    edit::SourceFile file{path, std::move(bytes)};
    MU_TRY(const std::vector<std::string> references, edit::ReferencedFiles(file));
    waiting.insert(waiting.end(), references.begin(), references.end());
    return file;
  };
  for (const std::string& path : selectors.files) {
    seen.insert(path);
    MU_TRY(edit::SourceFile file, read(path));
    sources.compose.push_back(std::move(file));
  }
  while (!waiting.empty()) {
    const std::string path = waiting.back();
    waiting.pop_back();
    if (!seen.insert(path).second) continue;
    MU_TRY(edit::SourceFile file, read(path));
    sources.reachable.push_back(std::move(file));
  }
  std::vector<std::string> env_files = selectors.env_files;
  if (env_files.empty()) {
    const std::string dot_env = ProjectDirectoryOf(selectors) + "/.env";
    MU_TRY(const bool has_dot_env, IsFile(world, dot_env));
    if (has_dot_env) env_files.push_back(dot_env);
  }
  for (const std::string& path : env_files) {
    MU_TRY(std::string bytes, world.files.Read(path));
    sources.env.push_back({path, std::move(bytes)});
  }
  MU_CHECK(edit::CheckProject(sources));
  for (const auto* files : {&sources.compose, &sources.reachable}) {
    for (const edit::SourceFile& file : *files) {
      for (const std::string& name : edit::UsedVariables(file)) {
        const auto it = world.environment.find(name);
        if (it != world.environment.end()) sources.shell[name] = it->second;
      }
    }
  }
  return sources;
}

}  // namespace mu::observe
