// SPDX-License-Identifier: Apache-2.0
#include "edit/compose_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "milvus_upgrade/base/text.h"

namespace mu::edit {
namespace {

constexpr int kMaxExtends = 16;
constexpr std::size_t kMaxUnits = 200;  // files with all their includes; a circle ends here

std::string ByHand(const std::string& service) {
  return fmt::format("write the image of {} as a plain value, or change it there by hand", service);
}

tl::unexpected<Error> Refuse(const std::string& place, const std::string& reason,
                             std::string hint) {
  return Fail(ErrorCode::kEditRefused, Printable(place + ": " + reason), std::move(hint));
}

bool IsScalar(const YamlDocument& document, int node) {
  return document.At(node).kind == NodeKind::kScalar;
}

Status RefuseResetTag(const YamlDocument& document, int node, const std::string& service) {
  const std::string& tag = document.At(node).tag;
  if (tag != "!reset" && tag != "!override") return {};
  return Refuse(document.PlaceOf(node),
                fmt::format("{} changes how files are merged into service {}", tag, service),
                "remove the tag, or change the image by hand");
}

// Strings of a node that holds one or a list of them.
std::vector<std::string> Strings(const YamlDocument& document, int node) {
  std::vector<std::string> texts;
  const int value = document.Deref(node);
  if (IsScalar(document, value)) return {document.At(value).value};
  if (document.At(value).kind != NodeKind::kSequence) return texts;
  for (const int item : document.At(value).children) {
    const int text = document.Deref(item);
    if (IsScalar(document, text)) texts.push_back(document.At(text).value);
  }
  return texts;
}

Result<std::string> StringAt(const YamlDocument& document, int map, std::string_view key) {
  MU_TRY(const std::optional<int> found, document.Find(map, key));
  if (!found || !IsScalar(document, document.Deref(*found))) return std::string();
  return document.At(document.Deref(*found)).value;
}

Result<std::optional<int>> FindService(const YamlDocument& document, const std::string& service) {
  if (document.IsEmpty()) return std::optional<int>();
  MU_TRY(const std::optional<int> services, document.Find(document.Root(), "services"));
  if (!services) return std::optional<int>();
  MU_CHECK(RefuseResetTag(document, *services, service));
  return document.Find(*services, service);
}

}  // namespace

bool IsLocalPath(std::string_view path) {
  return !path.empty() && path.find("://") == std::string_view::npos && !path.starts_with("git@") &&
         path.find('$') == std::string_view::npos;
}

std::string FolderOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().lexically_normal().string();
}

std::string JoinPath(const std::string& folder, const std::string& path) {
  std::string joined = (std::filesystem::path(folder) / path).lexically_normal().string();
  if (joined.size() > 1 && joined.ends_with('/')) joined.pop_back();
  return joined;
}

