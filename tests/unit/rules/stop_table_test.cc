// SPDX-License-Identifier: Apache-2.0
// The stop table is what the measurements allow, and nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
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

std::string RoleText(model::Role role) {
  std::string name(model::NameOf(role));
  for (const char* word : {"coord", "node"}) {
    if (const auto at = name.find(word); at != std::string::npos)
      name[at] = static_cast<char>(name[at] - 'a' + 'A');
  }
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return "Role::k" + name;
}

std::string QueueText(const std::string& name) {
  return std::string("MessageQueue::k") + static_cast<char>(name[0] - 'a' + 'A') + name.substr(1);
}

// The line of src/rules/stop_rows.inc that a group of measurements of one (version, role, queue)
// allows.
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
  const std::optional<model::Role> role = model::RoleOfName(first.at("role"));
  EXPECT_TRUE(role) << first.at("role");
  return "{\"" + first.at("version") + "\", " + RoleText(role.value_or(model::Role::kProxy)) +
         ", " + QueueText(first.at("queue")) + ", " +
         std::to_string(static_cast<int>(term * 1000)) + ", true,\n \"" + date + ": " +
         std::to_string(runs) + (runs == 1 ? " run, " : " runs, ") + std::to_string(acknowledged) +
         " acknowledged rows, none missing\"},\n";
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// When this fails after a new measurement: MU_UPDATE_DOCS=1 test_rules, then build again.
TEST(StopTable, IsWhatTheMeasurementsAllow) {
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<Record>> groups;
  for (const Record& record :
       ReadTable(std::string(MU_SOURCE_DIR) + "/tests/real/stop_table/results.tsv")) {
    groups[{record.at("version"), record.at("queue"), record.at("role")}].push_back(record);
  }
  std::string allowed =
      "// SPDX-License-Identifier: Apache-2.0\n"
      "// Written from tests/real/stop_table/results.tsv by MU_UPDATE_DOCS=1 test_rules.\n";
  for (const auto& [key, group] : groups) allowed += AllowedBy(group).value_or("");
  const std::string path = std::string(MU_SOURCE_DIR) + "/src/rules/stop_rows.inc";
  if (std::getenv("MU_UPDATE_DOCS") != nullptr) std::ofstream(path) << allowed;
  EXPECT_EQ(ReadAll(path), allowed);
  for (const StopRow& row : StopTable()) {
    const std::string start = "{\"" + std::string(row.version) + "\", " + RoleText(row.role) + ", ";
    EXPECT_NE(allowed.find(start), std::string::npos) << start << ": build again";
  }
  EXPECT_EQ(StopTable().size(),
            static_cast<std::size_t>(std::count(allowed.begin(), allowed.end(), '{')))
      << "build again";
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
            "{\"2.2.16\", Role::kProxy, MessageQueue::kKafka, 1000, true,\n \"2026-11-25: 3 "
            "runs, 900 acknowledged rows, none missing\"},\n");
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
