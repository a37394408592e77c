// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "milvus_upgrade/edit/compose_edit.h"

namespace mu::edit {

Result<std::string> Apply(std::string_view bytes, const std::vector<model::Splice>& splices) {
  std::string result;
  std::size_t at = 0;
  for (const model::Splice& splice : splices) {
    const bool is_in_order = splice.offset >= at && splice.offset <= bytes.size();
    if (!is_in_order || !bytes.substr(splice.offset).starts_with(splice.before)) {
      return Fail(
          ErrorCode::kFileChanged,
          fmt::format("byte {} of the file is not \"{}\" any more", splice.offset, splice.before),
          "someone changed the file meanwhile; make the plan again");
    }
    result += bytes.substr(at, splice.offset - at);
    result += splice.after;
    at = splice.offset + splice.before.size();
  }
  result += bytes.substr(at);
  return result;
}

}  // namespace mu::edit
