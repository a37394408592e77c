// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/model/image_ref.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "milvus_upgrade/base/text.h"

namespace mu::model {
namespace {

// Locale-free classes: references are ASCII by their grammar.
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlnum(char c) { return IsLower(c) || (c >= 'A' && c <= 'Z') || IsDigit(c); }

template <class Accept>
bool AllOf(std::string_view text, Accept accept) {
  return !text.empty() && std::all_of(text.begin(), text.end(), accept);
}

bool IsTag(std::string_view tag) {
  return tag.size() <= 128 &&
         AllOf(tag, [](char c) { return IsAlnum(c) || c == '_' || c == '.' || c == '-'; }) &&
         tag.front() != '.' && tag.front() != '-';
}

bool IsDigest(std::string_view digest) {
  const std::size_t colon = digest.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view hex = digest.substr(colon + 1);
  return AllOf(digest.substr(0, colon), [](char c) { return IsAlnum(c); }) && hex.size() >= 32 &&
         AllOf(hex, [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); });
}

bool IsRegistry(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos) {
    if (!AllOf(host.substr(colon + 1), IsDigit)) return false;
    host = host.substr(0, colon);
  }
  return AllOf(host, [](char c) { return IsAlnum(c) || c == '.' || c == '-'; });
}

// The first part of a path is a registry when it cannot be a folder on the default one.
bool LooksLikeRegistry(std::string_view part) {
  return part == "localhost" || part.find_first_of(".:") != std::string_view::npos;
}

bool IsPathPart(std::string_view part) {
  const auto is_inner = [](char c) {
    return IsLower(c) || IsDigit(c) || c == '.' || c == '_' || c == '-';
  };
  const auto is_edge = [](char c) { return IsLower(c) || IsDigit(c); };
  return AllOf(part, is_inner) && is_edge(part.front()) && is_edge(part.back());
}

std::string WhyBad(std::string_view repository) {
  if (repository.empty()) return "the repository is missing";
  if (repository.size() > 255) return "it is longer than 255 characters";
  std::vector<std::string> parts = Split(repository, '/');
  if (parts.size() > 1 && LooksLikeRegistry(parts.front())) {
    if (!IsRegistry(parts.front())) return fmt::format("\"{}\" is not a registry", parts.front());
    parts.erase(parts.begin());
  }
  for (const std::string& part : parts) {
    if (!IsPathPart(part)) {
      return fmt::format("\"{}\" in its repository is not lower-case letters, digits, . _ -", part);
    }
  }
  return {};
}

}  // namespace

std::string ImageRef::Text() const {
  std::string text = repository;
  if (!tag.empty()) text += ":" + tag;
  if (!digest.empty()) text += "@" + digest;
  return text;
}

ImageRef ImageRef::WithTag(std::string new_tag) const {
  return ImageRef{repository, std::move(new_tag), {}};
}

Result<ImageRef> ParseImageRef(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("\"{}\" is not an image reference: {}", Printable(text.substr(0, 200)),
                            Printable(why)),
                "write repository:tag, such as milvusdb/milvus:v2.3.5");
  };
  if (text.empty()) return bad("it is empty");
  if (text.find('$') != std::string_view::npos) return bad("a variable in it has no value");
  ImageRef image;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    image.digest = std::string(rest.substr(at + 1));
    if (!IsDigest(image.digest)) return bad("what follows @ is not a digest");
    rest = rest.substr(0, at);
  }
  const std::size_t colon = rest.rfind(':');
  const std::size_t slash = rest.rfind('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    image.tag = std::string(rest.substr(colon + 1));
    if (!IsTag(image.tag)) return bad("what follows : is not a tag");
    rest = rest.substr(0, colon);
  }
  image.repository = std::string(rest);
  if (const std::string why = WhyBad(image.repository); !why.empty()) return bad(why);
  return image;
}

bool IsMilvusServer(const ImageRef& image) {
  static constexpr std::array<std::string_view, 2> kServers = {"milvusdb/milvus", "milvus/milvus"};
  const std::string_view repository = image.repository;
  return std::any_of(kServers.begin(), kServers.end(), [&](std::string_view server) {
    if (!repository.ends_with(server)) return false;
    const std::size_t before = repository.size() - server.size();
    return before == 0 || repository[before - 1] == '/';
  });
}

}  // namespace mu::model
