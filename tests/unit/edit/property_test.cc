// SPDX-License-Identifier: Apache-2.0
// A random project is written twice from the same random numbers, once with the old tags and once
// with the new ones. The edit of the first must give the second, byte for byte.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <random>

#include "milvus_upgrade/edit/compose_edit.h"

namespace mu::edit {
namespace {

const model::ImageRef kOld{"harbor.local:5000/milvusdb/milvus", "v2.2.16", ""};
const model::ImageRef kNew{"harbor.local:5000/milvusdb/milvus", "v2.3.5", ""};

struct Project {
  std::string compose;
  std::string env;
  std::vector<std::string> milvus;
};

class Writer {
 public:
  Writer(unsigned seed, const model::ImageRef& image) : random_(seed), image_(image) {}

  Project Write() {
    Project project;
    end_ = Chance(3) ? "\r\n" : "\n";
    std::string& text = project.compose;
    if (Chance(4)) text += "\xEF\xBB\xBF";
    Noise(&text, "");
    const bool has_anchor = Chance(2);
    if (has_anchor) {
      text += "x-milvus: &milvus" + Comment() + "  image: " + Image() + Comment() +
              "  restart: always" + end_;
    }
    text += std::string(Chance(3) ? "'services':" : "services:") + Comment();
    const std::size_t count = 1 + Below(6);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = "s" + std::to_string(i);
      const bool is_milvus = Chance(2) || i == 0;
      if (is_milvus) project.milvus.push_back(name);
      Service(name, is_milvus, has_anchor, &text);
    }
    text += "networks: {default: {name: milvus}}";
    if (Chance(2)) text += end_;
    if (uses_env_) {
      Noise(&project.env, "");
      const std::string quote = Chance(2) ? "" : Chance(2) ? "\"" : "'";
      project.env += std::string(Chance(2) ? "export " : "") + "MILVUS_TAG=" + quote + image_.tag +
                     quote + Comment() + "OTHER=\"v2.2.16\"" + end_;
    }
    return project;
  }

 private:
  std::size_t Below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }
  bool Chance(std::size_t one_in) { return Below(one_in) == 0; }

  std::string Comment() {
    static const std::vector<std::string> kComments = {
        "", "", "  ", " # image: milvusdb/milvus:v2.2.16", "\t# \u6d4b\u8bd5 'x", " #"};
    return kComments[Below(kComments.size())] + end_;
  }

  void Noise(std::string* text, const std::string& indent) {
    static const std::vector<std::string> kNoise = {
        "# image: harbor.local:5000/milvusdb/milvus:v2.2.16", "#", "", "  ", "# \u00e9\u00fc"};
    for (std::size_t lines = Below(3); lines > 0; --lines) {
      *text += indent + kNoise[Below(kNoise.size())] + end_;
    }
  }

  // The image of a Milvus service in one of the ways that people write it.
  std::string Image() {
    switch (Below(4)) {
      case 0:
        uses_env_ = true;
        return "\"" + image_.repository + ":${MILVUS_TAG:?set it}\"";
      case 1:
        return "'" + image_.repository + ":${NOT_SET:-" + image_.tag + "}'";
      case 2:
        return "${NOT_SET-" + image_.Text() + "}";
      default:
        return image_.Text();
    }
  }

  std::string Written(bool is_milvus) {
    const std::string image = is_milvus ? Image() : "other/app:v2.2.16";
    const bool is_quoted = image[0] == '"' || image[0] == '\'';
    switch (is_quoted ? 9 : Below(4)) {
      case 0:
        return "'" + image + "'";
      case 1:
        return "\"" + image + "\"";
      default:
        return image;
    }
  }

  void Service(const std::string& name, bool is_milvus, bool has_anchor, std::string* text) {
    Noise(text, "  ");
    if (is_milvus && has_anchor && (name == "s0" || Chance(2))) {
      *text += "  " + name + ":" + Comment() + "    <<: *milvus" + Comment();
      return;
    }
    if (Chance(4)) {
      // Plain text with braces cannot stand in a flow map.
      std::string image = Written(is_milvus);
      if (image[0] != '"' && image[0] != '\'') image = "\"" + image + "\"";
      *text += "  " + name + ": {restart: always,  \"image\": " + image + " , ports: [\"1:1\"]}" +
               Comment();
      return;
    }
    *text += "  " + name + ":" + Comment();
    const bool is_first = Chance(2);
    const std::string indent(3 + Below(4), ' ');
    const std::string image = indent + "image:" + std::string(1 + Below(3), ' ') +
                              (Chance(5) ? "!!str " : "") + Written(is_milvus) + Comment();
    if (is_first) *text += image;
    *text += indent + "command: [milvus, run, \"v2.2.16\"]" + Comment();
    Noise(text, indent);
    *text += indent + "environment:" + end_ + indent + "  - VERSION=v2.2.16" + end_;
    if (!is_first) *text += image;
  }

  std::mt19937 random_;
  const model::ImageRef& image_;
  std::string end_ = "\n";
  bool uses_env_ = false;
};

ProjectSources SourcesOf(const Project& project) {
  ProjectSources sources;
  sources.compose.push_back({"/p/docker-compose.yml", project.compose});
  sources.env.push_back({"/p/.env", project.env});
  return sources;
}

std::string Edited(const std::vector<FileEdit>& edits, const SourceFile& file) {
  std::string text = file.bytes;
  for (const FileEdit& edit : edits) {
    if (edit.path == file.path) text = *Apply(file.bytes, edit.splices);
  }
  return text;
}

TEST(EditProperty, GivesTheSameBytesAsWritingTheNewImage) {
  for (unsigned seed = 1; seed <= 1500; ++seed) {
    const Project before = Writer(seed, kOld).Write();
    const Project after = Writer(seed, kNew).Write();
    const ProjectSources sources = SourcesOf(before);
    std::map<std::string, model::ImageRef> wanted;
    for (const std::string& service : before.milvus) wanted[service] = kNew;
    const auto edits = EditImages(sources, wanted);
    ASSERT_TRUE(edits) << edits.error().Text() << "\nseed " << seed << "\n" << before.compose;
    ASSERT_EQ(Edited(*edits, sources.compose[0]), after.compose) << "seed " << seed;
    ASSERT_EQ(Edited(*edits, sources.env[0]), after.env) << "seed " << seed;
    EXPECT_EQ(EditImages(SourcesOf(after), wanted)->size(), 0U) << "seed " << seed;
  }
}

TEST(EditProperty, TouchesOnlyTheServicesThatAreWanted) {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    const Project before = Writer(seed, kOld).Write();
    const ProjectSources sources = SourcesOf(before);
    const auto edits = EditImages(sources, {{before.milvus[0], kNew}});
    if (!edits) {
      // Refused only where something is shared.
      EXPECT_EQ(edits.error().code, ErrorCode::kEditRefused) << edits.error().Text();
      EXPECT_GT(before.milvus.size(), 1U) << edits.error().Text() << "\n" << before.compose;
      continue;
    }
    const YAML::Node old_services = YAML::Load(before.compose)["services"];
    const YAML::Node services = YAML::Load(Edited(*edits, sources.compose[0]))["services"];
    for (const auto& service : old_services) {
      const auto name = service.first.as<std::string>();
      if (name == before.milvus[0] || !service.second["image"]) continue;
      EXPECT_EQ(services[name]["image"].as<std::string>(),
                service.second["image"].as<std::string>());
    }
  }
}

}  // namespace
}  // namespace mu::edit
