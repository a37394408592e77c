// SPDX-License-Identifier: Apache-2.0
// The effective settings of a Milvus container: its environment over its milvus.yaml and user.yaml.
// Pure. Milvus matches environment names without separators and case: ETCD_ROOT_PATH is
// etcd.rootPath.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/observed.h"

namespace mu::observe {

// `yamls`: milvus.yaml, then user.yaml (later ones win). Errors: kYamlSyntax naming the file.
struct NamedText {
  std::string name;
  std::string text;
};
Result<model::MilvusSettings> SettingsOf(const std::map<std::string, std::string>& environment,
                                         const std::vector<NamedText>& yamls, bool is_standalone);

// The coordinators ("rootcoord", "mixcoord", ...) whose enableActiveStandby is true there. Errors:
// as above.
Result<std::set<std::string>> StandbyOf(const std::map<std::string, std::string>& environment,
                                        const std::vector<NamedText>& yamls);

}  // namespace mu::observe
