// SPDX-License-Identifier: Apache-2.0
// The fuzzer's promises on damaged compose files, the same ones each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "fuzz/edit_target.h"

namespace mu::edit {
namespace {

std::vector<std::string> Seeds() {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path folder = std::string(MU_SOURCE_DIR) + "/tests/fuzz/corpus/edit";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry);
  std::sort(files.begin(), files.end());
  std::vector<std::string> seeds;
  for (const auto& path : files) {
    std::ifstream stream(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return seeds;
}

TEST(EditMutation, SeedsAreEdited) {
  for (const std::string& seed : Seeds()) EXPECT_TRUE(fuzz::CheckEdit(seed)) << seed;
}

TEST(EditMutation, DamagedTextNeverBreaksAPromise) {
  const std::vector<std::string> seeds = Seeds();
  std::mt19937 random(20261125);
  const std::vector<std::string> parts = {"\n",
                                          "\r\n",
                                          "\t",
                                          "  ",
                                          "- ",
                                          "&a ",
                                          "*a",
                                          "<<: ",
                                          "{",
                                          "}",
                                          "[",
                                          "]",
                                          "'",
                                          "\"",
                                          "#",
                                          ":",
                                          ": ",
                                          "|",
                                          ">-",
                                          "!!str ",
                                          "${TAG}",
                                          "${A:-b}",
                                          "$$",
                                          "---\n",
                                          "\\",
                                          "\xEF\xBB\xBF",
                                          "\xC3\xA9",
                                          "\x1e",
                                          "image: ",
                                          "build: .\n",
                                          "extends: b\n",
                                          "milvusdb/milvus:v2.2.16",
                                          "@",
                                          "%",
                                          "?"};
  int edited = 0;
  for (int round = 0; round < 8000; ++round) {
    std::string text = seeds[random() % seeds.size()];
    for (auto changes = random() % 3 + 1; changes-- > 0 && !text.empty();) {
      const std::size_t at = random() % text.size();
      switch (random() % 5) {
        case 0:
          text[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          text.erase(at, random() % 8 + 1);
          break;
        case 2:
          text.insert(at, parts[random() % parts.size()]);
          break;
        case 3:
          text.insert(at, text.substr(random() % text.size(), random() % 40));
          break;
        default:
          text.replace(at, random() % 3, parts[random() % parts.size()]);
      }
    }
    edited += fuzz::CheckEdit(text) ? 1 : 0;
  }
  // Both ways must have been walked, or the run proves nothing.
  EXPECT_GT(edited, 400);
  EXPECT_LT(edited, 7600);
}

}  // namespace
}  // namespace mu::edit
