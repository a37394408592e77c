// SPDX-License-Identifier: Apache-2.0
// Who else reads a value that is about to change: other places that use a variable of an env file,
// aliases of an anchored value. Answers with the place and what it is, or nothing.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "edit/compose_tree.h"
#include "edit/image_value.h"
#include "milvus_upgrade/edit/compose_edit.h"

namespace mu::edit {

using ScalarId = std::pair<const YamlDocument*, int>;

// A use of an env file's variable outside `allowed`: in a value, passed through by name, another
// line of an env file, a service whose env_file it is.
std::optional<std::string> OtherUse(const ProjectSources& sources, const ComposeTree& tree,
                                    const Variables& variables, const Segment& segment,
                                    const std::set<ScalarId>& allowed);

// A place that is not an image and shows the scalar: through an alias of it or of what it stands
// in.
std::optional<std::string> AliasElsewhere(const ScalarId& scalar);

}  // namespace mu::edit
