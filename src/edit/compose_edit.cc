// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/edit/compose_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>
#include <utility>

#include "edit/compose_tree.h"
#include "edit/edit_proof.h"
#include "edit/image_value.h"
#include "edit/interpolation.h"
#include "edit/shared_use.h"
#include "milvus_upgrade/base/text.h"

namespace mu::edit {
namespace {

constexpr std::size_t kMaxImageBytes = 1024;  // with its variables; real ones have below 300

using Wanted = std::map<std::string, model::ImageRef>;

// One value in one file, as the services that it decides want it.
struct Change {
  std::string path;
  std::size_t begin = 0;
  std::string before;
  std::string after;
  std::vector<std::string> services;
  std::string place;  // path:line:column, or path:line of an env file
  Segment segment;
  ScalarId scalar;
};

// By file and byte, so that a value shared by services is one change.
using Changes = std::map<std::pair<std::string, std::size_t>, Change>;

// Gives an error without a place its place and subject.
tl::unexpected<Error> Refuse(const std::string& place, const std::string& service,
                             const std::string& reason, std::string hint) {
  return Fail(ErrorCode::kEditRefused,
              Printable(fmt::format("{}: image of {}: {}", place, service, reason)),
              std::move(hint));
}

std::string LineOfPlace(const std::string& place, const std::string& path) {
  const std::vector<std::string> numbers = Split(place.substr(path.size()), ':');
  return numbers.size() > 1 ? numbers[1] : "";
}

class Editor {
 public:
  Editor(const ProjectSources& sources, const Wanted& wanted, const ComposeTree& tree,
         const Variables& variables)
      : sources_(sources), wanted_(wanted), tree_(tree), variables_(variables) {}

  Result<std::vector<FileEdit>> Run() {
    MU_TRY(services_, tree_.Services());
    for (const auto& [service, image] : wanted_) MU_CHECK(PlanService(service, image));
    for (auto it = changes_.begin(); it != changes_.end();) {
      it = it->second.before == it->second.after ? changes_.erase(it) : std::next(it);
    }
    MU_CHECK(CheckShared());
    return Edits();
  }

 private:
  Status PlanService(const std::string& service, const model::ImageRef& image) {
    if (!std::binary_search(services_.begin(), services_.end(), service)) {
      MU_TRY(const std::vector<std::string> unread, tree_.UnreadPlaces());
      return Fail(ErrorCode::kEditRefused,
                  fmt::format("{}: no service {} in the compose files{}",
                              sources_.compose.front().path, service,
                              unread.empty() ? "" : "; not read: what is included at " + unread[0]),
                  "change its image by hand where it is written");
    }
    MU_TRY(const ServiceImage found, tree_.ImageOf(service));
    if (!found.source) {
      return Fail(ErrorCode::kEditRefused,
                  fmt::format("{}: no file gives service {} an image",
                              sources_.compose.front().path, service),
                  fmt::format("write `image: {}` there", image.Text()));
    }
    const ImageSource& source = *found.source;
    allowed_.insert({source.document, source.node});
    for (const ImageSource& other : found.overridden) allowed_.insert({other.document, other.node});
    const std::string place = source.document->PlaceOf(source.node);
    const std::string& scalar = source.document->At(source.node).value;
    const std::string by_hand = fmt::format("write {} there by hand", image.Text());
    if (scalar.size() > kMaxImageBytes) return Refuse(place, service, "too long", by_hand);
    Result<ImageValue> value = Evaluate(scalar, variables_);
    if (!value) return Refuse(place, service, value.error().message, value.error().hint);
    MU_CHECK(CheckVariables(service, source, *value));
    const Result<model::ImageRef> current = model::ParseImageRef(value->Text());
    if (!current) {
      return Refuse(place, service,
                    fmt::format("\"{}\" is no image reference{}", Printable(value->Text()),
                                value->unset.empty()
                                    ? std::string()
                                    : fmt::format(" ({} is not set)", Join(value->unset, ", "))),
                    by_hand);
    }
    if (Status rewritten = Rewrite(image, &value->segments); !rewritten) {
      return Refuse(place, service, rewritten.error().message, rewritten.error().hint);
    }
    for (const Segment& segment : value->segments) {
      MU_CHECK(AddChange(service, source, segment, by_hand));
    }
    return {};
  }

  // What Compose would read from files that we do not know, or reads in two ways.
  Status CheckVariables(const std::string& service, const ImageSource& source,
                        const ImageValue& value) const {
    const std::string place = source.document->PlaceOf(source.node);
    if (!value.inexact.empty()) {
      const Segment segment = variables_.Find(value.inexact[0])->segment;
      return Refuse(
          fmt::format("{}:{}", sources_.env[segment.file].path, variables_.Entry(segment).line),
          service,
          fmt::format("{} holds escapes or other variables, which Compose versions read "
                      "differently",
                      value.inexact[0]),
          "write its value there in plain text");
    }
    std::vector<std::string> names = value.unset;
    names.insert(names.end(), value.defaults.begin(), value.defaults.end());
    if (source.unread_env.empty() || names.empty()) {
      const bool is_own_file = source.unread_env == kOwnEnvFile;
      MU_TRY(const std::vector<Piece> pieces, ParsePieces(source.document->At(source.node).value));
      names = is_own_file ? VariablesOf(pieces) : std::vector<std::string>();
    }
    if (names.empty()) return {};
    return Refuse(place, service,
                  fmt::format("{} may be set by {} of the include that brings this file",
                              Join(names, ", "), source.unread_env),
                  "write the image there as a plain value, or change it by hand");
  }

