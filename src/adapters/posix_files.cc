// SPDX-License-Identifier: Apache-2.0
#include "adapters/posix_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "adapters/descriptor.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

namespace fs = std::filesystem;

ErrorCode CodeOf(int error, ErrorCode otherwise) {
  if (error == ENOSPC || error == EDQUOT) return ErrorCode::kDiskFull;
  if (error == EROFS) return ErrorCode::kReadOnly;
  return otherwise;
}

tl::unexpected<Error> FailPath(const std::string& path, int error, ErrorCode otherwise,
                               std::string_view verb) {
  return Fail(CodeOf(error, otherwise),
              fmt::format("{}: cannot {}: {}", path, verb, std::strerror(error)));
}
tl::unexpected<Error> FailRead(const std::string& path, int error) {
  return FailPath(path, error, ErrorCode::kFileRead, "read");
}
tl::unexpected<Error> FailWrite(const std::string& path, int error,
                                std::string_view verb = "write") {
  return FailPath(path, error, ErrorCode::kFileWrite, verb);
}

int Open(const std::string& path, int flags, unsigned mode = 0) {
  int number = -1;
  do {
    number = ::open(path.c_str(), flags | O_CLOEXEC, static_cast<mode_t>(mode));
  } while (number < 0 && errno == EINTR);
  return number;
}

// 0 or errno.
int WriteAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

