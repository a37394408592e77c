// SPDX-License-Identifier: Apache-2.0
// A Milvus version as compared by the rules: major.minor.patch and an optional pre-release, which
// sorts below its release (semver, as the migration tool's blang/semver does). Values only.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "milvus_upgrade/base/result.h"

namespace mu::model {

struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;
  std::string pre;  // "rc1", "" for a release

  std::strong_ordering operator<=>(const Version& other) const;
  bool operator==(const Version&) const = default;
  bool SameMinor(const Version& other) const {
    return major == other.major && minor == other.minor;
  }
  std::string Text() const;  // "2.2.16", "2.6.0-rc1"
};

// Accepts "2.2.16", "v2.2.16", "2.6.0-rc1". Errors: kVersionUnknown for everything else ("latest",
// "2.2", "").
Result<Version> ParseVersion(std::string_view text);
// The version in an image tag, its variant suffix left out: "v2.4.6-gpu" is 2.4.6, "v2.2.0-rc1"
// is 2.2.0-rc1. Errors: kVersionUnknown ("latest", "master-20221031-48f5c600", "").
Result<Version> VersionOfTag(std::string_view tag);
// "-gpu", "-gpu-arm64", "-amd64" or "": the part of a tag that a new tag must keep.
std::string VariantOfTag(std::string_view tag);
// The tag of another version in the style of an old one: "v2.2.16-gpu" and 2.3.5 give "v2.3.5-gpu",
// "2.2.16" gives "2.3.5".
std::string TagForVersion(std::string_view old_tag, const Version& version);

}  // namespace mu::model