  Status AddChange(const std::string& service, const ImageSource& source, const Segment& segment,
                   const std::string& by_hand) {
    const bool is_changed = segment.text != segment.new_text;
    const YamlDocument& document = *source.document;
    Change change;
    change.before = segment.text;
    change.after = segment.new_text;
    change.services = {service};
    change.segment = segment;
    change.scalar = {source.document, source.node};
    switch (segment.kind) {
      case Segment::Kind::kFixed:
        return {};
      case Segment::Kind::kShell:
        return is_changed ? RefuseShell(service, source, segment) : Status();
      case Segment::Kind::kEnv:
        change.path = sources_.env[segment.file].path;
        change.begin = variables_.Entry(segment).begin;
        change.place = fmt::format("{}:{}", change.path, variables_.Entry(segment).line);
        break;
      case Segment::Kind::kLiteral: {
        const std::optional<ScalarRange> range = document.RangeOf(source.node);
        if (!range && is_changed) {
          return Refuse(document.PlaceOf(source.node), service,
                        "it is written with escapes or over several lines", by_hand);
        }
        if (!range) return {};
        change.path = document.Path();
        change.begin = range->begin + segment.offset;
        change.place = document.PlaceAt(change.begin);
        break;
      }
    }
    const auto [it, is_new] = changes_.try_emplace({change.path, change.begin}, change);
    if (is_new) return {};
    if (it->second.after != change.after) {
      return Refuse(change.place, service,
                    fmt::format("{} takes its image from the same value and needs \"{}\" there, "
                                "not \"{}\"",
                                it->second.services[0], it->second.after, change.after),
                    "give each service an image of its own");
    }
    it->second.services.push_back(service);
    return {};
  }

  Status RefuseShell(const std::string& service, const ImageSource& source,
                     const Segment& segment) const {
    std::string in_file;
    for (std::size_t file = 0; file < variables_.Files().size(); ++file) {
      for (const EnvEntry& entry : variables_.Files()[file]) {
        if (entry.name != segment.variable) continue;
        in_file = fmt::format(", or `unset {}` so that {}:{} decides", segment.variable,
                              sources_.env[file].path, entry.line);
      }
    }
    return Refuse(source.document->PlaceOf(source.node), service,
                  fmt::format("the shell variable {} decides it (now \"{}\"), and no file",
                              segment.variable, Printable(segment.text)),
                  fmt::format("`export {}={}` where Compose is run{}", segment.variable,
                              ShellQuote(segment.new_text), in_file));
  }

  Status CheckShared() const {
    MU_TRY(const std::vector<std::string> unread, tree_.UnreadPlaces());
    std::set<ScalarId> touched;  // image scalars that will read differently
    for (const auto& [key, change] : changes_) {
      std::set<ScalarId> scalars = {change.scalar};
      std::optional<std::string> other;
      std::string what = "this value";
      if (change.segment.kind == Segment::Kind::kEnv) {
        what = change.segment.variable;
        scalars = ImagesWith(what);
        other = OtherUse(sources_, tree_, variables_, change.segment, allowed_);
        if (!other && !unread.empty()) other = "maybe by what is included at " + unread[0];
      }
      for (const ScalarId& scalar : scalars) {
        if (!other) other = AliasElsewhere(scalar);
      }
      touched.insert(scalars.begin(), scalars.end());
      if (!other) continue;
      return Refuse(change.place, Join(change.services, ", "),
                    fmt::format("{} is used {} as well, which must not change", what, *other),
                    "give the Milvus services a value of their own");
    }
    for (const std::string& service : services_) {
      if (wanted_.contains(service)) continue;
      const Result<ServiceImage> image = tree_.ImageOf(service);
      if (!image || !image->source) continue;  // built, or not for us to judge: it stays as it is
      const ScalarId scalar{image->source->document, image->source->node};
      if (!touched.contains(scalar)) continue;
      return Refuse(scalar.first->PlaceOf(scalar.second), "the Milvus services",
                    fmt::format("service {} ({}) takes its image from here as well and is not to "
                                "change",
                                service, scalar.first->PlaceOf(image->source->service)),
                    fmt::format("give {} an `image:` of its own", service));
    }
    return {};
  }

  std::set<ScalarId> ImagesWith(const std::string& variable) const {
    std::set<ScalarId> scalars;
    for (const ScalarId& scalar : allowed_) {
      if (MentionsVariable(scalar.first->At(scalar.second).value, variable)) scalars.insert(scalar);
    }
    return scalars;
  }

