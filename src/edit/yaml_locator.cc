// SPDX-License-Identifier: Apache-2.0
#include "edit/yaml_locator.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "milvus_upgrade/base/text.h"

namespace mu::edit {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::size_t kMaxDepth = 100;

struct TooDeep {
  std::size_t offset;
};

// Length of the UTF-8 sequence at `at`, 0 when it is not one.
std::size_t SequenceLength(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned lead = byte(at);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80) return 0;
  }
  const unsigned second = byte(at + 1);
  if (lead == 0xE0 && second < 0xA0) return 0;
  if (lead == 0xED && second > 0x9F) return 0;
  if (lead == 0xF0 && second < 0x90) return 0;
  if (lead == 0xF4 && second > 0x8F) return 0;
  return length;
}

}  // namespace

// Takes yaml-cpp's events; marks are bytes after the BOM.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(YamlDocument* document, std::size_t base) : document_(document), base_(base) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) second_ = Offset(mark);
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(NodeKind::kNull, mark, "", anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const int node = Add(NodeKind::kAlias, mark, "", 0);
    YamlNode& alias = document_->nodes_[static_cast<std::size_t>(node)];
    alias.anchor = anchor;
    const auto it = anchors_.find(anchor);
    if (it != anchors_.end()) alias.target = it->second;
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const int node = Add(NodeKind::kScalar, mark, tag, anchor);
    document_->nodes_[static_cast<std::size_t>(node)].value = value;
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    Open(NodeKind::kSequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    Open(NodeKind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { open_.pop_back(); }

  int Documents() const { return documents_; }
  std::size_t SecondDocument() const { return second_; }

 private:
  std::size_t Offset(const YAML::Mark& mark) const {
    return base_ + static_cast<std::size_t>(std::max(mark.pos, 0));
  }
  int Add(NodeKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    YamlNode node;
    node.kind = kind;
    node.is_plain = tag == "?";
    node.offset = Offset(mark);
    node.anchor = anchor;
    node.parent = open_.empty() ? -1 : open_.back();
    if (tag != "?" && tag != "!") node.tag = tag;
    const int index = static_cast<int>(document_->nodes_.size());
    document_->nodes_.push_back(std::move(node));
    if (!open_.empty()) {
      document_->nodes_[static_cast<std::size_t>(open_.back())].children.push_back(index);
    }
    if (anchor != 0) anchors_[anchor] = index;
    return index;
  }
  void Open(NodeKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (open_.size() >= kMaxDepth) throw TooDeep{Offset(mark)};
    open_.push_back(Add(kind, mark, tag, anchor));
  }

  YamlDocument* document_;
  std::size_t base_;
  int documents_ = 0;
  std::size_t second_ = 0;
  std::vector<int> open_;
  std::map<YAML::anchor_t, int> anchors_;
};

Result<YamlDocument> YamlDocument::Parse(std::string path, std::string bytes) {
  YamlDocument document(std::move(path), std::move(bytes));
  MU_CHECK(document.CheckText());
  const std::size_t base = document.bytes_.starts_with(kBom) ? kBom.size() : 0;
  TreeBuilder builder(&document, base);
  try {
    std::istringstream stream(document.bytes_.substr(base));
    YAML::Parser parser(stream);
    while (builder.Documents() < 2 && parser.HandleNextDocument(builder)) {
    }
  } catch (const TooDeep& deep) {
    return Fail(
        ErrorCode::kYamlSyntax,
        fmt::format("{}: more than {} levels of nesting", document.PlaceAt(deep.offset), kMaxDepth),
        "check that this is the compose file");
  } catch (const YAML::Exception& error) {
    const std::size_t at = std::min(document.bytes_.size(),
                                    base + static_cast<std::size_t>(std::max(error.mark.pos, 0)));
    const std::size_t newline = at == 0 ? std::string::npos : document.bytes_.rfind('\n', at - 1);
    const std::size_t line = newline == std::string::npos ? base : newline + 1;
    const std::size_t text = document.bytes_.find_first_not_of(" \t", line);
    const bool has_tab = text != std::string::npos &&
                         document.bytes_.substr(line, text - line).find('\t') != std::string::npos;
    return Fail(ErrorCode::kYamlSyntax,
                fmt::format("{}: not YAML: {}{}", document.PlaceAt(at), error.msg,
                            has_tab ? "; the line is indented with a tab" : ""),
                has_tab ? "indent with spaces; YAML allows no tabs there"
                        : "correct that line; `docker compose config` reads the file the same way");
  }
  if (builder.Documents() > 1) {
    return Fail(ErrorCode::kYamlSyntax,
                fmt::format("{}: a second YAML document starts here",
                            document.PlaceAt(builder.SecondDocument())),
                "put the documents into files of their own and name each with -f");
  }
  MU_CHECK(document.CheckDuplicates());
  return document;
}

Status YamlDocument::CheckText() const {
  if (bytes_.size() > kMaxFileBytes) {
    return Fail(ErrorCode::kYamlSyntax,
                fmt::format("{}: {} bytes are too many for a compose file (at most {})", path_,
                            bytes_.size(), kMaxFileBytes),
                "check that this is the compose file");
  }
  for (std::size_t at = bytes_.starts_with(kBom) ? kBom.size() : 0; at < bytes_.size();) {
    const std::size_t length = SequenceLength(bytes_, at);
    if (length == 0) {
      return Fail(ErrorCode::kYamlSyntax,
                  fmt::format("{}: not UTF-8 text (byte 0x{:02x})", PlaceAt(at),
                              static_cast<unsigned char>(bytes_[at])),
                  "save the file as UTF-8");
    }
    const std::string_view character = std::string_view(bytes_).substr(at, length);
    const unsigned first = static_cast<unsigned char>(character[0]);
    const bool is_control =
        (first < 0x20 && first != '\t' && first != '\n' && first != '\r') || first == 0x7F;
    // Line ends of YAML 1.1 only: Compose and yaml-cpp would see different lines.
    const bool is_old_break =
        character == "\xC2\x85" || character == "\xE2\x80\xA8" || character == "\xE2\x80\xA9";
    if (is_control || is_old_break) {
      return Fail(
          ErrorCode::kYamlSyntax,
          fmt::format("{}: {}", PlaceAt(at),
                      is_old_break ? "a Unicode line separator, which YAML readers disagree on"
                                   : "a control character: not a text file"),
          "remove that character, or check that this is the compose file");
    }
    at += length;
  }
  return {};
}

Status YamlDocument::CheckDuplicates() const {
  std::vector<std::pair<std::string_view, int>> keys;
  for (const YamlNode& map : nodes_) {
    if (map.kind != NodeKind::kMap) continue;
    keys.clear();
    for (std::size_t i = 0; i + 1 < map.children.size(); i += 2) {
      const YamlNode& key = At(Deref(map.children[i]));
      if (key.kind == NodeKind::kScalar) keys.emplace_back(key.value, map.children[i]);
    }
    std::sort(keys.begin(), keys.end());
    for (std::size_t i = 1; i < keys.size(); ++i) {
      if (keys[i].first != keys[i - 1].first) continue;
      return Fail(ErrorCode::kYamlSyntax,
                  fmt::format("{}: the key \"{}\" is written twice, first in line {}; Compose "
                              "versions disagree on which one counts",
                              PlaceOf(keys[i].second), Printable(keys[i].first),
                              LineOf(keys[i - 1].second)),
                  "remove one of the two");
    }
  }
  return {};
}

int YamlDocument::Deref(int node) const {
  const YamlNode& alias = At(node);
  return alias.kind == NodeKind::kAlias && alias.target >= 0 ? alias.target : node;
}

Result<std::optional<int>> YamlDocument::Find(int map, std::string_view key) const {
  int budget = kMaxLookups;
  return FindIn(map, key, 0, &budget);
}

Result<std::optional<int>> YamlDocument::FindIn(int map, std::string_view key, int depth,
                                                int* budget) const {
  const YamlNode& node = At(Deref(map));
  if (node.kind != NodeKind::kMap) return std::optional<int>();
  if (depth > kMaxAliasDepth) {
    return Fail(ErrorCode::kYamlSyntax, PlaceOf(map) + ": merge keys nest too deeply");
  }
  std::optional<int> merge;
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    if (--*budget < 0) {
      return Fail(ErrorCode::kYamlSyntax, PlaceOf(map) + ": merge keys fan out too widely");
    }
    const YamlNode& name = At(Deref(node.children[i]));
    if (name.kind != NodeKind::kScalar) continue;
    if (name.value == key) return std::optional<int>(node.children[i + 1]);
    if (name.value == "<<" && name.is_plain) merge = node.children[i + 1];
  }
  if (!merge) return std::optional<int>();
  const YamlNode& merged = At(Deref(*merge));
  if (merged.kind == NodeKind::kMap) return FindIn(*merge, key, depth + 1, budget);
  if (merged.kind != NodeKind::kSequence) {
    return Fail(ErrorCode::kYamlSyntax, PlaceOf(*merge) + ": a merge key (<<) needs a map");
  }
  for (const int item : merged.children) {
    MU_TRY(const std::optional<int> found, FindIn(item, key, depth + 1, budget));
    if (found) return found;
  }
  return std::optional<int>();
}

Result<std::vector<std::string>> YamlDocument::Keys(int map) const {
  std::vector<std::string> keys;
  int budget = kMaxLookups;
  MU_CHECK(CollectKeys(map, 0, &budget, &keys));
  std::vector<std::string> unique;
  std::vector<std::string_view> seen(keys.begin(), keys.end());
  std::sort(seen.begin(), seen.end());
  if (std::adjacent_find(seen.begin(), seen.end()) == seen.end()) return keys;
  for (const std::string& key : keys) {
    if (std::find(unique.begin(), unique.end(), key) == unique.end()) unique.push_back(key);
  }
  return unique;
}

Status YamlDocument::CollectKeys(int map, int depth, int* budget,
                                 std::vector<std::string>* keys) const {
  const YamlNode& node = At(Deref(map));
  if (depth > kMaxAliasDepth) {
    return Fail(ErrorCode::kYamlSyntax, PlaceOf(map) + ": merge keys nest too deeply");
  }
  if (node.kind == NodeKind::kSequence && depth > 0) {
    for (const int item : node.children) MU_CHECK(CollectKeys(item, depth + 1, budget, keys));
  }
  if (node.kind != NodeKind::kMap) return {};
  std::optional<int> merge;
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    if (--*budget < 0) {
      return Fail(ErrorCode::kYamlSyntax, PlaceOf(map) + ": merge keys fan out too widely");
    }
    const YamlNode& name = At(Deref(node.children[i]));
    if (name.kind != NodeKind::kScalar) continue;
    if (name.value == "<<" && name.is_plain) {
      merge = node.children[i + 1];
    } else {
      keys->push_back(name.value);
    }
  }
  return merge ? CollectKeys(*merge, depth + 1, budget, keys) : Status();
}

