// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "cli/prepare.h"
#include "milvus_upgrade/edit/project_copy.h"

namespace mu::cli {
namespace {

namespace fs = std::filesystem;

// A copy of all files of the project under one folder, each at its own absolute path below it, so
// that references among them still hold.
class Mirror {
 public:
  Mirror(ports::Files& files, std::string root) : files_(files), root_(std::move(root)) {}
  ~Mirror() { (void)files_.RemoveTree(root_); }
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  Status Fill(const model::Observed& observed, const edit::ProjectSources& sources) {
    // Of a process of the same number that was killed: in a container they repeat.
    (void)files_.RemoveTree(root_);
    std::set<std::string> names = {".env"};
    std::set<std::string> folders = {observed.project_directory};
    for (const auto* list : {&sources.compose, &sources.reachable}) {
      for (const edit::SourceFile& file : *list) {
        MU_TRY(const edit::CopiedFile copied, edit::CopyUnder(root_, file));
        MU_CHECK(Put(file.path, copied.bytes));
        names.insert(copied.env_files.begin(), copied.env_files.end());
        folders.insert(copied.folders.begin(), copied.folders.end());
        folders.insert(fs::path(file.path).parent_path().string());
      }
    }
    for (const edit::SourceFile& file : sources.env) MU_CHECK(Put(file.path, file.bytes));
    if (sources.reachable.empty()) return {};
    for (const std::string& folder : folders) {
      for (const std::string& name : names) {
        MU_CHECK(PutAsItIs((fs::path(folder) / name).lexically_normal().string()));
      }
    }
    return {};
  }

  model::ComposeSelectors Selectors(const model::Observed& observed,
                                    const edit::ProjectSources& sources) const {
    model::ComposeSelectors selectors = observed.selectors;
    selectors.project_name = observed.project.name;
    // Compose starts from the project's folder where a file extends or includes another one.
    selectors.project_directory =
        sources.reachable.empty() ? observed.project_directory : PathOf(observed.project_directory);
    for (std::string& file : selectors.files) file = PathOf(file);
    selectors.env_files.clear();
    for (const edit::SourceFile& file : sources.env)
      selectors.env_files.push_back(PathOf(file.path));
    return selectors;
  }

 private:
  Status Put(const std::string& path, std::string_view bytes) {
    const std::string copy = PathOf(path);
    MU_CHECK(files_.MakeFolders(fs::path(copy).parent_path().string(), 0700));
    return files_.Create(copy, bytes, 0600);
  }

  // A file that Compose may want to read there; whether it must be there is Compose's to say.
  Status PutAsItIs(const std::string& path) {
    MU_TRY(const auto facts, files_.Stat(path));
    if (!facts || facts->is_folder) return {};
    MU_TRY(const auto known, files_.Stat(PathOf(path)));
    if (known) return {};
    MU_TRY(const std::string bytes, files_.Read(path));
    return Put(path, bytes);
  }

  std::string PathOf(const std::string& path) const { return root_ + path; }
  ports::Files& files_;
  std::string root_;
};

std::string ScratchRoot(const observe::World& world, const char* name) {
  const auto it = world.environment.find("TMPDIR");
  const std::string base =
      it == world.environment.end() || it->second.empty() ? "/tmp" : it->second;
  return fmt::format("{}/milvus-upgrade-{}-{}", base, getpid(), name);
}

Result<model::ComposeProject> Resolve(const observe::World& world, const model::Observed& observed,
                                      const edit::ProjectSources& sources,
                                      ports::ComposeEnvironment environment) {
  Mirror mirror(
      world.files,
      ScratchRoot(world, environment == ports::ComposeEnvironment::kClean ? "clean" : "ours"));
  MU_CHECK(mirror.Fill(observed, sources));
  return world.compose.Config(observed.made_by, mirror.Selectors(observed, sources), environment);
}

// `after` is changed, by way of its bindings.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
Status Compare(model::ComposeProject before, model::ComposeProject after,
               const std::map<std::string, model::ImageRef>& wanted, std::string_view where) {
  const auto differs = [&](const std::string& what) {
    return Fail(ErrorCode::kEditProof,
                fmt::format("with the edited files {} would change too ({})", what, where));
  };
  for (auto& [name, service] : after.services) {
    const auto old = before.services.find(name);
    if (old == before.services.end()) return differs("the service " + name);
    if (const auto want = wanted.find(name); want != wanted.end()) {
      if (service.image != want->second.Text()) {
        return Fail(ErrorCode::kEditProof,
                    fmt::format("with the edited files the image of {} would be {} and not {} ({})",
                                name, service.image, want->second.Text(), where));
      }
      service.image = old->second.image;
    }
    if (!(service == old->second)) return differs("the service " + name);
  }
  if (before.services.size() != after.services.size()) return differs("the set of services");
  if (before.networks != after.networks || before.name != after.name)
    return differs("the project or its networks");
  return {};
}

}  // namespace

Status ProveEdit(const observe::World& world, const model::Observed& observed,
                 const edit::ProjectSources& before, const edit::ProjectSources& after,
                 const std::map<std::string, model::ImageRef>& wanted) {
  MU_TRY(const auto old_project,
         Resolve(world, observed, before, ports::ComposeEnvironment::kOurs));
  MU_TRY(const auto new_project, Resolve(world, observed, after, ports::ComposeEnvironment::kOurs));
  MU_CHECK(Compare(old_project, new_project, wanted, "in this shell"));
  if (before.shell.empty()) return {};
  // The next `up` may come from another shell. A file that cannot be resolved without this one's
  // variables is no worse than it was.
  const auto old_clean = Resolve(world, observed, before, ports::ComposeEnvironment::kClean);
  if (!old_clean) return {};
  MU_TRY(const auto new_clean, Resolve(world, observed, after, ports::ComposeEnvironment::kClean));
  return Compare(*old_clean, new_clean, wanted, "in a clean shell");
}

}  // namespace mu::cli
