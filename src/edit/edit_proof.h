// SPDX-License-Identifier: Apache-2.0
// The last word on an edit before anyone sees it: applies it to the texts, reads them again, and
// proves that the wanted services have the wanted images and that nothing else reads differently.
// A bug anywhere in edit ends here, not in a file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/edit/compose_edit.h"

namespace mu::edit {

// Errors: kEditProof.
Status ProveEdits(const ProjectSources& sources,
                  const std::map<std::string, model::ImageRef>& wanted,
                  const std::vector<FileEdit>& edits);

}  // namespace mu::edit
