// SPDX-License-Identifier: Apache-2.0
// Files on the local disk by plain POSIX calls. Owns nothing but what it hands out. Never leaves a
// half-written file under its final name and never ignores a failed fsync.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "milvus_upgrade/ports/files.h"

namespace mu::adapters {

class PosixFiles final : public ports::Files {
 public:
  Result<std::string> Read(const std::string& path) override;
  Status ReadParts(const std::string& path,
                   const std::function<Status(std::string_view)>& take) override;
  Result<std::optional<ports::FileFacts>> Stat(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& folder) override;
  // Not kept: extended attributes, ACLs and hard links of the old file.
  Status Replace(const std::string& path, std::string_view bytes, unsigned mode) override;
  Status Create(const std::string& path, std::string_view bytes, unsigned mode) override;
  Result<std::unique_ptr<ports::NewFile>> BeginNew(const std::string& path, unsigned mode) override;
  Result<std::string> WhyNotReplaceable(const std::string& path) override;
  Status MakeFolders(const std::string& path, unsigned mode) override;
  Result<std::unique_ptr<ports::AppendFile>> OpenAppend(const std::string& path,
                                                        unsigned mode) override;
  Status Truncate(const std::string& path, std::uint64_t bytes) override;
  Status RemoveTree(const std::string& path) override;
  // The file stays after release, empty: removing it would let two holders in.
  Result<std::unique_ptr<ports::FileLock>> Lock(const std::string& path,
                                                std::string_view holder) override;
  // Of the file system that `path` is on or would be made on.
  Result<bool> IsLocked(const std::string& path) override;
  Result<std::uint64_t> FreeBytes(const std::string& path) override;
  std::string Absolute(const std::string& path) override;
  Result<std::string> Sha256Of(const std::string& path) override;
};

// Whether /proc/self/mountinfo names `path` (absolute, resolved) as a mount point.
bool IsMountPoint(std::string_view mountinfo, std::string_view path);

}  // namespace mu::adapters