  // The part of a change that differs, from the last ':', '/' or '@' before it: a tag is written
  // whole.
  static model::Splice SpliceOf(const Change& change) {
    const std::size_t shorter = std::min(change.before.size(), change.after.size());
    std::size_t same = 0;
    while (same < shorter && change.before[same] == change.after[same]) ++same;
    const std::size_t mark = change.before.substr(0, same).find_last_of(":/@");
    const std::size_t begin = mark == std::string::npos ? 0 : mark + 1;
    std::string before = change.before.substr(begin);
    std::string after = change.after.substr(begin);
    const std::size_t digest = before.find('@');
    const std::size_t new_digest = after.find('@');
    const bool keeps_digest = digest != std::string::npos && new_digest != std::string::npos &&
                              before.substr(digest) == after.substr(new_digest);
    if (keeps_digest) {
      before.resize(digest);
      after.resize(new_digest);
    }
    return {change.begin + begin, std::move(before), std::move(after)};
  }

  std::vector<FileEdit> Edits() const {
    std::vector<FileEdit> edits;
    std::vector<std::string> paths;
    for (const auto* files : {&sources_.compose, &sources_.reachable, &sources_.env}) {
      for (const SourceFile& file : *files) paths.push_back(file.path);
    }
    for (const std::string& path : paths) {
      FileEdit edit;
      edit.path = path;
      for (const auto& [key, change] : changes_) {
        if (change.path != path) continue;
        edit.splices.push_back(SpliceOf(change));
        edit.reasons.push_back(ReasonOf(change));
      }
      const bool is_known = std::any_of(edits.begin(), edits.end(),
                                        [&](const FileEdit& other) { return other.path == path; });
      if (!edit.splices.empty() && !is_known) edits.push_back(std::move(edit));
    }
    return edits;
  }

  static std::string ReasonOf(const Change& change) {
    const bool drops_digest = change.before.find("@sha256:") != std::string::npos &&
                              change.after.find("@sha256:") == std::string::npos;
    return fmt::format("{}:{}: {}image of {}{}",
                       std::filesystem::path(change.path).filename().string(),
                       LineOfPlace(change.place, change.path),
                       change.segment.variable.empty() ? "" : change.segment.variable + ", ",
                       Join(change.services, ", "),
                       drops_digest ? "; its digest is removed, since none is wanted" : "");
  }

  const ProjectSources& sources_;
  const Wanted& wanted_;
  const ComposeTree& tree_;
  const Variables& variables_;
  std::vector<std::string> services_;
  std::set<ScalarId> allowed_;  // image scalars of wanted services, in effect or overridden
  Changes changes_;
};

}  // namespace

Result<std::vector<std::string>> ReferencedFiles(const SourceFile& file) {
  MU_TRY(const YamlDocument document, YamlDocument::Parse(file.path, file.bytes));
  std::vector<std::string> names;
  MU_TRY(const std::vector<IncludeEntry> includes, IncludesOf(document));
  for (const IncludeEntry& entry : includes) {
    names.insert(names.end(), entry.paths.begin(), entry.paths.end());
  }
  MU_TRY(const std::vector<std::string> extended, ExtendedFilesOf(document));
  names.insert(names.end(), extended.begin(), extended.end());
  std::vector<std::string> paths;
  for (const std::string& name : names) {
    if (!IsLocalPath(name)) continue;
    std::string path = JoinPath(FolderOf(file.path), name);
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
  }
  return paths;
}

Status CheckProject(const ProjectSources& sources) {
  const auto tree = ComposeTree::Load(sources);
  // What cannot be edited is a finding among others, when more is known.
  if (tree || tree.error().code == ErrorCode::kEditRefused) return {};
  return Fail(tree.error());
}

std::vector<std::string> UsedVariables(const SourceFile& file) {
  std::set<std::string> names;
  const Result<YamlDocument> document = YamlDocument::Parse(file.path, file.bytes);
  if (!document) return {};
  for (int node = 0; node < static_cast<int>(document->Nodes().size()); ++node) {
    if (document->KeyOf(node) != "image") continue;
    const YamlNode& value = document->At(document->Deref(node));
    const Result<std::vector<Piece>> pieces = ParsePieces(value.value);
    if (!pieces) continue;
    for (std::string& name : VariablesOf(*pieces)) names.insert(std::move(name));
  }
  return {names.begin(), names.end()};
}

Result<std::vector<FileEdit>> EditImages(const ProjectSources& sources,
                                         const std::map<std::string, model::ImageRef>& wanted) {
  MU_TRY(const ComposeTree tree, ComposeTree::Load(sources));
  MU_TRY(const Variables variables, Variables::Load(sources));
  MU_TRY(std::vector<FileEdit> edits, Editor(sources, wanted, tree, variables).Run());
  MU_CHECK(ProveEdits(sources, wanted, edits));
  return edits;
}

}  // namespace mu::edit
