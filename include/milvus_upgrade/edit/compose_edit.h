// SPDX-License-Identifier: Apache-2.0
// Finds where the image of each Milvus service is decided and what bytes must change there. Text
// in, splices out: no file is opened, no variable of the environment is read. What cannot be edited
// safely is refused with file:line.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/image_ref.h"
#include "milvus_upgrade/model/splice.h"

namespace mu::edit {

struct SourceFile {
  std::string path;  // absolute
  std::string bytes;
};

// The files as Compose reads them.
struct ProjectSources {
  std::vector<SourceFile> compose;  // in -f order, override files included: later ones win
  std::vector<SourceFile>
      reachable;  // files that `extends` and `include` name (found by ReferencedFiles)
  std::vector<SourceFile> env;  // .env or --env-file, in order: later ones win
  std::map<std::string, std::string>
      shell;  // variables of the shell that the files use: these win over env files
};

struct FileEdit {
  std::string path;
  std::vector<model::Splice> splices;  // ascending offsets, not overlapping
  std::vector<std::string>
      reasons;  // for people, one a splice: "docker-compose.yml:27: image of standalone"
  bool operator==(const FileEdit&) const = default;
};

// Paths (absolute, lexically normal) of files that these compose files extend or include, `from`
// being their own path. Errors: kYamlSyntax with file:line:column.
Result<std::vector<std::string>> ReferencedFiles(const SourceFile& file);

// That the files can be those of a project: each a map of keys, with services in one of them.
// Errors: kYamlSyntax, kYamlNoServices, with file and line.
Status CheckProject(const ProjectSources& sources);

// Names of variables that the image values of this file use, sorted; none when it is not YAML.
std::vector<std::string> UsedVariables(const SourceFile& file);

// `wanted`: service -> the image that it must resolve to. Only the tag part is written where the
// repository is written beside it; a value that is shared (anchor, variable, .env) is changed once,
// and refused when a service that is not in `wanted` would change too. A digest beside the tag is
// removed when `wanted` has none, and the reason says so. What Compose v1 and v2 read differently
// is refused. Each edit was applied to the texts and read back before it is returned. Errors:
// kEditRefused with file:line and the reason, kYamlSyntax, kYamlNoServices, kInvalidInput for an
// env file that is damaged, kEditProof.
Result<std::vector<FileEdit>> EditImages(const ProjectSources& sources,
                                         const std::map<std::string, model::ImageRef>& wanted);

// Errors: kFileChanged when `before` is not at its offset.
Result<std::string> Apply(std::string_view bytes, const std::vector<model::Splice>& splices);

// A unified diff of two texts with `path` in its head, "" when they are equal; lines "NAME=value"
// and "NAME: value" of secret names have their values masked, so it is for people, not for patch.
std::string UnifiedDiff(const std::string& path, std::string_view before, std::string_view after);

}  // namespace mu::edit
