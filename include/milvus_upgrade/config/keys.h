// SPDX-License-Identifier: Apache-2.0
// The keys: one table of everything that can be set, from which flags, MILVUS_UPGRADE_* variables,
// the configuration file, --help, the man page, completions and docs/configuration.md are made.
// Resolve puts flag over environment over file over default and records where each value came from.
// Pure: the texts of the environment and of the file are inputs.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/config/config.h"

namespace mu::config {

// Commands as a set of bits: which of them take a key.
enum Commands : unsigned {
  kCompose = 1u << 0,
  kCheck = 1u << 1,
  kPlan = 1u << 2,
  kApply = 1u << 3,
  kResume = 1u << 4,
  kStatus = 1u << 5,
  kHistory = 1u << 6,
  kReport = 1u << 7,
  kVersions = 1u << 8,
  kOther = 1u << 9,  // completion, man
  kMigrate = 1u << 10,
  kRollback = 1u << 11,
  kUnlock = 1u << 12,
  kPrune = 1u << 13,
  kRolling = 1u << 14,
  kCheckRolling = 1u << 15,
  kPlanRolling = 1u << 16,
  kPlanning = kCompose | kCheck | kPlan,
  kRollingAll = kRolling | kCheckRolling | kPlanRolling,
  kKubeRuns =  // look for the runs of a release where one is named
  kResume | kRollback | kStatus | kHistory | kReport | kUnlock | kPrune,
  kRunning = kCompose | kApply | kResume,
  kFindsRuns =  // by the project folder
  kPlanning | kResume | kRollback | kStatus | kHistory | kReport | kUnlock | kPrune,
  kOfRuns = kFindsRuns | kApply | kRollingAll,  // apply has the project folder in its plan
  kEvery = (1u << 17) - 1,
};

enum class KeyType {
  kText = 1,
  kTextList = 2,
  kPath = 3,
  kPathList = 4,
  kFlag = 5,
  kDuration = 6,
  kDurationOrAuto = 7,
  kChoice = 8,
  kCommand = 9,  // one text, split into words by SplitWords
};

// Where a key may be given. An answer ("yes") that waits in a file for whoever runs next is no
// answer, and what belongs to one call only (--out) has no variable.
enum class Given { kFlagOnly = 1, kFlagAndEnvironment = 2, kEverywhere = 3 };

struct KeyRow {
  std::string_view name;  // "stop-timeout": the long flag and the key in the file
  char short_flag;        // 0: none; see ShortFlagOf
  KeyType type;
  Given given;
  std::string_view default_text;  // as it would be written; "" when there is none
  std::string_view value_name;    // "DURATION"; "" for kFlag
  std::string_view choices;       // "text json", for kChoice
  std::string_view help;          // one sentence, no final full stop
  unsigned commands;
  Status (*set)(Config&, const std::vector<std::string>&);  // null: not part of Config

  bool TakesValue() const { return type != KeyType::kFlag; }
  bool IsList() const { return type == KeyType::kTextList || type == KeyType::kPathList; }
  std::string EnvironmentName() const;  // "MILVUS_UPGRADE_STOP_TIMEOUT"
};

std::span<const KeyRow> KeyTable();
const KeyRow* FindKey(std::string_view name);
// Of two keys with one letter, a command that takes both gives it to the first of the table:
// rollingUpdate.sh has its own -o.
char ShortFlagOf(const KeyRow& row, unsigned command);

struct Inputs {
  unsigned command = kOther;
  std::map<std::string, std::vector<std::string>> flags;  // key name -> values as given
  std::map<std::string, std::string> environment;         // all of it; an empty value is unset
  std::string file_path;                                  // "": there is none
  std::string file_text;
};

struct Resolved {
  Config config;
  std::vector<std::string> warnings;  // variables of our prefix that are no key
};

// Errors: kUsage with the flag or variable by name; kYamlSyntax, kInvalidInput with file:line.
// Keys of the file and variables that `command` does not take are checked and left aside.
Result<Resolved> Resolve(const Inputs& inputs);

// Where a configuration file is looked for when --config is not given, in this order; the first
// that exists is the one.
std::vector<std::string> ConfigFileCandidates(
    const std::map<std::string, std::string>& environment);

// An argv from one text: words, single and double quotes and backslashes as in POSIX sh, and no
// expansion of any kind. What a shell would act on ($ ` | & ; < > ( ) # ~ outside quotes) is
// refused, since it would mean something else here. Errors: kUsage with the column.
Result<std::vector<std::string>> SplitWords(std::string_view text);

}  // namespace mu::config
