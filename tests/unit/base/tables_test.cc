// SPDX-License-Identifier: Apache-2.0
// The error catalogue and the exit codes are contracts: their numbers are compared with the headers
// themselves, so that an enumerator without a row (or a row twice) is seen.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "milvus_upgrade/base/error.h"
#include "milvus_upgrade/base/exit_code.h"
#include "milvus_upgrade/base/result.h"

namespace mu {
namespace {

// Numbers of the enumerators "kName = N" of one enum of a header.
std::map<int, std::string> Enumerators(const std::string& header, const std::string& enum_name) {
  std::ifstream file(std::string(MU_SOURCE_DIR) + "/include/milvus_upgrade/base/" + header);
  std::stringstream text;
  text << file.rdbuf();
  std::string body = text.str();
  body = body.substr(body.find("enum class " + enum_name + " "));
  body = body.substr(0, body.find("};"));
  std::map<int, std::string> found;
  const std::regex row(R"((k\w+) = (\d+),)");
  for (std::sregex_iterator it(body.begin(), body.end(), row), end; it != end; ++it) {
    EXPECT_TRUE(found.emplace(std::stoi((*it)[2]), (*it)[1]).second)
        << "number " << (*it)[2] << " is used twice";
  }
  return found;
}

TEST(ErrorCatalog, EveryCodeHasExactlyOneRow) {
  const std::map<int, std::string> codes = Enumerators("error.h", "ErrorCode");
  ASSERT_GT(codes.size(), 50U);
  std::map<int, int> rows;
  for (const ErrorRow& row : ErrorCatalog()) ++rows[static_cast<int>(row.code)];
  for (const auto& [number, name] : codes) EXPECT_EQ(rows[number], 1) << name;
  EXPECT_EQ(rows.size(), codes.size());
}

TEST(ErrorCatalog, RowsAreWholeAndNamesUnique) {
  std::set<std::string_view> names;
  for (const ErrorRow& row : ErrorCatalog()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.cause.empty()) << row.name;
    EXPECT_FALSE(row.fix.empty()) << row.name;
    EXPECT_EQ(&RowOf(row.code), &row) << row.name;
    EXPECT_NE(row.exit, ExitCode::kDone) << row.name;
    EXPECT_NE(row.fix.back(), '.') << row.name;
  }
}

TEST(ExitCodes, EveryCodeHasExactlyOneRow) {
  const std::map<int, std::string> codes = Enumerators("exit_code.h", "ExitCode");
  ASSERT_GT(codes.size(), 10U);
  std::map<int, int> rows;
  for (const ExitCodeRow& row : ExitCodeTable()) {
    ++rows[static_cast<int>(row.code)];
    EXPECT_FALSE(row.meaning.empty()) << row.name;
    EXPECT_FALSE(row.next.empty()) << row.name;
  }
  for (const auto& [number, name] : codes) EXPECT_EQ(rows[number], 1) << name;
  EXPECT_EQ(rows.size(), codes.size());
}

// Written to CI jobs and runbooks: these numbers never change.
TEST(ExitCodes, NumbersAreThoseOfTheDesign) {
  const std::map<ExitCode, int> design = {
      {ExitCode::kDone, 0},          {ExitCode::kUnexpected, 1},  {ExitCode::kUsage, 2},
      {ExitCode::kCheckFailed, 3},   {ExitCode::kPathRefused, 4}, {ExitCode::kLocked, 5},
      {ExitCode::kRolledBack, 6},    {ExitCode::kNeedsPerson, 7}, {ExitCode::kPaused, 8},
      {ExitCode::kStalePlan, 9},     {ExitCode::kChanges, 10},    {ExitCode::kTryLater, 75},
      {ExitCode::kInterrupted, 130}, {ExitCode::kTerminated, 143}};
  EXPECT_EQ(design.size(), ExitCodeTable().size());
  for (const auto& [code, number] : design) EXPECT_EQ(static_cast<int>(code), number);
}

TEST(Error, TextTellsTheWayFromOutsideIn) {
  const Error error = Error{ErrorCode::kFileRead, "no such file", "", {}}
                          .WithContext("reading docker-compose.yml")
                          .WithContext("step files/0");
  EXPECT_EQ(error.Text(), "MU-110: no such file (while step files/0: reading docker-compose.yml)");
  EXPECT_EQ(Error({ErrorCode::kUsage, "bad flag", "", {}}).Text(), "MU-101: bad flag");
}

TEST(Error, HintFallsBackToTheCatalogue) {
  EXPECT_EQ(Error({ErrorCode::kLocked, "m", "do this", {}}).Hint(), "do this");
  EXPECT_EQ(Error({ErrorCode::kLocked, "m", "", {}}).Hint(), RowOf(ErrorCode::kLocked).fix);
}

Result<int> Half(int number) {
  if (number % 2 != 0) return Fail(ErrorCode::kInvalidInput, "odd");
  return number / 2;
}

Result<int> Quarter(int number) {
  MU_TRY(const int half, Half(number));
  return Half(half);
}

Status EvenTwice(int number) {
  MU_CHECK(Quarter(number));
  return {};
}

TEST(Result, TryAndCheckHandTheErrorOn) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Quarter(6).error().message, "odd");
  EXPECT_EQ(Quarter(7).error().code, ErrorCode::kInvalidInput);
  EXPECT_TRUE(EvenTwice(4));
  EXPECT_EQ(EvenTwice(5).error().message, "odd");
}

}  // namespace
}  // namespace mu
