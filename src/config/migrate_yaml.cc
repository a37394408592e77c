// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/config/migrate_yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "milvus_upgrade/base/text.h"

namespace mu::config {
namespace {

constexpr MigrateKey kKeys[] = {
    {"cmd.type", "run, backup or rollback", "required"},
    {"cmd.runWithBackup", "true or false",
     "default false: a run without it keeps no backup. Read for run only"},
    {"config.sourceVersion", "2.1.0 to 2.1.4", "required; three numbers, without a v"},
    {"config.targetVersion", "2.2.0 to 2.2.16",
     "required but for backup. The metadata's target is a 2.2.x even on the way to a later Milvus"},
    {"config.backupFilePath", "a path",
     "required for backup, rollback and a run with backup. Inside a container of --rm the file is "
     "gone with it"},
    {"metastore.type", "etcd", "default etcd; mysql cannot be migrated"},
    {"etcd.endpoints", "a list, or one text with commas", "required; host:port or a URL"},
    {"etcd.rootPath", "a path of keys", "required; by-dev by default in Compose files and charts"},
    {"etcd.metaSubPath", "a path of keys", "required; meta by default"},
    {"etcd.kvSubPath", "a path of keys", "required; kv by default; never read or written"},
    {"etcd.ssl.enabled", "true or false", "default false"},
    {"etcd.ssl.tlsCert", "a path", "the client's certificate"},
    {"etcd.ssl.tlsKey", "a path", "its key"},
    {"etcd.ssl.tlsCACert", "a path", "who signed the server's certificate"},
    {"etcd.ssl.tlsMinVersion", "1.0, 1.1, 1.2 or 1.3", "default 1.2"},
    {"etcd.auth.enabled", "true or false",
     "default false. Milvus's own tool ignores it and then fails"},
    {"etcd.auth.userName", "a name", "with etcd.auth.enabled"},
    {"etcd.auth.password", "a text", "with etcd.auth.enabled"},
    {"etcd.use.embed", "false", "an etcd inside Milvus cannot be reached while Milvus is down"},
    {"etcd.log.level", "a text", "taken and not used"},
    {"etcd.log.path", "a path", "taken and not used"},
    {"etcd.data.dir", "a path", "taken and not used"},
    {"etcd.config.path", "a path", "taken and not used"},
};

// Milvus compares keys without case and separators.
std::string Folded(std::string_view path) {
  std::string folded;
  for (const char c : path) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.')
      folded += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return folded;
}

struct Found {
  YAML::Node node;
  YAML::Mark mark;  // of the key
};

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  void Collect(const YAML::Node& node, const std::string& above) {
    for (const auto& entry : node) {
      const std::string path = above + (entry.first.IsScalar() ? entry.first.Scalar() : "?");
      const YAML::Mark mark = entry.first.Mark();
      const std::string folded = Folded(path);
      if (IsGroup(folded)) {
        if (!seen_.emplace(folded, mark.line).second) {
          Problem(mark, path, "this key stands twice; keep one");
        } else if (entry.second.IsMap()) {
          Collect(entry.second, path + ".");
        } else if (!entry.second.IsNull()) {
          Problem(entry.second.Mark(), path, "expected a map of keys");
        }
        continue;
      }
      const auto* key = FindKey(folded);
      if (key == nullptr) {
        Warn(mark, path, "there is no such key" + DidYouMean(path));
      } else if (!found_.emplace(key->path, Found{entry.second, mark}).second) {
        Problem(mark, path, "this key stands twice; keep one");
      }
    }
  }

  std::string Text(std::string_view path, bool is_required) {
    const Found* found = Find(path);
    if (found == nullptr) {
      if (is_required) Missing(path);
      return "";
    }
    return Scalar(path, found->node, is_required);
  }

