// SPDX-License-Identifier: Apache-2.0
// What must hold for any text that edit is given: it ends, and an edit reads back as the wanted
// images and nothing else. Reads back with yaml-cpp's own tree, not with edit's. Used by the
// libFuzzer program and by a short deterministic run in the unit tests.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/edit/compose_edit.h"

namespace mu::fuzz {

inline constexpr char kFileSeparator = '\x1e';  // compose, override, included, .env
inline constexpr std::string_view kWantedTag = "v2.3.5";

[[noreturn]] inline void Broken(const std::string& what) {
  std::fprintf(stderr, "broken promise: %s\n", what.c_str());
  std::abort();
}

// Walks two trees side by side; a difference must be an image that now has the wanted tag, or
// gets it from a variable.
inline void CompareTrees(const YAML::Node& before, const YAML::Node& after, bool is_image,
                         int depth, int* budget) {
  if (--*budget < 0 || depth > 60) return;
  if (before.Type() != after.Type()) Broken("a node changed its kind");
  if (before.IsScalar() && before.Scalar() != after.Scalar()) {
    if (!is_image) Broken("a value that is no image changed: " + before.Scalar());
    const bool is_wanted = after.Scalar().find(kWantedTag) != std::string::npos ||
                           after.Scalar().find('$') != std::string::npos;
    if (!is_wanted) Broken("image: " + after.Scalar());
  }
  if (before.size() != after.size()) Broken("a node changed its size");
  if (before.IsSequence()) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      CompareTrees(before[i], after[i], is_image, depth + 1, budget);
    }
  }
  if (!before.IsMap()) return;
  auto other = after.begin();
  for (const auto& entry : before) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    CompareTrees(entry.first, other->first, false, depth + 1, budget);
    CompareTrees(entry.second, other->second,
                 key == "image" || key.starts_with("x-") || (is_image && key != "environment"),
                 depth + 1, budget);
    ++other;
  }
}

// True when an edit was made.
inline bool CheckEdit(std::string_view data) {
  std::vector<std::string> texts = Split(data, kFileSeparator);
  texts.resize(4);
  edit::ProjectSources sources;
  sources.compose.push_back({"/p/docker-compose.yml", texts[0]});
  if (!texts[1].empty()) sources.compose.push_back({"/p/docker-compose.override.yml", texts[1]});
  if (!texts[2].empty()) sources.reachable.push_back({"/p/other.yml", texts[2]});
  if (!texts[3].empty()) sources.env.push_back({"/p/.env", texts[3]});
  for (const edit::SourceFile& file : sources.compose) {
    (void)edit::ReferencedFiles(file);
    (void)edit::UsedVariables(file);
  }
  const model::ImageRef image{"milvusdb/milvus", std::string(kWantedTag), ""};
  const auto edits = edit::EditImages(sources, {{"standalone", image}});
  if (!edits) {
    if (edits.error().message.empty()) Broken("an error without words");
    if (edits.error().code == ErrorCode::kEditProof) Broken(edits.error().Text());
    return false;
  }
  for (const auto* files : {&sources.compose, &sources.reachable, &sources.env}) {
    for (const edit::SourceFile& file : *files) {
      for (const edit::FileEdit& edit : *edits) {
        if (edit.path != file.path) continue;
        const auto after = edit::Apply(file.bytes, edit.splices);
        if (!after) Broken("its own splices do not apply");
        (void)edit::UnifiedDiff(file.path, file.bytes, *after);
        if (file.path.ends_with(".env")) continue;
        int budget = 20000;
        CompareTrees(YAML::Load(file.bytes), YAML::Load(*after), false, 0, &budget);
      }
    }
  }
  return !edits->empty();
}

}  // namespace mu::fuzz
