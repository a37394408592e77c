// SPDX-License-Identifier: Apache-2.0
// A YAML document as a tree that knows the byte where each node starts, aliases and merge keys
// kept as they are written, so that a value can be found and changed in place. Owns the traps of
// yaml-cpp's marks (BOM, anchors and tags before a value, blocks): a range is given only after the
// bytes there were seen to spell the value. Never writes YAML.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"

namespace mu::edit {

enum class NodeKind { kNull, kScalar, kSequence, kMap, kAlias };

struct YamlNode {
  NodeKind kind = NodeKind::kNull;
  bool is_plain = false;      // a scalar without quotes, not a block
  std::size_t offset = 0;     // byte of the file, at the anchor or tag when there is one
  std::size_t anchor = 0;     // 0: none; of an alias: the anchor that it names
  int parent = -1;            // index of the sequence or map that it stands in
  int target = -1;            // of an alias: index of the node that it stands for
  std::string tag;            // "" when none is written
  std::string value;          // of a scalar: decoded
  std::vector<int> children;  // of a map: key, value, key, value...
};

enum class ScalarStyle { kPlain, kSingleQuoted, kDoubleQuoted, kBlock };

struct ScalarRange {
  std::size_t begin = 0;  // the bytes [begin, end) are the value, quotes not included
  std::size_t end = 0;
  ScalarStyle style = ScalarStyle::kPlain;
};

// What a walk through merge keys may cost in one document; files written to explode stop here.
inline constexpr int kMaxLookups = 100000;
inline constexpr int kMaxAliasDepth = 32;
inline constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20U;

class YamlDocument {
 public:
  // Refuses what Compose itself refuses or reads in more than one way: not UTF-8, control
  // characters, several documents, duplicate keys (both lines), nesting beyond 100, files beyond
  // 4 MiB. Errors: kYamlSyntax with file:line:column.
  static Result<YamlDocument> Parse(std::string path, std::string bytes);

  const std::string& Path() const { return path_; }
  const std::string& Bytes() const { return bytes_; }
  const std::vector<YamlNode>& Nodes() const { return nodes_; }
  const YamlNode& At(int node) const { return nodes_[static_cast<std::size_t>(node)]; }
  bool IsEmpty() const { return nodes_.empty() || nodes_[0].kind == NodeKind::kNull; }
  int Root() const { return 0; }  // REQUIRES: not empty

  int Deref(int node) const;  // the node itself, or what the alias stands for
  // The value of `key` in a map, through aliases and merge keys: a key of the map itself wins over
  // merged ones, an earlier map of a merge list over a later one. Not dereferenced.
  // Errors: kYamlSyntax when a merge is not a map or the walk is too long.
  Result<std::optional<int>> Find(int map, std::string_view key) const;
  // All keys that Find would find, own ones first, each once.
  Result<std::vector<std::string>> Keys(int map) const;
  // Nothing when the bytes do not spell the value one to one (escapes, several lines).
  std::optional<ScalarRange> RangeOf(int scalar) const;
  // The key under which the node stands in its map, "" in a sequence.
  std::string_view KeyOf(int node) const;
  bool IsKey(int node) const;

  std::string PlaceOf(int node) const;            // "path:line:column"
  std::string PlaceAt(std::size_t offset) const;  // columns count characters, from 1
  std::size_t LineOf(int node) const;

 private:
  friend class TreeBuilder;
  YamlDocument(std::string path, std::string bytes)
      : path_(std::move(path)), bytes_(std::move(bytes)) {}
  Status CheckText() const;
  Status CheckDuplicates() const;
  Result<std::optional<int>> FindIn(int map, std::string_view key, int depth, int* budget) const;
  Status CollectKeys(int map, int depth, int* budget, std::vector<std::string>* keys) const;
  std::size_t SkipProperties(std::size_t at) const;

  std::string path_;
  std::string bytes_;
  std::vector<YamlNode> nodes_;  // in the order of the file; [0] is the root
};

}  // namespace mu::edit
