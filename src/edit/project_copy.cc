// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/edit/project_copy.h"

#include <map>
#include <string_view>

#include "edit/compose_tree.h"
#include "edit/yaml_locator.h"

namespace mu::edit {
namespace {

// The node itself or the list that it is in: what stands under a key. -1: nothing does.
int Keyed(const YamlDocument& document, int node) {
  while (node >= 0 && document.KeyOf(node).empty()) node = document.At(node).parent;
  return node;
}

class Copier {
 public:
  Copier(const std::string& root, const YamlDocument& document)
      : root_(root), document_(document) {}

  Result<CopiedFile> Run() {
    for (int node = 0; node < static_cast<int>(document_.Nodes().size()); ++node) {
      if (document_.IsKey(node)) continue;
      const int value = document_.Deref(node);
      if (document_.At(value).kind == NodeKind::kScalar) Take(node, value);
    }
    std::vector<model::Splice> splices;
    for (const auto& [offset, text] : led_) splices.push_back({offset, text, root_ + text});
    MU_TRY(copied_.bytes, Apply(document_.Bytes(), splices));
    return copied_;
  }

 private:
  void Take(int node, int value) {
    const int keyed = Keyed(document_, node);
    if (keyed < 0) return;
    const std::string_view key = document_.KeyOf(keyed);
    const int outer = Keyed(document_, document_.At(keyed).parent);
    const std::string_view outer_key = outer < 0 ? std::string_view() : document_.KeyOf(outer);
    const std::string& text = document_.At(value).value;
    if (!IsLocalPath(text)) return;
    if (key == "env_file" || key == "label_file" || (key == "path" && outer_key == "env_file")) {
      if (!text.starts_with('/')) copied_.env_files.push_back(text);
    } else if (key == "project_directory" && outer_key == "include") {
      copied_.folders.push_back(JoinPath(FolderOf(document_.Path()), text));
      Lead(value);
    } else if (key == "include" || (key == "path" && outer_key == "include") ||
               (key == "file" && outer_key == "extends")) {
      Lead(value);
    }
  }

  // What cannot be led is seen by the proof: it finds the file as it was.
  void Lead(int scalar) {
    const std::string& text = document_.At(scalar).value;
    const std::optional<ScalarRange> range = document_.RangeOf(scalar);
    if (text.starts_with('/') && range) led_[range->begin] = text;
  }

  const std::string& root_;
  const YamlDocument& document_;
  std::map<std::size_t, std::string> led_;  // offset -> path as written
  CopiedFile copied_;
};

}  // namespace

Result<CopiedFile> CopyUnder(const std::string& root, const SourceFile& file) {
  MU_TRY(const YamlDocument document, YamlDocument::Parse(file.path, file.bytes));
  return Copier(root, document).Run();
}

}  // namespace mu::edit
