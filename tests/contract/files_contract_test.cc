// SPDX-License-Identifier: Apache-2.0
// What the product relies on of ports::Files and ports::Clock, asked of the fakes and of the disk
// and clock of this machine. Power cuts are the fake's alone (tests/unit/run).
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "adapters/posix_files.h"
#include "adapters/system_clock.h"
#include "fakes/hand_clock.h"
#include "fakes/unsynced_files.h"

namespace mu::contract {
namespace {

class Disk {
 public:
  virtual ~Disk() = default;
  virtual ports::Files& Files() = 0;
  virtual ports::Clock& Clock() = 0;
  virtual std::string Folder() = 0;
  virtual bool HasLinks() = 0;
};

class FakeDisk : public Disk {
 public:
  FakeDisk() { (void)files_.MakeFolders(Folder(), 0700); }
  ports::Files& Files() override { return files_; }
  ports::Clock& Clock() override { return clock_; }
  std::string Folder() override { return "/contract"; }
  bool HasLinks() override { return false; }

 private:
  fakes::Fuse fuse_;
  fakes::UnsyncedFiles files_{fuse_};
  fakes::HandClock clock_;
};

class RealDisk : public Disk {
 public:
  RealDisk() {
    std::string name = (std::filesystem::temp_directory_path() / "mu-contract-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~RealDisk() override { std::filesystem::remove_all(folder_); }
  RealDisk(const RealDisk&) = delete;
  RealDisk& operator=(const RealDisk&) = delete;
  ports::Files& Files() override { return files_; }
  ports::Clock& Clock() override { return clock_; }
  std::string Folder() override { return folder_; }
  bool HasLinks() override { return true; }

 private:
  adapters::PosixFiles files_;
  adapters::SystemClock clock_;
  std::string folder_;
};

struct Row {
  std::string name;
  std::function<std::unique_ptr<Disk>()> make;
};

class FilesContract : public testing::TestWithParam<Row> {
 protected:
  ports::Files& Files() { return disk_->Files(); }
  std::string Path(const std::string& name) { return disk_->Folder() + "/" + name; }
  unsigned ModeOf(const std::string& path) { return Files().Stat(path).value()->mode & 0777; }
  std::unique_ptr<Disk> disk_ = GetParam().make();
};

TEST_P(FilesContract, WhatIsWrittenReadsBackByteForByte) {
  const std::string bytes("a\0b\r\n\xff", 6);
  ASSERT_TRUE(Files().Create(Path("a"), bytes, 0600));
  EXPECT_EQ(Files().Read(Path("a")).value(), bytes);
  EXPECT_EQ(ModeOf(Path("a")), 0600U);
  EXPECT_EQ(Files().Stat(Path("a")).value()->bytes, 6U);
  EXPECT_EQ(Files().Sha256Of(Path("a")).value(), Sha256(bytes));
}

TEST_P(FilesContract, CreateNeverOverwrites) {
  ASSERT_TRUE(Files().Create(Path("a"), "first", 0600));
  EXPECT_EQ(Files().Create(Path("a"), "second", 0600).error().code, ErrorCode::kFileWrite);
  EXPECT_EQ(Files().Read(Path("a")).value(), "first");
}

TEST_P(FilesContract, ANewFileIsThereOnlyOnceItIsWhole) {
  {
    const auto file = Files().BeginNew(Path("whole"), 0600);
    ASSERT_TRUE(file) << file.error().Text();
    ASSERT_TRUE((*file)->Append("one "));
    ASSERT_TRUE((*file)->Append("two"));
    EXPECT_FALSE(*Files().Stat(Path("whole"))) << "not before Commit";
    ASSERT_TRUE((*file)->Commit());
  }
  EXPECT_EQ(*Files().Read(Path("whole")), "one two");
  EXPECT_EQ((*Files().Stat(Path("whole")))->mode, 0600U);
  EXPECT_EQ(Files().BeginNew(Path("whole"), 0600).error().code, ErrorCode::kFileWrite);
  {
    const auto file = Files().BeginNew(Path("given-up"), 0600);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->Append("half"));
  }
  {
    const auto late = Files().BeginNew(Path("taken"), 0600);
    ASSERT_TRUE(late);
    ASSERT_TRUE(Files().Create(Path("taken"), "theirs", 0600));
    EXPECT_EQ((*late)->Commit().error().code, ErrorCode::kFileWrite) << "taken meanwhile";
  }
  EXPECT_EQ(*Files().Read(Path("taken")), "theirs");
  EXPECT_EQ(*Files().List(disk_->Folder()), (std::vector<std::string>{"taken", "whole"}));
}

TEST_P(FilesContract, PartsAreTheWholeFileAndEndWithTheReader) {
  const std::string bytes(700'000, 'x');
  ASSERT_TRUE(Files().Create(Path("big"), bytes, 0600));
  std::string read;
  ASSERT_TRUE(Files().ReadParts(Path("big"), [&](std::string_view part) -> Status {
    read += part;
    return {};
  }));
  EXPECT_EQ(read, bytes);
  int parts = 0;
  const auto ended = Files().ReadParts(Path("big"), [&](std::string_view) -> Status {
    ++parts;
    return Fail(ErrorCode::kBackupBad, "enough");
  });
  EXPECT_EQ(ended.error().code, ErrorCode::kBackupBad);
  EXPECT_EQ(parts, 1);
  EXPECT_EQ(
      Files().ReadParts(Path("none"), [](std::string_view) -> Status { return {}; }).error().code,
      ErrorCode::kFileRead);
}

TEST_P(FilesContract, ReplaceKeepsTheModeAndLeavesNothingBeside) {
  ASSERT_TRUE(Files().Create(Path("a"), "old", 0640));
  ASSERT_TRUE(Files().Replace(Path("a"), "new", 0600));
  EXPECT_EQ(Files().Read(Path("a")).value(), "new");
  EXPECT_EQ(ModeOf(Path("a")), 0640U);
  ASSERT_TRUE(Files().Replace(Path("b"), "fresh", 0604));
  EXPECT_EQ(ModeOf(Path("b")), 0604U);
  EXPECT_EQ(Files().List(disk_->Folder()).value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(Files().WhyNotReplaceable(Path("a")).value(), "");
}

TEST_P(FilesContract, ReplaceGoesThroughALink) {
  if (!disk_->HasLinks()) GTEST_SKIP() << "the fake has no links";
  ASSERT_TRUE(Files().Create(Path("target"), "old", 0600));
  std::filesystem::create_symlink("target", Path("link"));
  EXPECT_EQ((*Files().Stat(Path("link")))->link_target, "target");
  EXPECT_EQ((*Files().Stat(Path("target")))->link_target, "");
  ASSERT_TRUE(Files().Replace(Path("link"), "new", 0600));
  EXPECT_TRUE(std::filesystem::is_symlink(Path("link")));
  EXPECT_EQ(Files().Read(Path("target")).value(), "new");
}

TEST_P(FilesContract, WhatIsNotThere) {
  EXPECT_EQ(Files().Read(Path("a")).error().code, ErrorCode::kFileRead);
  EXPECT_NE(Files().Read(Path("a")).error().message.find(Path("a")), std::string::npos);
  ASSERT_TRUE(Files().Stat(Path("a")));
  EXPECT_FALSE(Files().Stat(Path("a")).value());
  EXPECT_FALSE(Files().List(Path("a")));
  EXPECT_FALSE(Files().Sha256Of(Path("a")));
  EXPECT_FALSE(Files().Create(Path("no/folder"), "x", 0600));
}

TEST_P(FilesContract, FoldersAreMadeWholeAndAgain) {
  ASSERT_TRUE(Files().MakeFolders(Path("a/b/c"), 0700));
  ASSERT_TRUE(Files().MakeFolders(Path("a/b/c"), 0700));
  EXPECT_TRUE(Files().Stat(Path("a/b/c")).value()->is_folder);
  ASSERT_TRUE(Files().Create(Path("a/b/f"), "x", 0600));
  EXPECT_EQ(Files().List(Path("a/b")).value(), (std::vector<std::string>{"c", "f"}));
  ASSERT_TRUE(Files().RemoveTree(Path("a")));
  EXPECT_FALSE(Files().Stat(Path("a")).value());
}

TEST_P(FilesContract, AppendingGoesOnWhereItWas) {
  for (const char* line : {"one\n", "two\n"}) {
    auto file = Files().OpenAppend(Path("j"), 0600);
    ASSERT_TRUE(file) << file.error().Text();
    ASSERT_TRUE((*file)->Append(line));
    ASSERT_TRUE((*file)->Sync());
  }
  EXPECT_EQ(Files().Read(Path("j")).value(), "one\ntwo\n");
  EXPECT_EQ(ModeOf(Path("j")), 0600U);
  ASSERT_TRUE(Files().Truncate(Path("j"), 4));
  EXPECT_EQ(Files().Read(Path("j")).value(), "one\n");
}

TEST_P(FilesContract, ALockIsHeldOnceAndEndsWithItsHolder) {
  EXPECT_FALSE(Files().IsLocked(Path("lock")).value()) << "there is no file";
  auto first = Files().Lock(Path("lock"), "pid 1 on here");
  ASSERT_TRUE(first) << first.error().Text();
  EXPECT_TRUE(Files().IsLocked(Path("lock")).value());
  const auto second = Files().Lock(Path("lock"), "pid 2 on here");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
  EXPECT_NE(second.error().message.find("pid 1 on here"), std::string::npos);
  first->reset();
  EXPECT_FALSE(Files().IsLocked(Path("lock")).value());
  EXPECT_TRUE(Files().Lock(Path("lock"), "pid 3 on here"));
}

TEST_P(FilesContract, ThereIsRoomAndPathsAreAbsolute) {
  EXPECT_GT(Files().FreeBytes(disk_->Folder()).value(), 0U);
  EXPECT_EQ(Files().Absolute("x").front(), '/');
  EXPECT_EQ(Files().Absolute(Path("x")), Path("x"));
}

TEST_P(FilesContract, ASleepLastsAndTimeNeverGoesBack) {
  ports::Clock& clock = disk_->Clock();
  const Millis start = clock.Monotonic();
  clock.Sleep(Millis(30));
  EXPECT_GE(clock.Monotonic() - start, Millis(30));
  const std::string wall = clock.WallTime();
  ASSERT_EQ(wall.size(), 24U) << wall;
  EXPECT_EQ(wall[10], 'T');
  EXPECT_EQ(wall[19], '.');
  EXPECT_EQ(wall[23], 'Z');
}

INSTANTIATE_TEST_SUITE_P(Disks, FilesContract,
                         testing::Values(Row{"Fake", [] { return std::make_unique<FakeDisk>(); }},
                                         Row{"Real", [] { return std::make_unique<RealDisk>(); }}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mu::contract
