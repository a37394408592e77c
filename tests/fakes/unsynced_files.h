// SPDX-License-Identifier: Apache-2.0
// UnsyncedFiles: Files in memory that loses what was not synced when the power goes: bytes without
// fsync, and names made, replaced or removed without an fsync of their folder. Every boundary
// inside a call passes the fuse, so that a test can cut or fail at each. After a PowerCut, call
// PowerOn before the next use. Folders are durable at once; owners and symbolic links are left out.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fakes/fuse.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/ports/files.h"

namespace mu::fakes {

class UnsyncedFiles : public ports::Files {
 public:
  explicit UnsyncedFiles(Fuse& fuse) : fuse_(fuse) { folders_.insert("/"); }

  // What a disk may hold after a cut of what was written and not synced.
  enum class Keep { kNothing, kHalf, kAll };
  void PowerOn(Keep keep) {
    if (keep != Keep::kAll) names_ = durable_names_;
    durable_names_ = names_;
    for (auto& [path, node] : names_) {
      // Only appended bytes can be there in part; a file that was written anew has its old bytes.
      const std::size_t synced = node->durable.size();
      if (keep == Keep::kNothing || node->bytes.compare(0, synced, node->durable) != 0) {
        node->bytes = node->durable;
      } else if (keep == Keep::kHalf) {
        node->bytes.resize(synced + (node->bytes.size() - synced) / 2);
      }
      node->durable = node->bytes;
    }
    locks_.clear();  // a flock dies with its process
    ++boot_;
  }

  // For tests: durable at once, without the fuse.
  void Put(const std::string& path, std::string_view bytes, unsigned mode = 0644) {
    auto node = std::make_shared<Node>();
    node->bytes = node->durable = bytes;
    node->mode = mode;
    names_[path] = durable_names_[path] = node;
    for (std::string at = Parent(path); folders_.insert(at).second;) at = Parent(at);
  }
  std::vector<std::string> Paths() const {
    std::vector<std::string> paths;
    for (const auto& [path, node] : names_) paths.push_back(path);
    return paths;
  }
  // What the disk would have after a cut now; nullopt: no such file.
  std::optional<std::string> Durable(const std::string& path) const {
    const auto it = durable_names_.find(path);
    return it == durable_names_.end() ? std::nullopt : std::optional(it->second->durable);
  }
  void SetFreeBytes(std::uint64_t bytes) { free_bytes_ = bytes; }
  // Makes WhyNotReplaceable answer so for this path, and Replace fail.
  void SetNotReplaceable(const std::string& path, std::string why) {
    not_replaceable_[path] = std::move(why);
  }

  Result<std::string> Read(const std::string& path) override {
    if (const Error* error = fuse_.Pass("read " + path)) return Fail(*error);
    const auto it = names_.find(path);
    if (it == names_.end()) return Missing(path);
    return it->second->bytes;
  }

  // In parts of a few bytes, so that whoever reads cannot rely on where they end.
  Status ReadParts(const std::string& path,
                   const std::function<Status(std::string_view)>& take) override {
    MU_TRY(const std::string bytes, Read(path));
    for (std::size_t at = 0; at < bytes.size(); at += 7)
      MU_CHECK(take(std::string_view(bytes).substr(at, 7)));
    return {};
  }

  Result<std::optional<ports::FileFacts>> Stat(const std::string& path) override {
    if (folders_.contains(path)) return ports::FileFacts{true, true, 0, 0700};
    const auto it = names_.find(path);
    if (it == names_.end()) return std::optional<ports::FileFacts>();
    return ports::FileFacts{false, true, it->second->bytes.size(), it->second->mode};
  }

  Result<std::vector<std::string>> List(const std::string& folder) override {
    if (!folders_.contains(folder)) return Missing(folder);
    std::set<std::string> found;
    const auto add = [&](const std::string& path) {
      if (path != folder && Parent(path) == folder) found.insert(path.substr(path.rfind('/') + 1));
    };
    for (const auto& [path, node] : names_) add(path);
    for (const std::string& path : folders_) add(path);
    return std::vector<std::string>(found.begin(), found.end());
  }

