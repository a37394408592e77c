// SPDX-License-Identifier: Apache-2.0
#include "ui/migrate_view.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <utility>

#include "milvus_upgrade/base/text.h"

namespace mu::ui {
namespace {

constexpr int kColumn = 22;

void AddBackup(const migrate::BackupFacts& facts, const Style& style, View* view) {
  view->text += Entry("  backup",
                      fmt::format("{} keys, {} bytes, read back and compared with etcd at revision "
                                  "{}",
                                  facts.keys, facts.bytes, facts.revision),
                      kColumn, style);
  view->text += Entry("  file", Printable(facts.file), kColumn, style);
  view->text += Entry("  SHA-256", facts.sha256, kColumn, style);
  view->json["backup"] = {{"file", Printable(facts.file)},
                          {"keys", facts.keys},
                          {"bytes", facts.bytes},
                          {"sha256", facts.sha256},
                          {"revision", facts.revision}};
}

void AddSummary(const meta::Summary& summary, const Style& style, View* view) {
  const std::pair<const char*, std::int64_t> kLines[] = {
      {"collections", summary.collections},
      {"partitions", summary.partitions},
      {"indexes", summary.indexes},
      {"segments", summary.segments},
      {"segment_indexes", summary.segment_indexes},
      {"aliases", summary.aliases},
      {"loaded_collections", summary.loaded_collections},
      {"loaded_partitions", summary.loaded_partitions},
  };
  boost::json::object counts;
  for (const auto& [name, count] : kLines) {
    std::string label = name;
    for (char& c : label) c = c == '_' ? ' ' : c;
    view->text += Entry("  " + label, std::to_string(count), kColumn, style);
    counts[name] = count;
  }
  boost::json::array needs_load;
  for (const meta::LoadedAgain& item : summary.needs_load) {
    view->text += Entry("  to load again", fmt::format("{}: {}", Printable(item.name), item.reason),
                        kColumn, style);
    needs_load.push_back(boost::json::object{
        {"collection", item.collection}, {"name", Printable(item.name)}, {"reason", item.reason}});
  }
  view->json["summary"] = std::move(counts);
  view->json["needs_load"] = std::move(needs_load);
}

std::string_view NameOf(migrate::RunOutcome::Kind kind) {
  switch (kind) {
    case migrate::RunOutcome::Kind::kMigrated:
      return "migrated";
    case migrate::RunOutcome::Kind::kCompleted:
      return "completed";
    case migrate::RunOutcome::Kind::kNothingToDo:
      return "nothing-to-do";
    case migrate::RunOutcome::Kind::kRehearsed:
      return "rehearsed";
  }
  return "";
}

std::string VerdictOf(const migrate::RunOutcome& outcome, const std::string& prefix,
                      const Style& style) {
  switch (outcome.kind) {
    case migrate::RunOutcome::Kind::kMigrated:
      return style.Good("Migrated.") +
             fmt::format(" The metadata under {} is of Milvus 2.2; start 2.2 now.", prefix);
    case migrate::RunOutcome::Kind::kCompleted:
      return style.Good("Completed") +
             fmt::format(
                 " what a cut migration had begun. The metadata under {} is of Milvus 2.2; "
                 "start 2.2 now.",
                 prefix);
    case migrate::RunOutcome::Kind::kNothingToDo:
      return style.Good("Nothing to do:") +
             fmt::format(" under {} there is nothing of 2.1 to migrate.", prefix);
    case migrate::RunOutcome::Kind::kRehearsed:
      return fmt::format("All of {} can be migrated. Nothing was written.", prefix);
  }
  return "";
}

}  // namespace

View MigrationView(const migrate::RunOutcome& outcome, const meta::Scope& scope,
                   const Style& style) {
  View view;
  view.json["outcome"] = NameOf(outcome.kind);
  if (outcome.kind != migrate::RunOutcome::Kind::kNothingToDo) {
    if (outcome.backup) AddBackup(*outcome.backup, style, &view);
    view.text += Entry("  keys",
                       fmt::format("{} added, {} replaced, {} removed", outcome.added,
                                   outcome.replaced, outcome.removed),
                       kColumn, style);
    AddSummary(outcome.summary, style, &view);
    boost::json::array losses;
    for (const std::string& loss : outcome.losses) {
      view.text += Entry("  not kept", Printable(loss), kColumn, style);
      losses.emplace_back(Printable(loss));
    }
    view.json["losses"] = std::move(losses);
    view.json["keys"] = {
        {"added", outcome.added}, {"replaced", outcome.replaced}, {"removed", outcome.removed}};
  }
  view.text += VerdictOf(outcome, scope.Prefix(), style) + "\n";
  return view;
}

View BackupView(const migrate::BackupFacts& facts, const Style& style) {
  View view;
  view.json["outcome"] = "backed-up";
  AddBackup(facts, style, &view);
  view.text += style.Good("Backed up.") + "\n";
  return view;
}

View RollbackView(const migrate::RollbackOutcome& outcome, const meta::Scope& scope,
                  const Style& style) {
  View view;
  const bool is_changed = outcome.was_cut || outcome.restored + outcome.removed > 0;
  view.json["outcome"] = is_changed ? "rolled-back" : "nothing-to-do";
  view.json["keys"] = {{"restored", outcome.restored}, {"removed", outcome.removed}};
  view.text += Entry("  keys",
                     fmt::format("{} put back, {} removed; all compared with the backup",
                                 outcome.restored, outcome.removed),
                     kColumn, style);
  boost::json::array kept;
  for (const std::string& key : outcome.kept_new) {
    view.text += Entry("  kept, of 2.2", Printable(key), kColumn, style);
    kept.emplace_back(Printable(key));
  }
  view.json["kept_new_keys"] = std::move(kept);
  boost::json::array ignored;
  for (const std::string& key : outcome.ignored) {
    view.text += Entry("  not ours, in backup", Printable(key), kColumn, style);
    ignored.emplace_back(Printable(key));
  }
  view.json["ignored_entries"] = std::move(ignored);
  view.text +=
      is_changed
          ? style.Good("Rolled back.") + fmt::format(
                                             " The metadata under {} is what the backup holds; "
                                             "start 2.1 now.",
                                             scope.Prefix())
          : style.Good("Nothing to do:") +
                fmt::format(" the metadata under {} is what the backup holds.", scope.Prefix());
  view.text += "\n";
  return view;
}

}  // namespace mu::ui
