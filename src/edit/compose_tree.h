// SPDX-License-Identifier: Apache-2.0
// The compose files of a project as layers: which scalar decides the image of a service, through
// override files, `extends`, `include`, anchors and merge keys. Reads values only; what Compose v1
// and v2 would decide differently is refused.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edit/yaml_locator.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/edit/compose_edit.h"

namespace mu::edit {

// The unread_env of an include that names its env files itself.
inline constexpr std::string_view kOwnEnvFile = "the env_file";

// Where relative paths of a file lead, and whose variables it sees.
struct FileScope {
  std::string folder;      // that relative paths start from
  std::string unread_env;  // an env file that an include reads and we do not; "" when there is none
};

struct ImageSource {
  const YamlDocument* document = nullptr;
  int node = -1;     // the image scalar itself, not an alias of it
  int service = -1;  // the service's map in that document, for places in messages
  bool is_extended = false;
  std::string unread_env;
};

struct ServiceImage {
  std::optional<ImageSource> source;    // the one that decides; nullopt: no file gives an image
  std::vector<ImageSource> overridden;  // of earlier files, without effect
};

// One entry of a top-level `include`.
struct IncludeEntry {
  std::vector<std::string> paths;  // as written
  std::string project_directory;   // as written, "" when absent
  bool has_env_file = false;
  int node = -1;
};

Result<std::vector<IncludeEntry>> IncludesOf(const YamlDocument& document);
// The `file` values of all `extends` of the document's services, as written.
Result<std::vector<std::string>> ExtendedFilesOf(const YamlDocument& document);
// False for what is not a plain path: remote resources, paths with variables.
bool IsLocalPath(std::string_view path);
std::string FolderOf(const std::string& path);
std::string JoinPath(const std::string& folder, const std::string& path);  // lexically normal

class ComposeTree {
 public:
  // Errors: kYamlSyntax, kYamlNoServices when no file has services.
  static Result<ComposeTree> Load(const ProjectSources& sources);

  const std::vector<YamlDocument>& Documents() const { return documents_; }
  // Names of all services of the project, those of included files too.
  Result<std::vector<std::string>> Services() const;
  // Errors: kEditRefused with the place, when it cannot be told or is not an image to edit.
  Result<ServiceImage> ImageOf(const std::string& service) const;
  // Where files are named that were not read: remote includes, paths with variables.
  Result<std::vector<std::string>> UnreadPlaces() const;

 private:
  // A file as it takes part: a -f file, or one that an include brings into it. Files of one include
  // entry form a group, in which later ones win.
  struct Unit {
    const YamlDocument* document;
    FileScope scope;
    std::size_t layer;
    int group;
  };

  Status Expand(const YamlDocument& document, const FileScope& scope, std::size_t layer, int group);
  Result<std::optional<ImageSource>> ImageInLayer(std::size_t layer,
                                                  const std::string& service) const;
  Result<std::optional<ImageSource>> OwnImage(const YamlDocument& document, const FileScope& scope,
                                              const std::string& service, int node,
                                              int depth) const;
  Result<std::optional<ImageSource>> ExtendedImage(const YamlDocument& document,
                                                   const FileScope& scope,
                                                   const std::string& service, int extends,
                                                   int depth) const;
  Result<const YamlDocument*> Open(const YamlDocument& from, int node, const FileScope& scope,
                                   const std::string& path) const;
  FileScope ScopeOf(const FileScope& outer, const IncludeEntry& entry) const;

  std::vector<YamlDocument> documents_;  // the -f files first, in order
  std::size_t compose_files_ = 0;
  std::vector<std::string> env_paths_;
  std::vector<Unit> units_;
  int groups_ = 0;
};

}  // namespace mu::edit