  Status Replace(const std::string& path, std::string_view bytes, unsigned mode) override {
    if (const auto it = not_replaceable_.find(path); it != not_replaceable_.end())
      return Fail(ErrorCode::kFileWrite, path + ": " + it->second);
    if (const auto it = names_.find(path); it != names_.end()) mode = it->second->mode;
    return Write(path, bytes, mode);
  }

  Status Create(const std::string& path, std::string_view bytes, unsigned mode) override {
    if (names_.contains(path)) return Fail(ErrorCode::kFileWrite, path + ": File exists");
    return Write(path, bytes, mode);
  }

  Result<std::unique_ptr<ports::NewFile>> BeginNew(const std::string& path,
                                                   unsigned mode) override {
    if (names_.contains(path)) return Fail(ErrorCode::kFileWrite, path + ": File exists");
    return std::make_unique<Whole>(*this, path, mode);
  }

  Result<std::string> WhyNotReplaceable(const std::string& path) override {
    if (!names_.contains(path)) return Missing(path);
    const auto it = not_replaceable_.find(path);
    return it == not_replaceable_.end() ? std::string() : it->second;
  }

  Status MakeFolders(const std::string& path, unsigned) override {
    if (const Error* error = fuse_.Pass("mkdir " + path)) return Fail(*error);
    for (std::string at = path; folders_.insert(at).second;) at = Parent(at);
    return {};
  }

  Result<std::unique_ptr<ports::AppendFile>> OpenAppend(const std::string& path,
                                                        unsigned mode) override {
    if (const Error* error = fuse_.Pass("open " + path)) return Fail(*error);
    if (!folders_.contains(Parent(path))) return Missing(Parent(path));
    if (!names_.contains(path)) {
      auto node = std::make_shared<Node>();
      node->mode = mode;
      names_[path] = std::move(node);
      MU_CHECK(SyncFolderOf(path));
    }
    return std::make_unique<Appender>(*this, path, names_[path]);
  }

  Status Truncate(const std::string& path, std::uint64_t bytes) override {
    const auto it = names_.find(path);
    if (it == names_.end()) return Missing(path);
    if (const Error* error = fuse_.Pass("truncate " + path)) return Fail(*error);
    it->second->bytes.resize(bytes);
    if (const Error* error = fuse_.Pass("sync " + path)) return Fail(*error);
    it->second->durable = it->second->bytes;
    return {};
  }

  Status RemoveTree(const std::string& path) override {
    if (const Error* error = fuse_.Pass("remove " + path)) return Fail(*error);
    const auto is_in = [&](const std::string& at) {
      return at == path || at.rfind(path + "/", 0) == 0;
    };
    std::erase_if(names_, [&](const auto& item) { return is_in(item.first); });
    std::erase_if(folders_, is_in);
    return {};
  }

  Result<std::unique_ptr<ports::FileLock>> Lock(const std::string& path,
                                                std::string_view holder) override {
    if (const Error* error = fuse_.Pass("lock " + path)) return Fail(*error);
    if (const auto it = locks_.find(path); it != locks_.end())
      return Fail(ErrorCode::kLocked, fmt::format("{} is held by {}", path, it->second));
    locks_[path] = holder;
    return std::make_unique<HeldLock>(*this, path);
  }

  Result<bool> IsLocked(const std::string& path) override { return locks_.contains(path); }

  Result<std::uint64_t> FreeBytes(const std::string&) override { return free_bytes_; }
  std::string Absolute(const std::string& path) override {
    return path.empty() || path.front() != '/' ? "/" + path : path;
  }
  Result<std::string> Sha256Of(const std::string& path) override {
    MU_TRY(const std::string bytes, Read(path));
    return Sha256(bytes);
  }

