// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/edit/standby_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "edit/yaml_locator.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/edit/compose_edit.h"

namespace mu::edit {
namespace {

constexpr std::string_view kKey = "enableActiveStandby";

// As Milvus folds the keys of its configuration.
std::string Folded(std::string_view key) {
  std::string folded;
  for (const char c : ToLower(key)) {
    if (c != '/' && c != '_' && c != '.') folded += c;
  }
  return folded;
}

// Every scalar under the path that leads to it; what an alias or a merge brings is there as well.
Status Flatten(const YamlDocument& document, int node, const std::string& path, int depth,
               std::map<std::string, std::string>* out) {
  if (depth > kMaxAliasDepth || out->size() > static_cast<std::size_t>(kMaxLookups))
    return Fail(ErrorCode::kYamlSyntax, document.PlaceOf(node) + ": aliases fan out too widely");
  const YamlNode& at = document.At(document.Deref(node));
  switch (at.kind) {
    case NodeKind::kScalar:
      (*out)[path] = at.tag + " " + at.value;
      return {};
    case NodeKind::kSequence:
      for (std::size_t i = 0; i < at.children.size(); ++i)
        MU_CHECK(Flatten(document, at.children[i], fmt::format("{}/{}", path, i), depth + 1, out));
      return {};
    case NodeKind::kMap: {
      MU_TRY(const std::vector<std::string> keys, document.Keys(node));
      for (const std::string& key : keys) {
        MU_TRY(const std::optional<int> value, document.Find(node, key));
        if (value) MU_CHECK(Flatten(document, *value, path + "/" + key, depth + 1, out));
      }
      return {};
    }
    default:
      return {};
  }
}

class Edit {
 public:
  explicit Edit(const YamlDocument& document)
      : document_(document),
        newline_(document.Bytes().find("\r\n") == std::string::npos ? "\n" : "\r\n") {}

  Status Enable(const std::string& section) {
    if (document_.IsEmpty()) return Append(section, "");
    const YamlNode& root = document_.At(document_.Root());
    if (root.kind != NodeKind::kMap)
      return Refuse(document_.Root(), "is not a map of configuration keys");
    MU_TRY(const std::optional<int> flat, Own(document_.Root(), section + std::string(kKey)));
    if (flat) return SetTrue(*flat);  // "rootCoord.enableActiveStandby: false"
    MU_TRY(const std::optional<int> value, Own(document_.Root(), section));
    if (!value) {
      if (IsFlow(document_.Root())) return InsertFlow(document_.Root(), Entry(section));
      return Append(section, IndentOf(root.children.front()));
    }
    const YamlNode& map = document_.At(*value);
    if (map.kind == NodeKind::kAlias || map.anchor != 0)
      return Refuse(*value, "is shared by an anchor: other sections would change with it");
    if (map.kind == NodeKind::kNull) return FillNull(*value);
    if (map.kind != NodeKind::kMap) return Refuse(*value, "is not a map");
    MU_TRY(const std::optional<int> own, Own(*value, kKey));
    if (own) return SetTrue(*own);
    if (IsFlow(*value)) return InsertFlow(*value, std::string(kKey) + ": true");
    const std::size_t first = document_.At(map.children.front()).offset;
    const std::string indent = IndentOf(map.children.front());
    if (indent.find_first_not_of(' ') != std::string::npos)
      return Refuse(*value, "begins in the line of another key");
    return Insert(first, fmt::format("{}: true{}{}", kKey, newline_, indent));
  }

  std::vector<model::Splice> Take() {
    if (!tail_.empty()) {
      const std::string& bytes = document_.Bytes();
      const bool ends = bytes.empty() || bytes.back() == '\n';
      splices_.push_back({bytes.size(), "", (ends ? "" : newline_) + tail_});
    }
    std::stable_sort(splices_.begin(), splices_.end(),
                     [](const auto& a, const auto& b) { return a.offset < b.offset; });
    return std::move(splices_);
  }

 private:
  tl::unexpected<Error> Refuse(int node, std::string_view why) const {
    return Fail(ErrorCode::kEditRefused,
                fmt::format("{}: {} {}", document_.PlaceOf(node), NameOf(node), why),
                fmt::format("write {}: true there by hand, or go on without standby with "
                            "--skip-check active-standby",
                            kKey));
  }
  std::string NameOf(int node) const {
    const std::string_view key = document_.KeyOf(node);
    return key.empty() ? "the text" : Printable(key);
  }

  // The value of the map's own key that Milvus reads as `key`. Errors: kEditRefused when there are
  // two.
  Result<std::optional<int>> Own(int map, std::string_view key) const {
    const std::string wanted = Folded(key);
    std::optional<int> found;
    const std::vector<int>& children = document_.At(map).children;
    for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
      const YamlNode& name = document_.At(document_.Deref(children[i]));
      if (name.kind != NodeKind::kScalar || Folded(name.value) != wanted) continue;
      if (found) return Refuse(children[i + 1], "is written twice in Milvus's eyes");
      found = children[i + 1];
    }
    return found;
  }

  Status SetTrue(int value) {
    const YamlNode& node = document_.At(value);
    if (node.kind == NodeKind::kScalar && ToLower(node.value) == "true") return {};
    const std::optional<ScalarRange> range = document_.RangeOf(value);
    if (!range) return Refuse(value, "is not written as true or false");
    splices_.push_back(
        {range->begin, document_.Bytes().substr(range->begin, range->end - range->begin), "true"});
    return {};
  }

