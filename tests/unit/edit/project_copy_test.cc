// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/edit/project_copy.h"

#include <gtest/gtest.h>

namespace mu::edit {
namespace {

using Names = std::vector<std::string>;

TEST(CopyUnder, LeadsAbsolutePathsOfComposeFilesBelowTheFolder) {
  const SourceFile file{"/p/f.yml",
                        "include:\n  - /a.yml\n  - path: [b.yml, '/c.yml']\n"
                        "    project_directory: \"/d\"\n  - project_directory: e\n"
                        "    path: &g /g.yml\n"
                        "services:\n  s: {extends: {file: /h.yml, service: x}, volumes: [/v:/v]}\n"
                        "  t: {extends: {file: *g, service: x}, env_file: /own.env}\n"};
  const auto copied = CopyUnder("/tmp/m", file);
  ASSERT_TRUE(copied) << copied.error().Text();
  EXPECT_EQ(copied->bytes,
            "include:\n  - /tmp/m/a.yml\n  - path: [b.yml, '/tmp/m/c.yml']\n"
            "    project_directory: \"/tmp/m/d\"\n  - project_directory: e\n"
            "    path: &g /tmp/m/g.yml\n"
            "services:\n  s: {extends: {file: /tmp/m/h.yml, service: x}, volumes: [/v:/v]}\n"
            "  t: {extends: {file: *g, service: x}, env_file: /own.env}\n");
  EXPECT_EQ(copied->folders, (Names{"/d", "/p/e"}));
}

TEST(CopyUnder, NamesTheEnvFilesThatComposeReadsBesides) {
  const SourceFile file{"/p/f.yml",
                        "include: [{path: a.yml, env_file: [inc.env]}]\n"
                        "services:\n  s: {env_file: one.env, label_file: l.env, image: x}\n"
                        "  t: {env_file: [../two.env, {path: three.env, required: false}]}\n"
                        "  u: {env_file: [/four.env, \"${X}.env\"], environment: {file: y}}\n"};
  const auto copied = CopyUnder("/m", file);
  ASSERT_TRUE(copied) << copied.error().Text();
  EXPECT_EQ(copied->env_files, (Names{"inc.env", "one.env", "l.env", "../two.env", "three.env"}));
  EXPECT_EQ(copied->bytes, file.bytes);
}

}  // namespace
}  // namespace mu::edit