 private:
  struct Node {
    std::string bytes;
    std::string durable;
    unsigned mode = 0600;
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;

  class Appender : public ports::AppendFile {
   public:
    Appender(UnsyncedFiles& files, std::string path, std::shared_ptr<Node> node)
        : files_(files), path_(std::move(path)), node_(std::move(node)) {}
    Status Append(std::string_view bytes) override {
      if (const Error* error = files_.fuse_.Pass("append " + path_)) {
        node_->bytes += bytes.substr(0, bytes.size() / 2);  // a short write
        return Fail(*error);
      }
      node_->bytes += bytes;
      return {};
    }
    Status Reserve(std::uint64_t bytes) override {
      if (bytes <= files_.free_bytes_) return {};
      return Fail(ErrorCode::kDiskFull, path_ + ": No space left on device");
    }
    Status Sync() override {
      if (const Error* error = files_.fuse_.Pass("sync " + path_)) return Fail(*error);
      node_->durable = node_->bytes;
      return {};
    }

   private:
    UnsyncedFiles& files_;
    std::string path_;
    std::shared_ptr<Node> node_;
  };

  class Whole : public ports::NewFile {
   public:
    Whole(UnsyncedFiles& files, std::string path, unsigned mode)
        : files_(files), path_(std::move(path)), mode_(mode) {}
    Status Append(std::string_view bytes) override {
      if (const Error* error = files_.fuse_.Pass("append " + path_)) return Fail(*error);
      bytes_ += bytes;
      return {};
    }
    Status Commit() override { return files_.Create(path_, bytes_, mode_); }

   private:
    UnsyncedFiles& files_;
    std::string path_;
    std::string bytes_;
    unsigned mode_;
  };

  class HeldLock : public ports::FileLock {
   public:
    HeldLock(UnsyncedFiles& files, std::string path)
        : files_(files), path_(std::move(path)), boot_(files.boot_) {}
    ~HeldLock() override {
      if (boot_ == files_.boot_) files_.locks_.erase(path_);
    }
    HeldLock(const HeldLock&) = delete;
    HeldLock& operator=(const HeldLock&) = delete;

   private:
    UnsyncedFiles& files_;
    std::string path_;
    int boot_;
  };

  static std::string Parent(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
  }
  static tl::unexpected<Error> Missing(const std::string& path) {
    return Fail(ErrorCode::kFileRead, path + ": No such file or directory");
  }

  // Temp file, fsync, rename, fsync of the folder.
  Status Write(const std::string& path, std::string_view bytes, unsigned mode) {
    if (!folders_.contains(Parent(path))) return Missing(Parent(path));
    if (const Error* error = fuse_.Pass("write " + path)) return Fail(*error);
    auto node = std::make_shared<Node>();
    node->bytes = bytes;
    node->mode = mode;
    if (const Error* error = fuse_.Pass("sync " + path)) return Fail(*error);
    node->durable = node->bytes;
    if (const Error* error = fuse_.Pass("rename " + path)) return Fail(*error);
    names_[path] = std::move(node);
    return SyncFolderOf(path);
  }

  Status SyncFolderOf(const std::string& path) {
    const std::string folder = Parent(path);
    if (const Error* error = fuse_.Pass("sync-folder " + folder)) return Fail(*error);
    std::erase_if(durable_names_, [&](const auto& item) { return Parent(item.first) == folder; });
    for (const auto& [at, node] : names_) {
      if (Parent(at) == folder) durable_names_[at] = node;
    }
    return {};
  }

  Fuse& fuse_;
  Names names_;
  Names durable_names_;
  std::set<std::string> folders_;
  std::map<std::string, std::string> locks_;
  std::map<std::string, std::string> not_replaceable_;
  std::uint64_t free_bytes_ = 10ull << 30;
  int boot_ = 0;
};

}  // namespace mu::fakes
