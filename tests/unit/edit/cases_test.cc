// SPDX-License-Identifier: Apache-2.0
// One folder of tests/data/edit a case: in/ is the project, `case` says what is wanted, out/ holds
// the files that must come out changed; an error must come out with its code, text and hint.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/edit/compose_edit.h"

namespace mu::edit {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

struct Case {
  ProjectSources sources;
  std::map<std::string, model::ImageRef> wanted;
  std::string code;  // "" when an edit is expected
  std::vector<std::string> error_parts;
  std::vector<std::string> hint_parts;
  std::vector<std::string> reasons;
};

// The project is seen at /project, so that messages are the same on every machine.
SourceFile Load(const fs::path& folder, const std::string& path) {
  return {path, ReadFile(folder / "in" / path.substr(std::string("/project/").size()))};
}

Result<ProjectSources> LoadReachable(const fs::path& folder, ProjectSources sources) {
  std::set<std::string> seen;
  std::vector<SourceFile> waiting = sources.compose;
  for (const SourceFile& file : waiting) seen.insert(file.path);
  while (!waiting.empty()) {
    const SourceFile file = waiting.back();
    waiting.pop_back();
    MU_TRY(const std::vector<std::string> paths, ReferencedFiles(file));
    for (const std::string& path : paths) {
      if (!seen.insert(path).second) continue;
      waiting.push_back(Load(folder, path));
      sources.reachable.push_back(waiting.back());
    }
  }
  return sources;
}

Case LoadCase(const fs::path& folder) {
  Case loaded;
  for (const std::string& line : Lines(ReadFile(folder / "case"))) {
    const std::size_t blank = line.find(' ');
    const std::string word = line.substr(0, blank);
    const std::string rest = blank == std::string::npos ? "" : line.substr(blank + 1);
    if (word == "want") {
      const std::vector<std::string> parts = Split(rest, ' ');
      const auto image = model::ParseImageRef(parts.at(1));
      EXPECT_TRUE(image) << line;
      loaded.wanted[parts.at(0)] = *image;
    } else if (word == "file") {
      loaded.sources.compose.push_back(Load(folder, "/project/" + rest));
    } else if (word == "env") {
      loaded.sources.env.push_back(Load(folder, "/project/" + rest));
    } else if (word == "shell") {
      const std::size_t equals = rest.find('=');
      loaded.sources.shell[rest.substr(0, equals)] = rest.substr(equals + 1);
    } else if (word == "code") {
      loaded.code = rest;
    } else if (word == "error") {
      loaded.error_parts.push_back(rest);
    } else if (word == "hint") {
      loaded.hint_parts.push_back(rest);
    } else if (word == "reason") {
      loaded.reasons.push_back(rest);
    } else {
      EXPECT_TRUE(word.empty() || word == "#") << "unknown word in case file: " << line;
    }
  }
  return loaded;
}

std::vector<std::string> CaseNames() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(MU_TEST_DATA) / "edit")) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class EditCase : public testing::TestWithParam<std::string> {};

TEST_P(EditCase, GivesWhatItsFolderSays) {
  const fs::path folder = fs::path(MU_TEST_DATA) / "edit" / GetParam();
  const Case loaded = LoadCase(folder);
  Result<ProjectSources> sources = LoadReachable(folder, loaded.sources);
  Result<std::vector<FileEdit>> edits =
      sources ? EditImages(*sources, loaded.wanted) : Fail(std::move(sources).error());
  if (!loaded.code.empty()) {
    ASSERT_FALSE(edits) << "an edit was made";
    const Error& error = edits.error();
    EXPECT_EQ(RowOf(error.code).name, loaded.code) << error.Text();
    for (const std::string& part : loaded.error_parts) {
      EXPECT_NE(error.message.find(part), std::string::npos) << error.message << "\nlacks " << part;
    }
    for (const std::string& part : loaded.hint_parts) {
      EXPECT_NE(error.Hint().find(part), std::string::npos) << error.Hint() << "\nlacks " << part;
    }
    EXPECT_FALSE(loaded.error_parts.empty()) << error.Text() << "\n" << error.Hint();
    return;
  }
  ASSERT_TRUE(edits) << edits.error().Text() << "\n" << edits.error().Hint();
  std::vector<std::string> reasons;
  std::set<std::string> changed;
  for (const auto* files : {&sources->compose, &sources->reachable, &sources->env}) {
    for (const SourceFile& file : *files) {
      for (const FileEdit& edit : *edits) {
        if (edit.path != file.path) continue;
        const std::string name = file.path.substr(std::string("/project/").size());
        EXPECT_TRUE(changed.insert(name).second) << name << " is edited twice";
        const Result<std::string> text = Apply(file.bytes, edit.splices);
        ASSERT_TRUE(text) << text.error().Text();
        const fs::path out = folder / "out" / name;
        ASSERT_TRUE(fs::exists(out)) << "no change was expected:\n"
                                     << UnifiedDiff(name, file.bytes, *text);
        EXPECT_EQ(*text, ReadFile(out));
        ASSERT_EQ(edit.splices.size(), edit.reasons.size());
        reasons.insert(reasons.end(), edit.reasons.begin(), edit.reasons.end());
      }
    }
  }
  if (!loaded.reasons.empty()) {
    EXPECT_EQ(Join(reasons, "\n"), Join(loaded.reasons, "\n"));
  }
  if (!fs::exists(folder / "out")) return;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "out")) {
    if (!entry.is_regular_file()) continue;
    const std::string name = fs::relative(entry.path(), folder / "out").string();
    EXPECT_TRUE(changed.contains(name)) << name << " was expected to change";
  }
}

INSTANTIATE_TEST_SUITE_P(Data, EditCase, testing::ValuesIn(CaseNames()),
                         [](const testing::TestParamInfo<std::string>& one) {
                           std::string name = one.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace mu::edit
