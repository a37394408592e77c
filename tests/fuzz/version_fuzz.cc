// SPDX-License-Identifier: Apache-2.0
// Versions, tags, image references and paths: any text is either refused or comes back the same;
// the order of versions is an order; a path is whole. Input: three lines, then a byte for the
// platform.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/model/image_ref.h"
#include "milvus_upgrade/rules/version_path.h"

namespace {

using mu::model::Version;

#define MUST(condition)                                                                   \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

void CheckText(const std::string& text) {
  if (const auto version = mu::model::ParseVersion(text)) {
    const auto again = mu::model::ParseVersion(version->Text());
    MUST(again && *again == *version);
  }
  if (const auto version = mu::model::VersionOfTag(text)) {
    const std::string tag = mu::model::TagForVersion(text, *version);
    const auto again = mu::model::VersionOfTag(tag);
    MUST(again && *again == *version);
    MUST(mu::model::VariantOfTag(tag) == mu::model::VariantOfTag(text));
  }
  if (const auto image = mu::model::ParseImageRef(text)) {
    const auto again = mu::model::ParseImageRef(image->Text());
    MUST(again && *again == *image);
    mu::model::IsMilvusServer(*image);
  }
}

void CheckOrder(const Version& a, const Version& b, const Version& c) {
  MUST(!(a < a));
  MUST((a < b) + (b < a) + (a == b) == 1);
  if (a < b && b < c) MUST(a < c);
}

void CheckPath(const Version& from, const Version& to, std::uint8_t choice) {
  using mu::rules::Platform;
  const auto platform = static_cast<Platform>(1 + choice % 3);
  const auto queue = static_cast<mu::model::MessageQueue>((choice / 3) % 6);
  const bool allows_downgrade = choice >= 128;
  const auto path = mu::rules::FindPath(from, to, platform, queue, allows_downgrade);
  if (!path) {
    MUST(path.error().code == mu::ErrorCode::kPathRefused);
    MUST(!path.error().hint.empty());
    return;
  }
  MUST(path->hops.empty() == (from == to));
  Version at = from;
  for (const mu::rules::HopRule& hop : path->hops) {
    MUST(hop.from == at);
    MUST(hop.from < hop.to || (allows_downgrade && from.SameMinor(to) && to < from));
    const bool crosses = hop.from < Version{2, 2, 0, ""} && !(hop.to < Version{2, 2, 0, ""});
    MUST((hop.action == mu::rules::Action::kMetadataMigration) == crosses);
    at = hop.to;
  }
  MUST(at == to);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> lines = mu::Split(input, '\n');
  lines.resize(4);
  std::vector<Version> versions;
  for (std::size_t i = 0; i < 3; ++i) {
    CheckText(lines[i]);
    if (const auto version = mu::model::ParseVersion(lines[i])) versions.push_back(*version);
  }
  const auto choice = static_cast<std::uint8_t>(lines[3].empty() ? 0 : lines[3][0]);
  if (versions.size() == 3) {
    const Version &a = versions[0], &b = versions[1], &c = versions[2];
    for (const auto& [x, y, z] : {std::tie(a, b, c), std::tie(a, c, b), std::tie(b, a, c),
                                  std::tie(b, c, a), std::tie(c, a, b), std::tie(c, b, a)})
      CheckOrder(x, y, z);
  }
  if (versions.size() >= 2) CheckPath(versions[0], versions[1], choice);
  return 0;
}
