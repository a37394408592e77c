// SPDX-License-Identifier: Apache-2.0
// A backup file judged whole before anything relies on it: framing, count, whose it is, that it
// holds metadata of 2.1, and, where its SHA-256 is beside it, that no bit of it has changed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/meta/scope.h"
#include "milvus_upgrade/model/etcd.h"
#include "milvus_upgrade/ports/files.h"

namespace mu::migrate {

struct SavedKeys {
  std::map<std::string, std::string> keys;
  std::vector<std::string> ignored;  // of others than the scope
  bool has_sha256 = false;           // false: damage inside a value cannot be seen
  std::vector<model::KeyValue> Listed() const;
};

// Errors: kFileRead, kBackupBad, kForeignBackup.
// kMayBe: of a Milvus that never had a collection there is nothing to migrate, and nothing to lose.
enum class Empty { kRefused = 1, kMayBe = 2 };
Result<SavedKeys> ReadBackup(ports::Files& files, const meta::Scope& scope, const std::string& file,
                             Empty empty = Empty::kRefused);

}  // namespace mu::migrate
