// SPDX-License-Identifier: Apache-2.0
// The stop table is what the measurements allow, and nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/rules/version_path.h"

namespace mu::rules {
namespace {

using Record = std::map<std::string, std::string>;

std::vector<Record> ReadTable(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> columns;
  std::vector<Record> records;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::string> cells = Split(line, '\t');
    if (columns.empty()) {
      columns = cells;
      continue;
    }
    EXPECT_EQ(cells.size(), columns.size()) << line;
    Record record;
    for (std::size_t i = 0; i < std::min(cells.size(), columns.size()); ++i)
      record[columns[i]] = cells[i];
    records.push_back(std::move(record));
  }
  return records;
}

// What a group of measurements of one (version, role, queue) allows, as a line.
std::optional<std::string> AllowedBy(const std::vector<Record>& group) {
  bool is_together = false;
  int runs = 0;
  int acknowledged = 0;
  double term = 0;
  std::string date;
  for (const Record& record : group) {
    if (record.at("verdict") != "kept" || record.at("missing") != "0") return std::nullopt;
    is_together = is_together || record.at("scope") == "together";
    runs += std::stoi(record.at("runs"));
    acknowledged += std::stoi(record.at("acked"));
    term = std::max(term, std::stod(record.at("term_s")));
    date = std::max(date, record.at("date"));
  }
  if (!is_together) return std::nullopt;
  const Record& first = group.front();
  return "{\"" + first.at("version") + "\", " + first.at("role") + ", " + first.at("queue") + ", " +
         std::to_string(static_cast<int>(term * 1000)) + ", true, \"" + date + ", " +
         std::to_string(runs) + (runs == 1 ? " run, " : " runs, ") + std::to_string(acknowledged) +
         " acknowledged rows, none missing\"}";
}

std::string NameOfQueue(model::MessageQueue queue) {
  switch (queue) {
    case model::MessageQueue::kRocksmq:
      return "rocksmq";
    case model::MessageQueue::kKafka:
      return "kafka";
    case model::MessageQueue::kPulsar:
      return "pulsar";
    default:
      return "?";
  }
}

TEST(StopTable, IsWhatTheMeasurementsAllow) {
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<Record>> groups;
  for (const Record& record :
       ReadTable(std::string(MU_SOURCE_DIR) + "/tests/real/stop_table/results.tsv")) {
    groups[{record.at("version"), record.at("queue"), record.at("role")}].push_back(record);
  }
  std::vector<std::string> allowed;
  for (const auto& [key, group] : groups) {
    if (auto line = AllowedBy(group)) allowed.push_back(*line);
  }
  std::vector<std::string> table;
  for (const StopRow& row : StopTable()) {
    table.push_back(
        "{\"" + std::string(row.version) + "\", " + std::string(model::NameOf(row.role)) + ", " +
        NameOfQueue(row.queue) + ", " + std::to_string(row.term_wait_ms) +
        (row.may_revoke ? ", true, \"" : ", false, \"") + std::string(row.source) + "\"}");
  }
  std::sort(allowed.begin(), allowed.end());
  std::sort(table.begin(), table.end());
  EXPECT_EQ(table, allowed);
}

TEST(StopTable, ALossAnywhereTakesTheRowOut) {
  const Record kept = {{"version", "2.2.16"}, {"role", "proxy"}, {"queue", "kafka"},
                       {"scope", "together"}, {"term_s", "1"},   {"runs", "3"},
                       {"acked", "900"},      {"missing", "0"},  {"verdict", "kept"},
                       {"date", "2026-11-25"}};
  Record lost = kept;
  lost["verdict"] = "lost";
  lost["missing"] = "1";
  Record alone = kept;
  alone["scope"] = "alone";
  EXPECT_EQ(AllowedBy({kept}),
            "{\"2.2.16\", proxy, kafka, 1000, true, \"2026-11-25, 3 runs, 900 acknowledged rows, "
            "none missing\"}");
  EXPECT_EQ(AllowedBy({kept, lost}), std::nullopt);
  EXPECT_EQ(AllowedBy({alone}), std::nullopt);
}

TEST(StopTable, FindsTheExactRowOnly) {
  for (const StopRow& row : StopTable()) {
    const model::Version version = model::ParseVersion(row.version).value();
    EXPECT_EQ(FindStopRow(version, row.role, row.queue), &row);
    EXPECT_EQ(FindStopRow(version, row.role, model::MessageQueue::kNatsmq), nullptr);
  }
  EXPECT_EQ(FindStopRow({2, 2, 3, ""}, model::Role::kStandalone, model::MessageQueue::kRocksmq),
            nullptr);
}

}  // namespace
}  // namespace mu::rules
