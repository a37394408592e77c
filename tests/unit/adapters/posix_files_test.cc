// SPDX-License-Identifier: Apache-2.0
#include "adapters/posix_files.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "milvus_upgrade/base/digest.h"
#include "unit/adapters/scratch.h"

namespace mu::adapters {
namespace {

using test::Scratch;
using test::Slurp;
using test::Spill;

unsigned ModeOf(const std::string& path) {
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 07777;
}

// Runs `body` in a child of its own user or mounts; its return value is the exit code.
int InChild(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

TEST(PosixFiles, ReplacesTheBytesAndKeepsTheMode) {
  Scratch scratch;
  PosixFiles files;
  const std::string path = scratch.Path("a.yml");
  Spill(path, "old");
  ::chmod(path.c_str(), 0640);
  ASSERT_TRUE(files.Replace(path, std::string_view("new\0bytes", 9), 0600));
  EXPECT_EQ(Slurp(path), std::string("new\0bytes", 9));
  EXPECT_EQ(ModeOf(path), 0640u);
  ASSERT_TRUE(files.Replace(scratch.Path("b"), "x", 0600));
  EXPECT_EQ(ModeOf(scratch.Path("b")), 0600u);
  EXPECT_EQ(*files.List(scratch.Path("")), (std::vector<std::string>{"a.yml", "b", "bin"}));
}

TEST(PosixFiles, KeepsTheOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  Scratch scratch;
  const std::string path = scratch.Path("a");
  Spill(path, "old");
  ASSERT_EQ(::chown(path.c_str(), 1234, 4321), 0);
  ::chmod(path.c_str(), 04755);
  ASSERT_TRUE(PosixFiles().Replace(path, "new", 0600));
  struct stat facts {};
  ::stat(path.c_str(), &facts);
  EXPECT_EQ(facts.st_uid, 1234u);
  EXPECT_EQ(facts.st_gid, 4321u);
  EXPECT_EQ(ModeOf(path), 04755u);
}

TEST(PosixFiles, ReplacesTheTargetOfASymlink) {
  Scratch scratch;
  PosixFiles files;
  std::filesystem::create_directory(scratch.Path("real"));
  Spill(scratch.Path("real/a"), "old");
  ASSERT_EQ(::symlink("real/a", scratch.Path("link").c_str()), 0);
  ASSERT_TRUE(files.Replace(scratch.Path("link"), "new", 0600));
  EXPECT_TRUE(std::filesystem::is_symlink(scratch.Path("link")));
  EXPECT_EQ(Slurp(scratch.Path("real/a")), "new");
  ASSERT_EQ(::symlink("real/later", scratch.Path("dangling").c_str()), 0);
  ASSERT_TRUE(files.Replace(scratch.Path("dangling"), "x", 0600));
  EXPECT_EQ(Slurp(scratch.Path("real/later")), "x");
}

TEST(PosixFiles, LeavesTheOldFileAndNoRestWhenTheDiskIsFull) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  Scratch scratch;
  const std::string small = scratch.Path("small");
  std::filesystem::create_directory(small);
  if (::mount("none", small.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "cannot mount";
  Spill(small + "/a", "old");
  PosixFiles files;
  const auto status = files.Replace(small + "/a", std::string(200'000, 'x'), 0600);
  const auto names = files.List(small);
  const std::string kept = Slurp(small + "/a");
  const auto appended =
      (*files.OpenAppend(small + "/journal", 0600))->Append(std::string(200'000, 'x'));
  ::mount("none", small.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr);
  const auto read_only = files.Replace(small + "/a", "new", 0600);
  const auto why = files.WhyNotReplaceable(small + "/a");
  ::umount2(small.c_str(), MNT_DETACH);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kDiskFull);
  EXPECT_NE(status.error().message.find(small + "/a: cannot write: No space left"),
            std::string::npos);
  EXPECT_EQ(*names, std::vector<std::string>{"a"});
  EXPECT_EQ(kept, "old");
  EXPECT_EQ(appended.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(read_only.error().code, ErrorCode::kReadOnly);
  EXPECT_NE(why->find("Read-only file system"), std::string::npos);
}

TEST(PosixFiles, CreatesOnlyWhatIsNotThere) {
  Scratch scratch;
  PosixFiles files;
  ASSERT_TRUE(files.Create(scratch.Path("a"), "one", 0600));
  EXPECT_EQ(ModeOf(scratch.Path("a")), 0600u);
  const auto again = files.Create(scratch.Path("a"), "two", 0600);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kFileWrite);
  EXPECT_EQ(Slurp(scratch.Path("a")), "one");
  EXPECT_EQ(files.List(scratch.Path(""))->size(), 2u);
}

TEST(PosixFiles, SaysWhyAFileCannotBeReplaced) {
  Scratch scratch;
  PosixFiles files;
  const std::string path = scratch.Path("a");
  Spill(path, "x");
  EXPECT_EQ(*files.WhyNotReplaceable(path), "");
  EXPECT_FALSE(files.WhyNotReplaceable(scratch.Path("none")));
  EXPECT_NE(files.WhyNotReplaceable(scratch.Path("bin"))->find("not a regular file"),
            std::string::npos);
}

TEST(PosixFiles, SeesThatABindMountedFileCannotBeRenamedOver) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  Scratch scratch;
  const std::string path = scratch.Path("with space");
  Spill(path, "x");
  Spill(scratch.Path("other"), "y");
  if (::mount(scratch.Path("other").c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << "cannot mount";
  const auto why = PosixFiles().WhyNotReplaceable(path);
  const auto status = PosixFiles().Replace(path, "new", 0600);  // what it warns of
  ::umount2(path.c_str(), MNT_DETACH);
  EXPECT_NE(why->find("mount point"), std::string::npos) << *why;
  EXPECT_EQ(status.error().code, ErrorCode::kFileWrite);
}

TEST(PosixFiles, SeesFoldersAndFilesOfOthers) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  Scratch scratch;
  PosixFiles files;
  Spill(scratch.Path("a"), "x");
  std::filesystem::create_directory(scratch.Path("open"));
  Spill(scratch.Path("open/b"), "x");
  ::chmod(scratch.Path("").c_str(), 0755);
  ::chmod(scratch.Path("open").c_str(), 0777);
  ::chmod(scratch.Path("open/b").c_str(), 0666);
  EXPECT_EQ(InChild([&] {
              if (::setgid(4321) != 0 || ::setuid(1234) != 0) return 1;
              const auto folder = files.WhyNotReplaceable(scratch.Path("a"));
              if (!folder || folder->find("cannot be written: Permission") == std::string::npos)
                return 2;
              const auto owner = files.WhyNotReplaceable(scratch.Path("open/b"));
              if (!owner || owner->find("belongs to 0:0") == std::string::npos) return 3;
              if (files.Replace(scratch.Path("open/b"), "new", 0600)) return 4;
              return files.Stat(scratch.Path("a")).value()->is_writable ? 5 : 0;
            }),
            0);
  EXPECT_EQ(Slurp(scratch.Path("open/b")), "x");
}

TEST(PosixFiles, FindsMountPointsWithEscapes) {
  const std::string info =
      "22 1 0:21 / / rw - overlay overlay rw\n"
      "40 22 0:33 /x /srv/my\\040stack/a.yml rw,relatime - ext4 /dev/sda rw\n";
  EXPECT_TRUE(IsMountPoint(info, "/srv/my stack/a.yml"));
  EXPECT_FALSE(IsMountPoint(info, "/srv/my stack"));
  EXPECT_FALSE(IsMountPoint("garbage\n\n", "/"));
}

TEST(PosixFiles, ReadsStatsAndListsWithClearErrors) {
  Scratch scratch;
  PosixFiles files;
  EXPECT_EQ(files.Read(scratch.Path("none")).error().message,
            scratch.Path("none") + ": cannot read: No such file or directory");
  EXPECT_EQ(files.Read(scratch.Path("bin")).error().message,
            scratch.Path("bin") + ": cannot read: Is a directory");
  EXPECT_EQ(*files.Stat(scratch.Path("none")), std::nullopt);
  EXPECT_TRUE((*files.Stat(scratch.Path("bin")))->is_folder);
  EXPECT_EQ(files.List(scratch.Path("none")).error().code, ErrorCode::kFileRead);
  Spill(scratch.Path("a"), "abc");
  EXPECT_EQ((*files.Stat(scratch.Path("a")))->bytes, 3u);
  EXPECT_EQ(*files.Sha256Of(scratch.Path("a")), Sha256("abc"));
}

TEST(PosixFiles, AppendsAndCuts) {
  Scratch scratch;
  PosixFiles files;
  const std::string path = scratch.Path("journal");
  {
    auto file = files.OpenAppend(path, 0600);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->Append("one\n"));
    ASSERT_TRUE((*file)->Sync());
  }
  ASSERT_TRUE((*files.OpenAppend(path, 0600))->Append("two\n"));
  EXPECT_EQ(Slurp(path), "one\ntwo\n");
  EXPECT_EQ(ModeOf(path), 0600u);
  ASSERT_TRUE(files.Truncate(path, 4));
  EXPECT_EQ(Slurp(path), "one\n");
}

TEST(PosixFiles, MakesAndRemovesFolders) {
  Scratch scratch;
  PosixFiles files;
  ASSERT_TRUE(files.MakeFolders(scratch.Path("x/y/z"), 0700));
  ASSERT_TRUE(files.MakeFolders(scratch.Path("x/y/z/"), 0700));
  EXPECT_EQ(ModeOf(scratch.Path("x/y")), 0700u);
  Spill(scratch.Path("f"), "");
  EXPECT_EQ(files.MakeFolders(scratch.Path("f/g"), 0700).error().code, ErrorCode::kFileWrite);
  ASSERT_TRUE(files.RemoveTree(scratch.Path("x")));
  EXPECT_EQ(*files.Stat(scratch.Path("x")), std::nullopt);
}

TEST(PosixFiles, LetsOneHolderIn) {
  Scratch scratch;
  PosixFiles files;
  const std::string path = scratch.Path("lock");
  auto held = files.Lock(path, "pid 12 on here");
  ASSERT_TRUE(held);
  const auto second = files.Lock(path, "me");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
  EXPECT_EQ(second.error().message, path + " is held by pid 12 on here");
  held->reset();
  EXPECT_TRUE(files.Lock(path, "me"));
}

TEST(PosixFiles, KnowsTheSpaceWhereAFolderWillBe) {
  Scratch scratch;
  PosixFiles files;
  const auto here = files.FreeBytes(scratch.Path("not/yet/there"));
  ASSERT_TRUE(here);
  EXPECT_GT(*here, 0u);
}

TEST(PosixFiles, MakesPathsAbsolute) {
  PosixFiles files;
  EXPECT_EQ(files.Absolute("/a/./b/../c/"), "/a/c");
  EXPECT_EQ(files.Absolute("x"), (std::filesystem::current_path() / "x").string());
}

}  // namespace
}  // namespace mu::adapters
