// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "milvus_upgrade/config/migrate_yaml.h"

namespace mu::config {
namespace {

// Plain only where no reader could take it for anything but this text: letters first, so that no
// number, date or null is read; the rest double-quoted with YAML's escapes.
std::string Scalar(const std::string& text) {
  static constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on",
                                                "off",  "null",  "y",   "n"};
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '/' || c == '.';
  };
  std::string lower;
  for (const char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (!text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
      std::all_of(text.begin(), text.end(), is_plain) &&
      std::find(std::begin(kWords), std::end(kWords), lower) == std::end(kWords))
    return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string_view NameOf(MigrateCommand command) {
  switch (command) {
    case MigrateCommand::kRun:
      return "run";
    case MigrateCommand::kBackup:
      return "backup";
    case MigrateCommand::kRollback:
      return "rollback";
  }
  return "run";
}

}  // namespace

std::string FormatMigrateYaml(const MigrateYaml& yaml, Secrets secrets) {
  std::string text =
      fmt::format("cmd:\n  type: {}\n  runWithBackup: {}\nconfig:\n  sourceVersion: {}\n",
                  NameOf(yaml.command), yaml.runs_with_backup, yaml.source.Text());
  const auto put = [&text](std::string_view key, const std::string& value) {
    if (!value.empty()) text += fmt::format("{}: {}\n", key, Scalar(value));
  };
  if (yaml.target) text += fmt::format("  targetVersion: {}\n", yaml.target->Text());
  put("  backupFilePath", yaml.backup_file);
  text += "metastore:\n  type: etcd\netcd:\n  endpoints:\n";
  for (const std::string& endpoint : yaml.endpoints)
    text += fmt::format("    - {}\n", Scalar(endpoint));
  put("  rootPath", yaml.root_path);
  put("  metaSubPath", yaml.meta_path);
  put("  kvSubPath", yaml.kv_path);
  if (yaml.tls.is_enabled) {
    text += "  ssl:\n    enabled: true\n";
    put("    tlsCert", yaml.tls.certificate);
    put("    tlsKey", yaml.tls.key);
    put("    tlsCACert", yaml.tls.authority);
    put("    tlsMinVersion", yaml.tls.minimum_version);
  }
  if (!yaml.user.empty()) {
    text += "  auth:\n    enabled: true\n";
    put("    userName", yaml.user);
    put("    password", secrets == Secrets::kWritten ? yaml.password : "***");
  }
  return text;
}

}  // namespace mu::config
