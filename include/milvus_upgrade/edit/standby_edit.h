// SPDX-License-Identifier: Apache-2.0
// Switches enableActiveStandby on in a text of Milvus's configuration (the user.yaml of a chart's
// ConfigMap): merged into what is there, comments and order kept. Text in, splices out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/splice.h"

namespace mu::edit {

// What must change in `text` so that `enableActiveStandby` of each of `sections` ("rootCoord") is
// true; none when it is so already. Keys are compared as Milvus reads them: case and `_ . /` do not
// count. The result was applied and read back: nothing else reads differently. `name` is for
// messages. Errors: kYamlSyntax; kEditRefused with line and reason where a section is shared, or
// written twice in Milvus's eyes; kEditProof.
Result<std::vector<model::Splice>> EnableStandby(const std::string& name, const std::string& text,
                                                 const std::vector<std::string>& sections);

}  // namespace mu::edit
