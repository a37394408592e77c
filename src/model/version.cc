// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/model/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <vector>

#include "milvus_upgrade/base/text.h"

namespace mu::model {
namespace {

// Suffixes of Milvus image tags that name a build of the same version (milvus.md 6).
constexpr std::array<std::string_view, 6> kVariants = {"gpu",   "cpu",     "arm64",
                                                       "amd64", "aarch64", "x86_64"};
// What Milvus has used to begin a pre-release. A closed list: an unknown word could as well be a
// build made after the release ("2.2.0-bugfix-20230112"), and would be sorted wrongly.
constexpr std::array<std::string_view, 5> kPreReleases = {"rc", "alpha", "beta", "pre", "dev"};

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

// A number without leading zeros, as semver wants it; at most six digits, so that it is not a date.
std::optional<int> Number(std::string_view text) {
  if (!IsDigits(text) || text.size() > 6 || (text.size() > 1 && text.front() == '0')) return {};
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool IsPreRelease(std::string_view text) {
  const bool is_known = std::any_of(kPreReleases.begin(), kPreReleases.end(),
                                    [&](std::string_view word) { return text.starts_with(word); });
  const std::vector<std::string> parts = Split(text, '.');
  return is_known && std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
           return !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) {
             return std::isalnum(c) != 0 || c == '-';
           });
         });
}

// One dot-separated part of a pre-release: digits by number and below words. "rc2" is below "rc10",
// which plain semver would turn round; Milvus writes both.
std::strong_ordering ComparePart(std::string_view a, std::string_view b) {
  const bool a_digits = IsDigits(a);
  const bool b_digits = IsDigits(b);
  if (a_digits != b_digits) {
    return a_digits ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  const auto word_of = [](std::string_view part) {
    const std::size_t last = part.find_last_not_of("0123456789");
    return part.substr(0, last == std::string_view::npos ? 0 : last + 1);
  };
  const std::string_view a_word = word_of(a);
  const std::string_view b_word = word_of(b);
  // By the words alone: rc2, rc10 and rc1a would go round in a circle otherwise.
  if (a_word != b_word) return a_word.compare(b_word) <=> 0;
  const auto tail_of = [](std::string_view part, std::string_view word) {
    part.remove_prefix(word.size());
    while (part.size() > 1 && part.front() == '0') part.remove_prefix(1);
    return part;
  };
  const std::string_view a_tail = tail_of(a, a_word);
  const std::string_view b_tail = tail_of(b, b_word);
  if (a_tail.size() != b_tail.size()) return a_tail.size() <=> b_tail.size();
  if (a_tail != b_tail) return a_tail.compare(b_tail) <=> 0;
  return a.size() <=> b.size();
}

std::strong_ordering ComparePre(std::string_view a, std::string_view b) {
  if (a == b) return std::strong_ordering::equal;
  if (a.empty()) return std::strong_ordering::greater;
  if (b.empty()) return std::strong_ordering::less;
  const std::vector<std::string> a_parts = Split(a, '.');
  const std::vector<std::string> b_parts = Split(b, '.');
  for (std::size_t i = 0; i < std::min(a_parts.size(), b_parts.size()); ++i) {
    if (const auto order = ComparePart(a_parts[i], b_parts[i]); order != 0) return order;
  }
  return a_parts.size() <=> b_parts.size();
}

tl::unexpected<Error> Unknown(std::string_view text, std::string_view what) {
  return Fail(ErrorCode::kVersionUnknown,
              fmt::format("\"{}\" is not {}", Printable(text.substr(0, 80)), what),
              "give a version with three numbers, such as 2.2.16 or v2.3.5");
}

}  // namespace

std::strong_ordering Version::operator<=>(const Version& other) const {
  if (major != other.major) return major <=> other.major;
  if (minor != other.minor) return minor <=> other.minor;
  if (patch != other.patch) return patch <=> other.patch;
  return ComparePre(pre, other.pre);
}

std::string Version::Text() const {
  return fmt::format("{}.{}.{}{}{}", major, minor, patch, pre.empty() ? "" : "-", pre);
}

Result<Version> ParseVersion(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with('v')) rest.remove_prefix(1);
  // Build metadata says nothing about order; Milvus writes "2.2.0-pre+dev" to its sessions.
  rest = rest.substr(0, rest.find('+'));
  Version version;
  if (const std::size_t dash = rest.find('-'); dash != std::string_view::npos) {
    version.pre = std::string(rest.substr(dash + 1));
    if (!IsPreRelease(version.pre)) return Unknown(text, "a Milvus version");
    rest = rest.substr(0, dash);
  }
  const std::vector<std::string> parts = Split(rest, '.');
  if (parts.size() != 3) return Unknown(text, "a Milvus version");
  int* const fields[] = {&version.major, &version.minor, &version.patch};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::optional<int> number = Number(parts[i]);
    if (!number) return Unknown(text, "a Milvus version");
    *fields[i] = *number;
  }
  return version;
}

std::string VariantOfTag(std::string_view tag) {
  std::size_t end = tag.size();
  for (;;) {
    const std::size_t dash = tag.substr(0, end).rfind('-');
    if (dash == std::string_view::npos) break;
    const std::string_view word = tag.substr(dash + 1, end - dash - 1);
    if (std::find(kVariants.begin(), kVariants.end(), word) == kVariants.end()) break;
    end = dash;
  }
  return std::string(tag.substr(end));
}

Result<Version> VersionOfTag(std::string_view tag) {
  const std::string variant = VariantOfTag(tag);
  Result<Version> version = ParseVersion(tag.substr(0, tag.size() - variant.size()));
  if (!version) return Unknown(tag, "a tag that tells the Milvus version");
  return version;
}

std::string TagForVersion(std::string_view old_tag, const Version& version) {
  const bool has_bare_style = !old_tag.empty() && old_tag.front() >= '0' && old_tag.front() <= '9';
  return (has_bare_style ? "" : "v") + version.Text() + VariantOfTag(old_tag);
}

}  // namespace mu::model