  bool Bool(std::string_view path) {
    const std::string text = ToLower(Text(path, false));
    if (text.empty()) return false;
    for (const char* yes : {"true", "yes", "1", "t", "y", "on"}) {
      if (text == yes) return true;
    }
    for (const char* no : {"false", "no", "0", "f", "n", "off"}) {
      if (text == no) return false;
    }
    Problem(Find(path)->node.Mark(), path,
            fmt::format("expected true or false, found \"{}\"", text));
    return false;
  }

  std::vector<std::string> List(std::string_view path) {
    const Found* found = Find(path);
    if (found == nullptr) {
      Missing(path);
      return {};
    }
    std::vector<std::string> items;
    if (found->node.IsSequence()) {
      for (const auto& item : found->node) items.push_back(Scalar(path, item, true));
    } else {
      items = Split(Scalar(path, found->node, true), ',');
    }
    for (std::string& item : items) item = std::string(Trim(item));
    std::erase(items, "");
    if (items.empty()) Problem(found->node.Mark(), path, "expected at least one host:port");
    return items;
  }

  std::optional<model::Version> Version(std::string_view path) {
    const std::string text = Text(path, true);
    if (text.empty()) return std::nullopt;
    const auto version = model::ParseVersion(text);
    if (version && std::isdigit(static_cast<unsigned char>(text.front())) != 0) return *version;
    Problem(Find(path)->node.Mark(), path,
            fmt::format("expected a version of three numbers such as 2.1.4, without a v, found "
                        "\"{}\"",
                        Printable(text)));
    return std::nullopt;
  }

  YAML::Mark MarkOf(std::string_view path) const {
    const Found* found = Find(path);
    return found == nullptr ? YAML::Mark() : found->node.Mark();
  }
  void Problem(const YAML::Mark& mark, std::string_view path, const std::string& what) {
    NoteExit(path, 2);
    problems_.push_back(Place(mark) + std::string(path) + ": " + what);
  }
  void Missing(std::string_view path) {
    NoteExit(path, 2);
    problems_.push_back(fmt::format("{}: {}: this key is missing; expected {}", file_, path,
                                    FindKey(Folded(path))->value));
  }
  void Warn(const YAML::Mark& mark, std::string_view path, const std::string& what) {
    warnings_.push_back(Place(mark) + std::string(path) + ": " + what);
  }
  // Of the problem of this path, where it is not 2.
  void NoteExit(std::string_view path, int code) {
    const bool is_looked_at =
        path == "cmd.type" || path == "config.sourceVersion" || path == "config.targetVersion";
    if (tool_exit_ == 0) tool_exit_ = is_looked_at && !panics_ ? 1 : code;
  }
  // The next problem is one that Milvus's tool panics on, though it looks at the value.
  void Panics() { panics_ = true; }
  int ToolExit() const { return tool_exit_; }
  std::map<std::string, int> Lines() const {
    std::map<std::string, int> lines;
    for (const auto& [path, found] : found_) lines[std::string(path)] = found.node.Mark().line + 1;
    return lines;
  }
  const std::vector<std::string>& Problems() const { return problems_; }
  std::vector<std::string> Warnings() const { return warnings_; }

