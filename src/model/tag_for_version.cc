// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/model/version.h"

namespace mu::model {

std::string TagForVersion(std::string_view old_tag, const Version& version) {
  const bool has_bare_style = !old_tag.empty() && old_tag.front() >= '0' && old_tag.front() <= '9';
  return (has_bare_style ? "" : "v") + version.Text() + VariantOfTag(old_tag);
}

}  // namespace mu::model