std::size_t YamlDocument::SkipProperties(std::size_t at) const {
  while (at < bytes_.size() && (bytes_[at] == '&' || bytes_[at] == '!')) {
    at = bytes_.find_first_of(" \t\r\n", at);
    if (at == std::string::npos) return bytes_.size();
    at = std::min(bytes_.find_first_not_of(" \t", at), bytes_.size());
  }
  return at;
}

std::optional<ScalarRange> YamlDocument::RangeOf(int scalar) const {
  const YamlNode& node = At(scalar);
  if (node.kind != NodeKind::kScalar || node.value.empty()) return std::nullopt;
  const auto spells = [&](std::size_t at) {
    return bytes_.compare(at, node.value.size(), node.value) == 0;
  };
  const std::size_t at = SkipProperties(node.offset);
  if (at >= bytes_.size()) return std::nullopt;
  const char first = bytes_[at];
  const std::size_t end = at + node.value.size();
  if (node.is_plain) {
    if (!spells(at)) return std::nullopt;
    return ScalarRange{at, end, ScalarStyle::kPlain};
  }
  if (first == '\'' || first == '"') {
    // Bytes equal to the value hold no escape; a quote in it would be one.
    const bool is_exact = spells(at + 1) && end + 1 < bytes_.size() && bytes_[end + 1] == first &&
                          node.value.find(first) == std::string::npos &&
                          node.value.find_first_of("\\\n") == std::string::npos;
    if (!is_exact) return std::nullopt;
    return ScalarRange{at + 1, end + 1,
                       first == '"' ? ScalarStyle::kDoubleQuoted : ScalarStyle::kSingleQuoted};
  }
  if (first != '>' && first != '|') {
    // A tagged plain scalar: its mark is the tag, its style is not told.
    if (node.tag.empty() || !spells(at)) return std::nullopt;
    return ScalarRange{at, end, ScalarStyle::kPlain};
  }
  const std::size_t header = bytes_.find('\n', at);
  if (header == std::string::npos) return std::nullopt;
  const std::size_t text = bytes_.find_first_not_of(" \r\n", header);
  if (text == std::string::npos || !spells(text)) return std::nullopt;
  const std::size_t after = text + node.value.size();
  const bool is_line = after == bytes_.size() || bytes_[after] == '\n' || bytes_[after] == '\r';
  if (!is_line || node.value.find('\n') != std::string::npos) return std::nullopt;
  return ScalarRange{text, after, ScalarStyle::kBlock};
}