std::string FolderOf(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// Some file systems cannot sync a folder (EINVAL): they have nothing to lose there.
Status SyncFolder(const std::string& folder) {
  const Descriptor file(Open(folder, O_RDONLY | O_DIRECTORY));
  if (!file.IsOpen()) return FailPath(folder, errno, ErrorCode::kFileSync, "open to sync");
  if (::fsync(file.Get()) != 0 && errno != EINVAL)
    return FailPath(folder, errno, ErrorCode::kFileSync, "sync");
  return {};
}

// Where a path leads: links are followed, also to a target that is not there yet.
std::string Target(std::string path) {
  for (int i = 0; i < 40; ++i) {
    std::error_code error;
    const fs::path link = fs::read_symlink(path, error);
    if (error) break;
    path = link.is_absolute() ? link.string() : (fs::path(path).parent_path() / link).string();
  }
  return path;
}

// A file beside its final place that is gone again unless it was moved there.
class TempFile {
 public:
  explicit TempFile(const std::string& final_path)
      : path_(FolderOf(final_path) + "/." + fs::path(final_path).filename().string() +
              ".mu-XXXXXX"),
        file_(::mkostemp(path_.data(), O_CLOEXEC)) {}
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() {
    if (file_.IsOpen() && !is_moved_) ::unlink(path_.c_str());
  }

  bool IsOpen() const { return file_.IsOpen(); }
  Status Append(const std::string& name, std::string_view bytes) {
    if (const int error = WriteAll(file_.Get(), bytes)) return FailWrite(name, error);
    return {};
  }
  // `owner` is that of the file to replace, nullptr for a new one.
  Status Finish(const std::string& name, unsigned mode, const struct stat* owner) {
    if (owner != nullptr && (owner->st_uid != ::geteuid() || owner->st_gid != ::getegid()) &&
        ::fchown(file_.Get(), owner->st_uid, owner->st_gid) != 0)
      return FailWrite(name, errno, "keep its owner");
    if (::fchmod(file_.Get(), static_cast<mode_t>(mode)) != 0)
      return FailWrite(name, errno, "set its mode");
    if (::fsync(file_.Get()) != 0) return FailPath(name, errno, ErrorCode::kFileSync, "sync");
    return {};
  }
  const char* Path() const { return path_.c_str(); }
  void Moved() { is_moved_ = true; }

 private:
  std::string path_;
  Descriptor file_;
  bool is_moved_ = false;
};

class PosixNewFile final : public ports::NewFile {
 public:
  PosixNewFile(std::string path, unsigned mode)
      : path_(std::move(path)), mode_(mode), temp_(path_) {}
  bool IsOpen() const { return temp_.IsOpen(); }
  Status Append(std::string_view bytes) override { return temp_.Append(path_, bytes); }
  Status Commit() override {
    MU_CHECK(temp_.Finish(path_, mode_, nullptr));
    if (::renameat2(AT_FDCWD, temp_.Path(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0) {
      temp_.Moved();
      return SyncFolder(FolderOf(path_));
    }
    // File systems without the flag: the temporary name goes when this object does.
    const bool has_flag = errno != EINVAL && errno != ENOSYS;
    if (has_flag || ::link(temp_.Path(), path_.c_str()) != 0)
      return FailWrite(path_, errno, "create");
    return SyncFolder(FolderOf(path_));
  }

 private:
  std::string path_;
  unsigned mode_;
  TempFile temp_;
};

class PosixAppendFile final : public ports::AppendFile {
 public:
  PosixAppendFile(std::string path, Descriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}
  Status Append(std::string_view bytes) override {
    if (const int error = WriteAll(file_.Get(), bytes)) return FailWrite(path_, error);
    return {};
  }
  Status Reserve(std::uint64_t bytes) override {
    struct stat facts = {};
    if (::fstat(file_.Get(), &facts) != 0) return FailWrite(path_, errno);
    const int failed =
        ::fallocate(file_.Get(), FALLOC_FL_KEEP_SIZE, facts.st_size, static_cast<off_t>(bytes));
    return failed != 0 && errno == ENOSPC ? FailWrite(path_, errno, "take room for") : Status();
  }
  Status Sync() override {
    if (::fsync(file_.Get()) != 0)
      return Fail(ErrorCode::kFileSync,
                  fmt::format("{}: cannot sync: {}", path_, std::strerror(errno)));
    return {};
  }

 private:
  std::string path_;
  Descriptor file_;
};

class PosixFileLock final : public ports::FileLock {
 public:
  explicit PosixFileLock(Descriptor file) : file_(std::move(file)) {}
  ~PosixFileLock() override {
    if (::ftruncate(file_.Get(), 0) != 0) {
      // The text is information only; the lock itself ends with the descriptor.
    }
  }

 private:
  Descriptor file_;
};

// chattr +i or +a. File systems without flags say so by an error: nothing is in the way then.
bool IsFrozen(const std::string& path) {
  const Descriptor file(Open(path, O_RDONLY | O_NONBLOCK));
  int flags = 0;
  return file.IsOpen() && ::ioctl(file.Get(), FS_IOC_GETFLAGS, &flags) == 0 &&
         (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) != 0;
}

bool IsInGroup(gid_t group) {
  if (group == ::getegid()) return true;
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  return count > 0 && std::find(groups.begin(), groups.end(), group) != groups.end();
}

int TryLock(int file, int kind) {
  int failed = 0;
  do {
    failed = ::flock(file, kind | LOCK_NB);
  } while (failed != 0 && errno == EINTR);
  return failed;
}

}  // namespace

bool IsMountPoint(std::string_view mountinfo, std::string_view path) {
  // Field 5 is the mount point; space, tab, newline and backslash are written as octal (proc(5)).
  for (const std::string& line : Lines(mountinfo)) {
    const std::vector<std::string> fields = Split(line, ' ');
    if (fields.size() < 5) continue;
    std::string point;
    const std::string& escaped = fields[4];
    for (std::size_t i = 0; i < escaped.size(); ++i) {
      if (escaped[i] == '\\' && i + 3 < escaped.size()) {
        point += static_cast<char>(std::strtol(escaped.substr(i + 1, 3).c_str(), nullptr, 8));
        i += 3;
      } else {
        point += escaped[i];
      }
    }
    if (point == path) return true;
  }
  return false;
}

Status PosixFiles::ReadParts(const std::string& path,
                             const std::function<Status(std::string_view)>& take) {
  const Descriptor file(Open(path, O_RDONLY));
  if (!file.IsOpen()) return FailRead(path, errno);
  std::string buffer(256 << 10, '\0');
  for (;;) {
    const ssize_t n = ::read(file.Get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailRead(path, errno);
    if (n == 0) return {};
    MU_CHECK(take(std::string_view(buffer.data(), static_cast<std::size_t>(n))));
  }
}

Result<std::string> PosixFiles::Read(const std::string& path) {
  std::string bytes;
  MU_CHECK(ReadParts(path, [&](std::string_view part) -> Status {
    bytes += part;
    return {};
  }));
  return bytes;
}

Result<std::optional<ports::FileFacts>> PosixFiles::Stat(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return FailRead(path, errno);
  }
  ports::FileFacts found;
  found.is_folder = S_ISDIR(facts.st_mode);
  found.is_writable = ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
  found.bytes = static_cast<std::uint64_t>(facts.st_size);
  found.mode = facts.st_mode & 07777;
  std::error_code error;  // of what is no link
  found.link_target = fs::read_symlink(path, error).string();
  return found;
}

Result<std::vector<std::string>> PosixFiles::List(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    names.push_back(it->path().filename().string());
  if (error) return FailRead(folder, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

Status PosixFiles::Replace(const std::string& path, std::string_view bytes, unsigned mode) {
  const std::string target = Target(path);
  struct stat old {};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  if (!exists && errno != ENOENT) return FailWrite(path, errno);
  if (exists && !S_ISREG(old.st_mode))
    return Fail(ErrorCode::kFileWrite, fmt::format("{} is not a regular file", path));
  TempFile temp(target);
  if (!temp.IsOpen()) return FailWrite(path, errno, "write beside it");
  MU_CHECK(temp.Append(path, bytes));
  MU_CHECK(temp.Finish(path, exists ? old.st_mode & 07777 : mode, exists ? &old : nullptr));
  if (::rename(temp.Path(), target.c_str()) != 0) return FailWrite(path, errno, "replace it");
  temp.Moved();
  return SyncFolder(FolderOf(target));
}

Status PosixFiles::Create(const std::string& path, std::string_view bytes, unsigned mode) {
  MU_TRY(const auto file, BeginNew(path, mode));
  MU_CHECK(file->Append(bytes));
  return file->Commit();
}

Result<std::unique_ptr<ports::NewFile>> PosixFiles::BeginNew(const std::string& path,
                                                             unsigned mode) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) == 0) return FailWrite(path, EEXIST, "create");
  auto file = std::make_unique<PosixNewFile>(path, mode);
  if (!file->IsOpen()) return FailWrite(path, errno, "write beside it");
  return file;
}

Result<std::string> PosixFiles::WhyNotReplaceable(const std::string& path) {
  char resolved[PATH_MAX];
  struct stat file {};
  struct stat folder {};
  if (::realpath(path.c_str(), resolved) == nullptr || ::stat(resolved, &file) != 0)
    return FailRead(path, errno);
  const std::string target = resolved;
  const std::string parent = FolderOf(target);
  if (::stat(parent.c_str(), &folder) != 0) return FailRead(parent, errno);

  if (!S_ISREG(file.st_mode)) return fmt::format("{} is not a regular file", target);
  const auto mounts = Read("/proc/self/mountinfo");
  if (mounts && IsMountPoint(*mounts, target))
    return fmt::format(
        "{} is itself a mount point (a bind mount of one file), which cannot be renamed over: run "
        "where its folder is mounted",
        target);
  if (::faccessat(AT_FDCWD, parent.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    return fmt::format("the folder {} cannot be written: {}", parent, std::strerror(errno));
  if (IsFrozen(target))
    return fmt::format("{} has the immutable or append-only attribute (lsattr)", target);
  if (IsFrozen(parent))
    return fmt::format("the folder {} has the immutable or append-only attribute (lsattr)", parent);
  const uid_t us = ::geteuid();
  if (us == 0) return std::string();
  if ((folder.st_mode & S_ISVTX) != 0 && file.st_uid != us && folder.st_uid != us)
    return fmt::format("the folder {} is sticky and {} belongs to user {}", parent, target,
                       file.st_uid);
  if (file.st_uid != us || !IsInGroup(file.st_gid))
    return fmt::format("{} belongs to {}:{}, which only root could give to the new file", target,
                       file.st_uid, file.st_gid);
  return std::string();
}

Status PosixFiles::MakeFolders(const std::string& path, unsigned mode) {
  std::string made;
  for (const fs::path& part : fs::path(Absolute(path))) {
    made = made.empty() ? part.string() : (fs::path(made) / part).string();
    if (::mkdir(made.c_str(), static_cast<mode_t>(mode)) == 0) {
      MU_CHECK(SyncFolder(FolderOf(made)));
      continue;
    }
    const int error = errno;
    struct stat facts {};
    if (::stat(made.c_str(), &facts) != 0) return FailWrite(made, error, "make the folder");
    if (!S_ISDIR(facts.st_mode)) return FailWrite(made, ENOTDIR, "make the folder");
  }
  return {};
}

Result<std::unique_ptr<ports::AppendFile>> PosixFiles::OpenAppend(const std::string& path,
                                                                  unsigned mode) {
  const bool is_new = ::access(path.c_str(), F_OK) != 0;
  Descriptor file(Open(path, O_WRONLY | O_APPEND | O_CREAT, mode));
  if (!file.IsOpen()) return FailWrite(path, errno, "open");
  if (is_new) MU_CHECK(SyncFolder(FolderOf(path)));
  return std::make_unique<PosixAppendFile>(path, std::move(file));
}

Status PosixFiles::Truncate(const std::string& path, std::uint64_t bytes) {
  const Descriptor file(Open(path, O_WRONLY));
  if (!file.IsOpen()) return FailWrite(path, errno, "open");
  if (::ftruncate(file.Get(), static_cast<off_t>(bytes)) != 0) return FailWrite(path, errno, "cut");
  if (::fsync(file.Get()) != 0)
    return Fail(ErrorCode::kFileSync,
                fmt::format("{}: cannot sync: {}", path, std::strerror(errno)));
  return {};
}

Status PosixFiles::RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return FailWrite(path, error.value(), "remove");
  return {};
}

Result<std::unique_ptr<ports::FileLock>> PosixFiles::Lock(const std::string& path,
                                                          std::string_view holder) {
  Descriptor file(Open(path, O_RDWR | O_CREAT, 0600));
  if (!file.IsOpen()) return FailWrite(path, errno, "open");
  int failed = TryLock(file.Get(), LOCK_EX);
  // IsLocked of another process holds it for a moment.
  for (int tries = 0; failed != 0 && errno == EWOULDBLOCK && tries < 10; ++tries) {
    ::usleep(5'000);
    failed = TryLock(file.Get(), LOCK_EX);
  }
  if (failed != 0 && errno == EWOULDBLOCK) {
    const auto text = Read(path);
    const std::string words = text ? Printable(Trim(*text)) : "";
    return Fail(ErrorCode::kLocked,
                fmt::format("{} is held by {}", path, words.empty() ? "another process" : words));
  }
  if (failed != 0) return FailWrite(path, errno, "lock");
  if (::ftruncate(file.Get(), 0) != 0) return FailWrite(path, errno);
  if (const int error = WriteAll(file.Get(), holder)) return FailWrite(path, error);
  return std::make_unique<PosixFileLock>(std::move(file));
}

Result<bool> PosixFiles::IsLocked(const std::string& path) {
  const Descriptor file(Open(path, O_RDONLY));
  if (!file.IsOpen() && errno == ENOENT) return false;
  if (!file.IsOpen()) return FailRead(path, errno);
  if (TryLock(file.Get(), LOCK_SH) == 0) return false;  // released with the descriptor
  if (errno == EWOULDBLOCK) return true;
  return FailRead(path, errno);
}

Result<std::uint64_t> PosixFiles::FreeBytes(const std::string& path) {
  struct statvfs facts {};
  for (std::string place = Absolute(path);; place = FolderOf(place)) {
    if (::statvfs(place.c_str(), &facts) == 0) break;
    if ((errno != ENOENT && errno != ENOTDIR) || place == "/") return FailRead(place, errno);
  }
  return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

std::string PosixFiles::Absolute(const std::string& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path.empty() ? "." : path, error);
  std::string text = (error ? fs::path(path) : absolute).lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

Result<std::string> PosixFiles::Sha256Of(const std::string& path) {
  Sha256Stream stream;
  MU_CHECK(ReadParts(path, [&](std::string_view part) -> Status {
    stream.Update(part);
    return {};
  }));
  return stream.Finish();
}

}  // namespace mu::adapters
