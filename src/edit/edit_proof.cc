// SPDX-License-Identifier: Apache-2.0
#include "edit/edit_proof.h"

#include <fmt/format.h>

#include <utility>

#include "edit/compose_tree.h"
#include "edit/image_value.h"

namespace mu::edit {
namespace {

tl::unexpected<Error> Disproved(const std::string& what) {
  return Fail(ErrorCode::kEditProof, "the edit was not made, since " + what,
              "this is a fault of milvus-upgrade: report it with the files; change the image by "
              "hand meanwhile");
}

Status ApplyTo(std::vector<SourceFile>* files, const std::vector<FileEdit>& edits) {
  for (SourceFile& file : *files) {
    for (const FileEdit& edit : edits) {
      if (edit.path != file.path) continue;
      MU_TRY(file.bytes, Apply(file.bytes, edit.splices));
    }
  }
  return {};
}

// What a service resolves to; "" when that cannot be told.
std::string Resolved(const ComposeTree& tree, const Variables& variables,
                     const std::string& service) {
  const Result<ServiceImage> image = tree.ImageOf(service);
  if (!image || !image->source) return "";
  const Result<ImageValue> value =
      Evaluate(image->source->document->At(image->source->node).value, variables);
  return value ? value->Text() : "";
}

// Equal but for scalars that a splice touches.
bool IsSameTree(const YamlDocument& before, const YamlDocument& after, const FileEdit* edit) {
  if (before.Nodes().size() != after.Nodes().size()) return false;
  for (std::size_t i = 0; i < before.Nodes().size(); ++i) {
    const YamlNode& a = before.Nodes()[i];
    const YamlNode& b = after.Nodes()[i];
    const bool is_same_shape = a.kind == b.kind && a.tag == b.tag && a.parent == b.parent &&
                               a.target == b.target && a.anchor == b.anchor;
    if (!is_same_shape) return false;
    if (a.value == b.value) continue;
    const std::optional<ScalarRange> range = before.RangeOf(static_cast<int>(i));
    if (!range || edit == nullptr) return false;
    bool is_touched = false;
    for (const model::Splice& splice : edit->splices) {
      is_touched = is_touched || (splice.offset >= range->begin &&
                                  splice.offset + splice.before.size() <= range->end);
    }
    if (!is_touched) return false;
  }
  return true;
}

}  // namespace

Status ProveEdits(const ProjectSources& sources,
                  const std::map<std::string, model::ImageRef>& wanted,
                  const std::vector<FileEdit>& edits) {
  ProjectSources edited = sources;
  for (auto* files : {&edited.compose, &edited.reachable, &edited.env}) {
    MU_CHECK(ApplyTo(files, edits));
  }
  MU_TRY(const ComposeTree before, ComposeTree::Load(sources));
  MU_TRY(const Variables old_variables, Variables::Load(sources));
  const Result<ComposeTree> after = ComposeTree::Load(edited);
  const Result<Variables> new_variables = Variables::Load(edited);
  if (!after) return Disproved("afterwards " + after.error().message);
  if (!new_variables) return Disproved("afterwards " + new_variables.error().message);
  for (const auto& [service, image] : wanted) {
    const std::string resolved = Resolved(*after, *new_variables, service);
    if (resolved == image.Text()) continue;
    return Disproved(
        fmt::format("{} would have image \"{}\", not \"{}\"", service, resolved, image.Text()));
  }
  MU_TRY(const std::vector<std::string> services, before.Services());
  for (const std::string& service : services) {
    const bool stays = wanted.contains(service) || Resolved(before, old_variables, service) ==
                                                       Resolved(*after, *new_variables, service);
    if (!stays) return Disproved(fmt::format("the image of {} would change", service));
  }
  for (std::size_t i = 0; i < before.Documents().size(); ++i) {
    const YamlDocument& document = before.Documents()[i];
    const FileEdit* edit = nullptr;
    for (const FileEdit& candidate : edits) {
      if (candidate.path == document.Path()) edit = &candidate;
    }
    if (!IsSameTree(document, after->Documents()[i], edit)) {
      return Disproved(fmt::format("{} would read differently elsewhere", document.Path()));
    }
  }
  for (std::size_t i = 0; i < old_variables.Files().size(); ++i) {
    const std::vector<EnvEntry>& a = old_variables.Files()[i];
    const std::vector<EnvEntry>& b = new_variables->Files()[i];
    bool is_same = a.size() == b.size();
    for (std::size_t k = 0; is_same && k < a.size(); ++k) {
      is_same = a[k].name == b[k].name && a[k].line == b[k].line &&
                (a[k].value == b[k].value || b[k].is_exact);
    }
    if (!is_same) {
      return Disproved(fmt::format("{} would read differently elsewhere", sources.env[i].path));
    }
  }
  return {};
}

}  // namespace mu::edit