Result<std::vector<IncludeEntry>> IncludesOf(const YamlDocument& document) {
  std::vector<IncludeEntry> entries;
  if (document.IsEmpty()) return entries;
  MU_TRY(const std::optional<int> include, document.Find(document.Root(), "include"));
  if (!include) return entries;
  const YamlNode& list = document.At(document.Deref(*include));
  if (list.kind != NodeKind::kSequence) return entries;
  for (const int item : list.children) {
    const int node = document.Deref(item);
    IncludeEntry entry;
    entry.node = item;
    if (document.At(node).kind == NodeKind::kMap) {
      MU_TRY(const std::optional<int> path, document.Find(node, "path"));
      if (path) entry.paths = Strings(document, *path);
      MU_TRY(entry.project_directory, StringAt(document, node, "project_directory"));
      MU_TRY(const std::optional<int> env_file, document.Find(node, "env_file"));
      entry.has_env_file = env_file.has_value();
    } else {
      entry.paths = Strings(document, node);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<std::vector<std::string>> ExtendedFilesOf(const YamlDocument& document) {
  std::vector<std::string> files;
  if (document.IsEmpty()) return files;
  MU_TRY(const std::optional<int> services, document.Find(document.Root(), "services"));
  if (!services) return files;
  MU_TRY(const std::vector<std::string> names, document.Keys(*services));
  for (const std::string& name : names) {
    MU_TRY(const std::optional<int> service, document.Find(*services, name));
    MU_TRY(const std::optional<int> extends, document.Find(*service, "extends"));
    if (!extends) continue;
    MU_TRY(std::string file, StringAt(document, *extends, "file"));
    if (!file.empty()) files.push_back(std::move(file));
  }
  return files;
}

Result<ComposeTree> ComposeTree::Load(const ProjectSources& sources) {
  ComposeTree tree;
  if (sources.compose.empty()) {
    return Fail(ErrorCode::kYamlNoServices, "no compose file is given", "name one with -f");
  }
  tree.documents_.reserve(sources.compose.size() + sources.reachable.size());
  for (const auto* files : {&sources.compose, &sources.reachable}) {
    for (const SourceFile& file : *files) {
      MU_TRY(YamlDocument document, YamlDocument::Parse(file.path, file.bytes));
      if (!document.IsEmpty() && document.At(document.Root()).kind != NodeKind::kMap) {
        return Fail(ErrorCode::kYamlSyntax,
                    document.PlaceOf(document.Root()) +
                        ": a compose file is a map of keys, this "
                        "is something else",
                    "check that this is the compose file");
      }
      tree.documents_.push_back(std::move(document));
    }
  }
  for (const SourceFile& file : sources.env) tree.env_paths_.push_back(file.path);
  tree.compose_files_ = sources.compose.size();
  const FileScope scope{FolderOf(sources.compose.front().path), ""};
  for (std::size_t i = 0; i < tree.compose_files_; ++i) {
    MU_CHECK(tree.Expand(tree.documents_[i], scope, i, tree.groups_++));
  }
  MU_TRY(const std::vector<std::string> services, tree.Services());
  if (services.empty()) {
    const YamlDocument& first = tree.documents_.front();
    return Fail(ErrorCode::kYamlNoServices,
                fmt::format("{}: {}", first.Path(),
                            Trim(first.Bytes()).empty() ? "the file is empty" : "no services"),
                "check that this is the compose file of the Milvus stack; files of Compose "
                "format 1, without `services:`, must be converted first");
  }
  return tree;
}

Status ComposeTree::Expand(const YamlDocument& document, const FileScope& scope, std::size_t layer,
                           int group) {
  if (units_.size() >= kMaxUnits) {
    return Refuse(document.Path(), "include goes in a circle, or through too many files",
                  "include each file once");
  }
  units_.push_back({&document, scope, layer, group});
  MU_TRY(const std::vector<IncludeEntry> includes, IncludesOf(document));
  for (const IncludeEntry& entry : includes) {
    const int inner = groups_++;
    for (const std::string& path : entry.paths) {
      if (!IsLocalPath(path)) continue;  // told by UnreadPlaces
      MU_TRY(const YamlDocument* included, Open(document, entry.node, scope, path));
      MU_CHECK(Expand(*included, ScopeOf(scope, entry), layer, inner));
    }
  }
  return {};
}

Result<std::vector<std::string>> ComposeTree::Services() const {
  std::vector<std::string> names;
  for (const Unit& unit : units_) {
    if (unit.document->IsEmpty()) continue;
    MU_TRY(const std::optional<int> services,
           unit.document->Find(unit.document->Root(), "services"));
    if (!services) continue;
    MU_TRY(const std::vector<std::string> own, unit.document->Keys(*services));
    names.insert(names.end(), own.begin(), own.end());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<std::vector<std::string>> ComposeTree::UnreadPlaces() const {
  std::vector<std::string> places;
  for (const YamlDocument& document : documents_) {
    MU_TRY(const std::vector<IncludeEntry> includes, IncludesOf(document));
    for (const IncludeEntry& entry : includes) {
      if (!std::all_of(entry.paths.begin(), entry.paths.end(), IsLocalPath)) {
        places.push_back(document.PlaceOf(entry.node));
      }
    }
  }
  return places;
}

Result<ServiceImage> ComposeTree::ImageOf(const std::string& service) const {
  ServiceImage image;
  for (std::size_t i = 0; i < compose_files_; ++i) {
    MU_TRY(std::optional<ImageSource> layer, ImageInLayer(i, service));
    if (!layer) continue;
    if (image.source && layer->is_extended) {
      return Refuse(layer->document->PlaceOf(layer->node),
                    fmt::format("{} extends this image over the one at {}, which Compose v1 and v2 "
                                "decide differently",
                                service, image.source->document->PlaceOf(image.source->node)),
                    ByHand(service));
    }
    if (image.source) image.overridden.push_back(*image.source);
    image.source = std::move(layer);
  }
  return image;
}

Result<std::optional<ImageSource>> ComposeTree::ImageInLayer(std::size_t layer,
                                                             const std::string& service) const {
  std::optional<ImageSource> image;
  int group = -1;
  for (const Unit& unit : units_) {
    if (unit.layer != layer) continue;
    MU_TRY(const std::optional<int> node, FindService(*unit.document, service));
    if (!node) continue;
    MU_TRY(std::optional<ImageSource> found,
           OwnImage(*unit.document, unit.scope, service, *node, 0));
    if (!found) continue;
    if (image && group != unit.group) {
      return Refuse(
          found->document->PlaceOf(found->node),
          fmt::format("{} has an image at {} as well, which Compose takes only when both are equal",
                      service, image->document->PlaceOf(image->node)),
          "keep one of the two");
    }
    image = std::move(found);
    group = unit.group;
  }
  return image;
}

Result<std::optional<ImageSource>> ComposeTree::OwnImage(const YamlDocument& document,
                                                         const FileScope& scope,
                                                         const std::string& service, int node,
                                                         int depth) const {
  if (depth > kMaxExtends) {
    return Refuse(document.PlaceOf(node),
                  fmt::format("extends of {} goes in a circle, or too deep", service),
                  ByHand(service));
  }
  const int map = document.Deref(node);
  MU_CHECK(RefuseResetTag(document, map, service));
  MU_TRY(const std::optional<int> build, document.Find(map, "build"));
  if (build) {
    return Refuse(document.PlaceOf(*build),
                  fmt::format("{} is built here, so its image is no release to change to", service),
                  "build the new version yourself, or remove `build` and use a released image");
  }
  MU_TRY(const std::optional<int> image, document.Find(map, "image"));
  if (!image) {
    MU_TRY(const std::optional<int> extends, document.Find(map, "extends"));
    if (!extends) return std::optional<ImageSource>();
    return ExtendedImage(document, scope, service, *extends, depth);
  }
  MU_CHECK(RefuseResetTag(document, *image, service));
  const int scalar = document.Deref(*image);
  MU_CHECK(RefuseResetTag(document, scalar, service));
  if (!IsScalar(document, scalar) || document.At(scalar).value.empty()) {
    return Refuse(document.PlaceOf(*image), fmt::format("image of {} is not a text", service),
                  ByHand(service));
  }
  return std::optional<ImageSource>(ImageSource{&document, scalar, map, false, scope.unread_env});
}

Result<std::optional<ImageSource>> ComposeTree::ExtendedImage(const YamlDocument& document,
                                                              const FileScope& scope,
                                                              const std::string& service,
                                                              int extends, int depth) const {
  const int value = document.Deref(extends);
  const YamlDocument* base = &document;
  FileScope base_scope = scope;
  std::string base_service = document.At(value).value;
  if (document.At(value).kind == NodeKind::kMap) {
    MU_TRY(base_service, StringAt(document, value, "service"));
    MU_TRY(const std::string file, StringAt(document, value, "file"));
    if (!file.empty()) {
      MU_TRY(base, Open(document, extends, scope, file));
      base_scope.folder = FolderOf(base->Path());
    }
  }
  MU_TRY(const std::optional<int> found, FindService(*base, base_service));
  if (!found) {
    return Refuse(document.PlaceOf(extends),
                  fmt::format("{} extends service \"{}\", which is not in {}", service,
                              Printable(base_service), base->Path()),
                  ByHand(service));
  }
  MU_TRY(std::optional<ImageSource> image,
         OwnImage(*base, base_scope, base_service, *found, depth + 1));
  if (image) image->is_extended = true;
  return image;
}

FileScope ComposeTree::ScopeOf(const FileScope& outer, const IncludeEntry& entry) const {
  FileScope scope;
  scope.folder = entry.project_directory.empty()
                     ? FolderOf(JoinPath(outer.folder, entry.paths.front()))
                     : JoinPath(outer.folder, entry.project_directory);
  const std::string dot_env = JoinPath(scope.folder, ".env");
  if (entry.has_env_file) {
    scope.unread_env = kOwnEnvFile;
  } else if (scope.folder != outer.folder &&
             std::find(env_paths_.begin(), env_paths_.end(), dot_env) == env_paths_.end()) {
    scope.unread_env = dot_env;
  } else {
    scope.unread_env = outer.unread_env;
  }
  return scope;
}

Result<const YamlDocument*> ComposeTree::Open(const YamlDocument& from, int node,
                                              const FileScope& scope,
                                              const std::string& path) const {
  if (!IsLocalPath(path)) {
    return Refuse(
        from.PlaceOf(node),
        fmt::format("\"{}\" is not a plain path, so that file was not read", Printable(path)),
        "name a local file without variables, or change the image by hand");
  }
  // Compose v1 starts from the file that names it, v2 from the project's folder.
  const std::string own = JoinPath(FolderOf(from.Path()), path);
  if (own != JoinPath(scope.folder, path)) {
    return Refuse(from.PlaceOf(node),
                  fmt::format("\"{}\" leads to different files in Compose v1 and v2, since {} is "
                              "not in {}",
                              Printable(path), from.Path(), scope.folder),
                  "write an absolute path");
  }
  for (const YamlDocument& document : documents_) {
    if (document.Path() == own) return &document;
  }
  return Refuse(from.PlaceOf(node), fmt::format("{} is named here and was not read", own),
                "check that the file is there");
}

}  // namespace mu::edit