 private:
  static const MigrateKey* FindKey(const std::string& folded) {
    const auto* it = std::find_if(std::begin(kKeys), std::end(kKeys), [&](const MigrateKey& key) {
      return Folded(key.path) == folded;
    });
    return it == std::end(kKeys) ? nullptr : it;
  }
  static bool IsGroup(const std::string& folded) {
    return std::any_of(std::begin(kKeys), std::end(kKeys), [&](const MigrateKey& key) {
      return Folded(key.path).starts_with(folded + ".");
    });
  }
  static std::string DidYouMean(const std::string& path) {
    std::vector<std::string> names;
    for (const MigrateKey& key : kKeys) names.emplace_back(key.path);
    const std::string near = Nearest(path, names);
    return near.empty() ? ", it is not used" : fmt::format("; did you mean {}?", near);
  }
  const Found* Find(std::string_view path) const {
    const auto it = found_.find(path);
    return it == found_.end() ? nullptr : &it->second;
  }
  std::string Scalar(std::string_view path, const YAML::Node& node, bool is_required) {
    if (node.IsMap() && node.Mark().line >= 0 && node.size() == 1 &&
        !node.begin()->first.IsScalar()) {
      Problem(node.Mark(), path, "a template that nobody has filled in: write the value itself");
      return "";
    }
    if (!node.IsScalar()) {
      if (!node.IsNull()) {
        Problem(node.Mark(), path, fmt::format("expected {}", FindKey(Folded(path))->value));
      } else if (is_required) {
        Problem(node.Mark(), path,
                fmt::format("expected {}, found nothing", FindKey(Folded(path))->value));
      }
      return "";
    }
    const std::string& text = node.Scalar();
    if (text.empty() && is_required)
      Problem(node.Mark(), path,
              fmt::format("expected {}, found nothing", FindKey(Folded(path))->value));
    if (text.find("${") != std::string::npos && !path.ends_with("password"))
      Problem(node.Mark(), path,
              fmt::format("variables are not expanded in this file: \"{}\" would be taken as it "
                          "stands; write the value itself",
                          Printable(text)));
    return text;
  }
  std::string Place(const YAML::Mark& mark) const {
    return fmt::format("{}:{}:{}: ", file_, mark.line + 1, mark.column + 1);
  }

  std::string file_;
  int tool_exit_ = 0;
  bool panics_ = false;
  std::map<std::string, int> seen_;
  std::map<std::string_view, Found> found_;
  std::vector<std::string> problems_;
  std::vector<std::string> warnings_;
};

MigrateCommand CommandOf(Reader& reader) {
  const std::string type = reader.Text("cmd.type", true);
  if (type == "backup") return MigrateCommand::kBackup;
  if (type == "rollback") return MigrateCommand::kRollback;
  if (!type.empty() && type != "run")
    reader.Problem(reader.MarkOf("cmd.type"), "cmd.type",
                   fmt::format("expected run, backup or rollback, found \"{}\"", Printable(type)));
  return MigrateCommand::kRun;
}

// Only 2.1.x to 2.2.x has a migration (milvus.md 1.1); said here, where the line is known.
void CheckPair(Reader& reader, const MigrateYaml& yaml) {
  if (yaml.source >= model::Version{2, 2, 0, ""}) reader.Panics();
  if (yaml.source.major != 2 || yaml.source.minor != 1) {
    reader.Problem(
        reader.MarkOf("config.sourceVersion"), "config.sourceVersion",
        fmt::format("the migration is of the metadata of Milvus 2.1.x, found {}{}",
                    yaml.source.Text(),
                    yaml.source < model::Version{2, 1, 0, ""}
                        ? ": upgrade to 2.1.4 first"
                        : ": from 2.2 on an upgrade needs no migration, only the new image"));
  }
  if (!yaml.target) return;
  if (*yaml.target < yaml.source) {
    reader.Problem(
        reader.MarkOf("config.targetVersion"), "config.targetVersion",
        fmt::format("{} is older than the source {}", yaml.target->Text(), yaml.source.Text()));
  } else if (yaml.target->major > 2 || yaml.target->minor > 2) {
    reader.Panics();
    reader.Problem(
        reader.MarkOf("config.targetVersion"), "config.targetVersion",
        fmt::format("the migration ends at the last 2.2.x: write 2.2.16, start Milvus 2.2.16, and "
                    "go on to {} by changing the image, hop by hop (`milvus-upgrade versions {} "
                    "{}`)",
                    yaml.target->Text(), yaml.source.Text(), yaml.target->Text()));
  }
}

void CheckMeanings(Reader& reader, MigrateYaml& yaml) {
  const std::string store = reader.Text("metastore.type", false);
  if (!store.empty() && store != "etcd")
    reader.Problem(reader.MarkOf("metastore.type"), "metastore.type",
                   fmt::format("only etcd can be migrated, found \"{}\"", Printable(store)));
  if (reader.Bool("etcd.use.embed"))
    reader.Problem(reader.MarkOf("etcd.use.embed"), "etcd.use.embed",
                   "an etcd inside Milvus is gone while Milvus is stopped: it cannot be migrated");
  for (const auto& [path, value] :
       {std::pair{"etcd.rootPath", yaml.root_path}, {"etcd.metaSubPath", yaml.meta_path}}) {
    if (value.ends_with('/'))
      reader.Problem(reader.MarkOf(path), path, "expected a path without a slash at its end");
  }
  if (yaml.tls.is_enabled) {
    const std::string& version = yaml.tls.minimum_version;
    if (version != "1.0" && version != "1.1" && version != "1.2" && version != "1.3")
      reader.Problem(reader.MarkOf("etcd.ssl.tlsMinVersion"), "etcd.ssl.tlsMinVersion",
                     fmt::format("expected 1.0, 1.1, 1.2 or 1.3, found \"{}\"", version));
    if (yaml.tls.certificate.empty() != yaml.tls.key.empty())
      reader.Missing(yaml.tls.key.empty() ? "etcd.ssl.tlsKey" : "etcd.ssl.tlsCert");
  }
}

}  // namespace

