// SPDX-License-Identifier: Apache-2.0
#include "meta/keys.h"

#include <fmt/format.h>

#include <charconv>

namespace mu::meta {
namespace {

enum class Rest : int { kAnything, kNothing, kIds, kIdAndTime, kAlias, kAliasAndTime };
struct Form {
  std::string_view prefix;  // below <root>/<meta>/
  Kind kind;
  Rest rest;
  std::size_t ids = 0;
};

constexpr Form kForms[] = {
    {"session/", Kind::kIgnored, Rest::kAnything},
    {"root-coord/collection/", Kind::kCollection, Rest::kIds, 1},
    {"snapshots/root-coord/collection/", Kind::kCollectionSnapshot, Rest::kIdAndTime},
    {"datacoord-meta/s/", Kind::kSegment, Rest::kAnything},
    {"root-coord/collection-alias/", Kind::kAlias, Rest::kAlias},
    {"snapshots/root-coord/collection-alias/", Kind::kAliasSnapshot, Rest::kAliasAndTime},
    {"root-coord/index/", Kind::kIndex, Rest::kIds, 2},
    {"root-coord/segment-index/", Kind::kSegmentIndex, Rest::kIds, 4},
    {"indexes/", Kind::kBuild, Rest::kIds, 1},
    {"root-coord/dd-operation", Kind::kDdl, Rest::kNothing},
    {"root-coord/dd-msg-send", Kind::kDdlSent, Rest::kNothing},
    {"snapshots/root-coord/dd-operation_ts", Kind::kDdlSnapshot, Rest::kAnything},
    {"snapshots/root-coord/dd-msg-send_ts", Kind::kDdlSnapshot, Rest::kAnything},
    {"queryCoord-collectionMeta/", Kind::kLoadState, Rest::kIds, 1},
    {"root-coord/aliases/", Kind::kNewAlias, Rest::kAnything},
    {"snapshots/root-coord/aliases/", Kind::kNewAliasSnapshot, Rest::kAnything},
    {"field-index/", Kind::kNewFieldIndex, Rest::kAnything},
    {"segment-index/", Kind::kNewSegmentIndex, Rest::kAnything},
    {"querycoord-collection-loadinfo/", Kind::kNewCollectionLoad, Rest::kAnything},
    {"querycoord-partition-loadinfo/", Kind::kNewPartitionLoad, Rest::kAnything},
    {"root-coord/partitions/", Kind::kNewOther, Rest::kAnything},
    {"root-coord/fields/", Kind::kNewOther, Rest::kAnything},
};

// Digits alone, without leading zeros: what was read is written again in another key.
template <class Number>
bool ReadNumber(std::string_view text, Number* number) {
  if (text.empty() || text[0] == '-' || (text[0] == '0' && text.size() > 1)) return false;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), *number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

bool ReadIds(std::string_view text, std::size_t count, Key* key) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = i + 1 < count ? text.find('/') : text.size();
    if (end == std::string_view::npos || !ReadNumber(text.substr(0, end), &key->ids[i]))
      return false;
    text.remove_prefix(i + 1 < count ? end + 1 : end);
  }
  return true;
}

// Cuts "_ts<digits>" off the end. The last "_ts" is the separator: Milvus adds it after the whole
// name, so that an alias may hold one too. Milvus's own tool takes such a name for damaged.
bool CutTime(std::string_view* text, Key* key) {
  constexpr std::string_view kSeparator = "_ts";
  const std::size_t at = text->rfind(kSeparator);
  if (at == std::string_view::npos || !ReadNumber(text->substr(at + kSeparator.size()), &key->time))
    return false;
  *text = text->substr(0, at);
  return true;
}

bool ReadRest(std::string_view rest, const Form& form, Key* key) {
  switch (form.rest) {
    case Rest::kAnything:
    case Rest::kNothing:
      return true;
    case Rest::kIds:
      return ReadIds(rest, form.ids, key);
    case Rest::kIdAndTime:
      return CutTime(&rest, key) && ReadIds(rest, 1, key);
    case Rest::kAliasAndTime:
      if (!CutTime(&rest, key)) return false;
      [[fallthrough]];
    case Rest::kAlias:
      key->alias = rest;
      return !rest.empty() && rest.find('/') == std::string_view::npos;
  }
  return false;
}

}  // namespace

Key ReadKey(std::string_view key, const Scope& scope) {
  Key read;
  const std::string prefix = scope.Prefix();
  if (!key.starts_with(prefix) || key == scope.Marker()) {
    read.kind = Kind::kIgnored;
    return read;
  }
  key.remove_prefix(prefix.size());
  for (const Form& form : kForms) {
    if (!key.starts_with(form.prefix)) continue;
    const std::string_view rest = key.substr(form.prefix.size());
    if (form.rest == Rest::kNothing && !rest.empty()) continue;
    read.kind = form.kind;
    read.is_well_formed = ReadRest(rest, form, &read);
    break;
  }
  return read;
}

std::vector<Entry> ReadKeys(std::span<const model::KeyValue> keys, const Scope& scope) {
  std::vector<Entry> entries;
  entries.reserve(keys.size());
  for (const model::KeyValue& kv : keys) {
    const Key key = ReadKey(kv.key, scope);
    if (key.kind != Kind::kIgnored && key.kind != Kind::kOther) entries.push_back({&kv, key});
  }
  return entries;
}

std::string NewAliasKey(const Scope& scope, const Key& old) {
  if (old.kind == Kind::kAlias)
    return fmt::format("{}root-coord/aliases/{}", scope.Prefix(), old.alias);
  return fmt::format("{}snapshots/root-coord/aliases/{}_ts{}", scope.Prefix(), old.alias, old.time);
}

std::string FieldIndexKey(const Scope& scope, std::int64_t collection, std::int64_t index) {
  return fmt::format("{}field-index/{}/{}", scope.Prefix(), collection, index);
}

std::string SegmentIndexKey(const Scope& scope, std::int64_t collection, std::int64_t partition,
                            std::int64_t segment, std::int64_t build) {
  return fmt::format("{}segment-index/{}/{}/{}/{}", scope.Prefix(), collection, partition, segment,
                     build);
}

std::string CollectionLoadKey(const Scope& scope, std::int64_t collection) {
  return fmt::format("{}querycoord-collection-loadinfo/{}", scope.Prefix(), collection);
}

std::string PartitionLoadKey(const Scope& scope, std::int64_t collection, std::int64_t partition) {
  return fmt::format("{}querycoord-partition-loadinfo/{}/{}", scope.Prefix(), collection,
                     partition);
}

}  // namespace mu::meta