  // "rootCoord:" and "rootCoord: ~".
  Status FillNull(int value) {
    const std::string& bytes = document_.Bytes();
    const std::vector<int>& siblings = document_.At(document_.At(value).parent).children;
    const int key = *std::prev(std::lower_bound(siblings.begin(), siblings.end(), value));
    const std::size_t colon =
        bytes.find(':', document_.At(key).offset + document_.At(key).value.size());
    const std::size_t end = std::min(bytes.find('\n', colon), bytes.size());
    const std::size_t text = bytes.find_first_not_of(" \t\r", colon + 1);
    const bool is_written = text < end && bytes[text] != '#';
    const std::string flow = fmt::format("{{{}: true}}", kKey);
    if (is_written) {
      for (const std::string_view null : {"~", "null", "Null", "NULL"}) {
        if (bytes.compare(text, null.size(), null) != 0) continue;
        splices_.push_back({text, std::string(null), flow});
        return {};
      }
      return Refuse(value, "is not a map");
    }
    if (IsFlow(document_.At(value).parent)) return Insert(colon + 1, " " + flow);
    const std::size_t line_end =
        end > 0 && end < bytes.size() && bytes[end - 1] == '\r' ? end - 1 : end;
    return Insert(line_end, fmt::format("{}{}  {}: true", newline_, IndentOf(key), kKey));
  }

  bool IsFlow(int map) const {
    const std::string& bytes = document_.Bytes();
    return document_.At(map).offset < bytes.size() && bytes[document_.At(map).offset] == '{';
  }
  Status InsertFlow(int map, const std::string& entry) {
    const std::size_t offset = document_.At(map).offset + 1;
    if (!document_.At(map).children.empty()) return Insert(offset, entry + ", ");
    const bool is_first = std::none_of(splices_.begin(), splices_.end(),
                                       [&](const auto& splice) { return splice.offset == offset; });
    return Insert(offset, is_first ? entry : ", " + entry);
  }
  static std::string Entry(const std::string& section) {
    return fmt::format("{}: {{{}: true}}", section, kKey);
  }

  // Several sections may be added at one place: they stay in the order of asking.
  Status Insert(std::size_t offset, std::string text) {
    for (model::Splice& splice : splices_) {
      if (splice.offset != offset || !splice.before.empty()) continue;
      splice.after += text;
      return {};
    }
    splices_.push_back({offset, "", std::move(text)});
    return {};
  }
  Status Append(const std::string& section, const std::string& indent) {
    tail_ += fmt::format("{0}{1}:{2}{0}  {3}: true{2}", indent, section, newline_, kKey);
    return {};
  }
  std::string IndentOf(int key) const {
    const std::string& bytes = document_.Bytes();
    const std::size_t offset = document_.At(key).offset;
    const std::size_t newline = offset == 0 ? std::string::npos : bytes.rfind('\n', offset - 1);
    const std::size_t line = newline == std::string::npos ? 0 : newline + 1;
    return bytes.substr(line, offset - line);
  }

  const YamlDocument& document_;
  std::string newline_;
  std::string tail_;  // goes to the end of the text
  std::vector<model::Splice> splices_;
};

// Nothing but the wanted keys reads differently.
Status Prove(const std::string& name, const YamlDocument& before, const std::string& text,
             const std::vector<std::string>& sections) {
  const auto wrong = [&](const std::string& what) {
    return Fail(ErrorCode::kEditProof,
                fmt::format("{}: switching standby on there would {}", name, what),
                fmt::format("write {}: true there by hand", kKey));
  };
  const auto after = YamlDocument::Parse(name, text);
  if (!after) return wrong("break it: " + after.error().message);
  std::map<std::string, std::string> old_values;
  std::map<std::string, std::string> new_values;
  if (!before.IsEmpty()) MU_CHECK(Flatten(before, before.Root(), "", 0, &old_values));
  if (!after->IsEmpty()) MU_CHECK(Flatten(*after, after->Root(), "", 0, &new_values));
  std::vector<std::string> wanted;
  for (const std::string& section : sections) wanted.push_back(Folded(section + std::string(kKey)));
  std::size_t found = 0;
  for (const auto& [path, value] : new_values) {
    if (std::find(wanted.begin(), wanted.end(), Folded(path)) != wanted.end()) {
      if (ToLower(value).ends_with(" true")) ++found;
    } else if (const auto it = old_values.find(path);
               it == old_values.end() || it->second != value) {
      return wrong("change " + path.substr(1));
    }
  }
  for (const auto& [path, value] : old_values) {
    if (!new_values.contains(path)) return wrong("remove " + path.substr(1));
  }
  return found == wanted.size() ? Status() : wrong("not work");
}

}  // namespace

Result<std::vector<model::Splice>> EnableStandby(const std::string& name, const std::string& text,
                                                 const std::vector<std::string>& sections) {
  MU_TRY(const YamlDocument document, YamlDocument::Parse(name, text));
  Edit edit(document);
  for (const std::string& section : sections) MU_CHECK(edit.Enable(section));
  std::vector<model::Splice> splices = edit.Take();
  if (splices.empty()) return splices;
  MU_TRY(const std::string after, Apply(text, splices));
  MU_CHECK(Prove(name, document, after, sections));
  return splices;
}

}  // namespace mu::edit