std::span<const MigrateKey> MigrateKeys() { return kKeys; }

Result<MigrateYaml> ParseMigrateYaml(std::string_view text, const std::string& file,
                                     int* tool_exit) {
  YAML::Node root;
  try {
    root = YAML::Load(std::string(text));
  } catch (const YAML::Exception& e) {
    return Fail(ErrorCode::kYamlSyntax,
                fmt::format("{}:{}:{}: {}", file, e.mark.line + 1, e.mark.column + 1, e.msg));
  }
  if (!root.IsMap())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: expected a map with cmd, config and etcd", file),
                "see configs/migrate.yaml");
  try {
    Reader reader(file);
    reader.Collect(root, "");
    MigrateYaml yaml;
    yaml.command = CommandOf(reader);
    yaml.runs_with_backup = reader.Bool("cmd.runWithBackup");
    if (const auto source = reader.Version("config.sourceVersion")) yaml.source = *source;
    const bool has_source = yaml.source != model::Version{};
    if (yaml.command != MigrateCommand::kBackup)
      yaml.target = reader.Version("config.targetVersion");
    const bool needs_file = yaml.command != MigrateCommand::kRun || yaml.runs_with_backup;
    yaml.backup_file = reader.Text("config.backupFilePath", needs_file);
    yaml.endpoints = reader.List("etcd.endpoints");
    yaml.root_path = reader.Text("etcd.rootPath", true);
    yaml.meta_path = reader.Text("etcd.metaSubPath", true);
    yaml.kv_path = reader.Text("etcd.kvSubPath", true);
    yaml.tls.is_enabled = reader.Bool("etcd.ssl.enabled");
    yaml.tls.certificate = reader.Text("etcd.ssl.tlsCert", false);
    yaml.tls.key = reader.Text("etcd.ssl.tlsKey", false);
    yaml.tls.authority = reader.Text("etcd.ssl.tlsCACert", false);
    if (const std::string version = reader.Text("etcd.ssl.tlsMinVersion", false); !version.empty())
      yaml.tls.minimum_version = version;
    if (reader.Bool("etcd.auth.enabled")) {
      yaml.user = reader.Text("etcd.auth.userName", true);
      yaml.password = reader.Text("etcd.auth.password", true);
    }
    if (has_source) CheckPair(reader, yaml);
    CheckMeanings(reader, yaml);
    if (!reader.Problems().empty() && tool_exit != nullptr) *tool_exit = reader.ToolExit();
    if (!reader.Problems().empty())
      return Fail(ErrorCode::kInvalidInput, Join(reader.Problems(), "\n"),
                  "correct each line; nothing was touched");
    yaml.warnings = reader.Warnings();
    yaml.lines = reader.Lines();
    return yaml;
  } catch (const YAML::Exception& e) {
    return Fail(ErrorCode::kYamlSyntax, fmt::format("{}: {}", file, e.what()));
  }
}

}  // namespace mu::config
