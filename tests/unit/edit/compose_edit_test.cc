// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/edit/compose_edit.h"

#include <gtest/gtest.h>

namespace mu::edit {
namespace {

using Names = std::vector<std::string>;

TEST(ReferencedFiles, NamesExtendsAndIncludesBesideTheFile) {
  const SourceFile file{"/p/sub/docker-compose.yml",
                        "include:\n  - a.yml\n  - path: [../b.yml, /abs/c.yml]\n"
                        "  - https://example.com/x.git\n  - ${DIR}/y.yml\n"
                        "services:\n  s: {extends: {file: ./d.yml, service: x}}\n"
                        "  t: {extends: s}\n  u: {extends: {file: a.yml, service: x}}\n"};
  EXPECT_EQ(*ReferencedFiles(file),
            (Names{"/p/sub/a.yml", "/p/b.yml", "/abs/c.yml", "/p/sub/d.yml"}));
}

TEST(ReferencedFiles, TellsWhereYamlEnds) {
  const auto paths = ReferencedFiles({"/p/f.yml", "a: [1\nb: 2\n"});
  ASSERT_FALSE(paths);
  EXPECT_EQ(paths.error().code, ErrorCode::kYamlSyntax);
  EXPECT_EQ(paths.error().message.substr(0, 10), "/p/f.yml:2");
  EXPECT_EQ(*ReferencedFiles({"/p/f.yml", ""}), Names());
}

TEST(UsedVariables, LooksAtImagesOnly) {
  EXPECT_EQ(UsedVariables({"/f",
                           "x: &i \"m:${A:-${B}}\"\nservices:\n  s: {image: *i}\n"
                           "  t:\n    image: $C\n    command: $D\n    labels: {image: x}\n"}),
            (Names{"A", "B", "C"}));
  EXPECT_EQ(UsedVariables({"/f", "a: ["}), Names());
}

TEST(EditImages, ShowsNoTerminalEscapesOfAFile) {
  ProjectSources sources;
  sources.compose.push_back({"/f", "services:\n  a: &a {image: \"m:1\"}\n  \"\\e[31mb\": *a\n"});
  const auto edits = EditImages(sources, {{"a", {"m", "2", ""}}});
  ASSERT_FALSE(edits);
  EXPECT_EQ(edits.error().Text().find('\x1b'), std::string::npos);
}

TEST(EditImages, EndsSoonOnAnImageMadeOfVariables) {
  std::string image;
  for (int i = 0; i < 300000; ++i) image += "${A}";
  ProjectSources sources;
  sources.compose.push_back({"/f", "services: {a: {image: \"" + image + "\"}}\n"});
  const auto edits = EditImages(sources, {{"a", {"m", "2", ""}}});
  ASSERT_FALSE(edits);
  EXPECT_EQ(edits.error().message, "/f:1:23: image of a: too long");
}

}  // namespace
}  // namespace mu::edit
