// SPDX-License-Identifier: Apache-2.0
// Files: what we read and write on our own disk. Everything durable goes through here, so that
// tests can lose what was not synced and fail any call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"

namespace mu::ports {

struct FileFacts {
  bool is_folder = false;
  bool is_writable = false;
  std::uint64_t bytes = 0;
  unsigned mode = 0;
  std::string link_target = {};  // where it leads when the path itself is a symbolic link; else ""
};

class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // Errors: kDiskFull, kFileWrite.
  virtual Status Append(std::string_view bytes) = 0;
  // Takes room on the disk for so many more bytes without growing the file: what is appended within
  // them does not find the disk full. Nothing where the file system cannot. Errors: kDiskFull.
  virtual Status Reserve(std::uint64_t bytes) = 0;
  // fsync. Errors: kFileSync: what the disk holds is unknown from now on; the caller must stop.
  virtual Status Sync() = 0;
};

// A file that is there only once it is whole. Without Commit nothing is left of it.
class NewFile {
 public:
  virtual ~NewFile() = default;
  // Errors: kDiskFull, kFileWrite.
  virtual Status Append(std::string_view bytes) = 0;
  // fsync, rename to its name, fsync of the folder. kFileWrite when a file of that name is there.
  virtual Status Commit() = 0;
};

// A held flock; released by its destructor.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Errors of all: kFileRead, kFileWrite, kDiskFull, kReadOnly, kFileSync, with the path and errno's
// words.
class Files {
 public:
  virtual ~Files() = default;
  virtual Result<std::string> Read(const std::string& path) = 0;
  // Part after part, for files that may be larger than memory. An error of `take` ends it.
  virtual Status ReadParts(const std::string& path,
                           const std::function<Status(std::string_view)>& take) = 0;
  virtual Result<std::optional<FileFacts>> Stat(
      const std::string& path) = 0;  // follows symlinks; nullopt: not there
  virtual Result<std::vector<std::string>> List(const std::string& folder) = 0;  // names, sorted
  // Temp file beside it, fsync, rename, fsync of the folder. Keeps mode and owner of an existing
  // file; a symlink's target is replaced, not the link. New files get `mode`.
  virtual Status Replace(const std::string& path, std::string_view bytes, unsigned mode) = 0;
  // As Replace, but an existing file is an error (kFileWrite).
  virtual Status Create(const std::string& path, std::string_view bytes, unsigned mode) = 0;
  // As Create, in parts. kFileWrite at once when the name is taken.
  virtual Result<std::unique_ptr<NewFile>> BeginNew(const std::string& path, unsigned mode) = 0;
  // Why Replace of this existing path could not work (mount point, folder not writable); "" when it
  // can.
  virtual Result<std::string> WhyNotReplaceable(const std::string& path) = 0;
  virtual Status MakeFolders(const std::string& path, unsigned mode) = 0;
  virtual Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path,
                                                         unsigned mode) = 0;
  virtual Status Truncate(const std::string& path, std::uint64_t bytes) = 0;  // and fsync
  virtual Status RemoveTree(const std::string& path) = 0;
  // Not waiting. Errors: kLocked with the holder's text in the message. `holder` is information
  // only.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path,
                                                 std::string_view holder) = 0;
  // Whether someone holds that lock, without taking it; false when there is no such file.
  virtual Result<bool> IsLocked(const std::string& path) = 0;
  virtual Result<std::uint64_t> FreeBytes(const std::string& path) = 0;
  virtual std::string Absolute(const std::string& path) = 0;
  virtual Result<std::string> Sha256Of(const std::string& path) = 0;
};

}  // namespace mu::ports
