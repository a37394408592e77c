// SPDX-License-Identifier: Apache-2.0
// What a compose file needs so that a copy of its project, each file at its own absolute path below
// one folder, reads as the project itself does. Text in, text out: no file is opened.
#pragma once

#include <string>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/edit/compose_edit.h"

namespace mu::edit {

struct CopiedFile {
  std::string bytes;                   // its absolute paths of compose files lead below the folder
  std::vector<std::string> env_files;  // relative, as written: what Compose reads besides
  std::vector<std::string> folders;    // absolute: where its includes have their project
};

// Errors: kYamlSyntax with file:line:column.
Result<CopiedFile> CopyUnder(const std::string& root, const SourceFile& file);

}  // namespace mu::edit