std::string_view YamlDocument::KeyOf(int node) const {
  const int parent = At(node).parent;
  if (parent < 0 || At(parent).kind != NodeKind::kMap) return {};
  const std::vector<int>& children = At(parent).children;
  const auto it = std::lower_bound(children.begin(), children.end(), node);
  const std::size_t index = static_cast<std::size_t>(it - children.begin());
  return index % 2 == 1 ? std::string_view(At(Deref(children[index - 1])).value)
                        : std::string_view();
}

bool YamlDocument::IsKey(int node) const {
  const int parent = At(node).parent;
  if (parent < 0 || At(parent).kind != NodeKind::kMap) return false;
  const std::vector<int>& children = At(parent).children;
  const auto it = std::lower_bound(children.begin(), children.end(), node);
  return (it - children.begin()) % 2 == 0;
}

std::string YamlDocument::PlaceOf(int node) const {
  const YamlNode& value = At(node);
  const bool is_absent = value.kind == NodeKind::kNull && value.parent >= 0;
  if (!is_absent) return PlaceAt(value.offset);
  // yaml-cpp marks an absent value where the next token is: the key before it tells more.
  const std::vector<int>& children = At(value.parent).children;
  const auto it = std::lower_bound(children.begin(), children.end(), node);
  return PlaceAt(
      At(it == children.begin() || At(value.parent).kind != NodeKind::kMap ? node : *std::prev(it))
          .offset);
}

std::string YamlDocument::PlaceAt(std::size_t offset) const {
  const std::string_view before = std::string_view(bytes_).substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t newline = before.rfind('\n');
  std::string_view row = newline == std::string_view::npos ? before : before.substr(newline + 1);
  if (newline == std::string_view::npos && row.starts_with(kBom)) row.remove_prefix(kBom.size());
  const auto column =
      std::count_if(row.begin(), row.end(),
                    [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }) +
      1;
  return fmt::format("{}:{}:{}", path_, line, column);
}

std::size_t YamlDocument::LineOf(int node) const {
  const std::string_view before = std::string_view(bytes_).substr(0, At(node).offset);
  return static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
}

}  // namespace mu::edit
