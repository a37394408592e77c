// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/backup/backup_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace mu::backup {
namespace {

// Written by the real migration tool from a real Milvus 2.1.0 (172 keys below by-dev/, 4 of them
// not below by-dev/meta).
std::string RealFile() {
  std::ifstream file(std::string(MU_TEST_DATA) + "/milvus-2.1-to-2.2/tool.bak", std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::string SmallFile() {
  return Format({"by-dev", "meta", 2, "etcd", "{}"},
                {{"by-dev/meta/a", "1"}, {"by-dev/meta/b", std::string("\0\xFF", 2)}});
}

TEST(BackupFile, ReadsWhatTheRealToolWrote) {
  const auto contents = Parse(RealFile());
  ASSERT_TRUE(contents) << contents.error().Text();
  EXPECT_EQ(contents->header.instance, "by-dev");
  EXPECT_EQ(contents->header.meta_path, "meta");
  EXPECT_EQ(contents->header.extra, R"({"entry_include_root_path":true})");
  EXPECT_EQ(contents->entries.size(), 168u);
  EXPECT_TRUE(
      std::all_of(contents->entries.begin(), contents->entries.end(),
                  [](const Entry& entry) { return entry.key.starts_with("by-dev/meta/"); }));
}

TEST(BackupFile, WritesTheSameBytesAsTheRealTool) {
  const std::string bytes = RealFile();
  const auto contents = Parse(bytes);
  ASSERT_TRUE(contents);
  EXPECT_EQ(Format(contents->header, contents->entries), bytes);
}

TEST(BackupFile, KeepsEmptyAndBinaryValues) {
  const std::vector<Entry> entries = {{"k", ""}, {"\xFF\xFE", std::string("\0a\0", 3)}};
  const auto contents = Parse(Format({"i", "m", 2, "etcd", ""}, entries));
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->entries, entries);
}

TEST(BackupFile, RefusesAFileCutAtAnyByte) {
  const std::string bytes = SmallFile();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto contents = Parse(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(contents) << size;
    EXPECT_EQ(contents.error().code, ErrorCode::kBackupBad);
  }
}

TEST(BackupFile, RefusesBytesAfterTheEnd) {
  EXPECT_FALSE(Parse(SmallFile() + "x"));
  EXPECT_FALSE(Parse(SmallFile() + FormatEntry({"by-dev/meta/c", "3"})));
}

TEST(BackupFile, ReadsTheSameInPartsOfAnySize) {
  const std::string bytes = RealFile();
  const auto whole = Parse(bytes);
  ASSERT_TRUE(whole);
  for (const std::size_t size : {1, 7, 8, 9, 1000, 1 << 20}) {
    std::vector<Entry> entries;
    Decoder decoder([](const Header&) -> Status { return {}; },
                    [&](Entry entry) -> Status {
                      entries.push_back(std::move(entry));
                      return {};
                    });
    for (std::size_t at = 0; at < bytes.size(); at += size)
      ASSERT_TRUE(decoder.Feed(std::string_view(bytes).substr(at, size)));
    ASSERT_TRUE(decoder.Finish());
    EXPECT_EQ(entries, whole->entries) << size;
  }
}

TEST(BackupFile, ADamagedLengthIsSaidAtOnce) {
  Decoder decoder([](const Header&) -> Status { return {}; },
                  [](const Entry&) -> Status { return {}; });
  const auto fed = decoder.Feed(std::string(8, '\x7f') + "x");
  ASSERT_FALSE(fed);
  EXPECT_NE(fed.error().message.find("at byte 0: the header"), std::string::npos)
      << fed.error().message;
}

TEST(BackupFile, NamesTheByteAndTheEntry) {
  const std::string bytes = SmallFile();
  const auto contents = Parse(std::string_view(bytes).substr(0, bytes.size() - 1));
  ASSERT_FALSE(contents);
  EXPECT_NE(contents.error().message.find("entry 2"), std::string::npos)
      << contents.error().message;
}

// A flipped bit in a value cannot be seen here (the SHA-256 beside the file does that); one in a
// length or tag must not be taken for the same content.
TEST(BackupFile, NeverTakesAFlippedBitForTheSameContent) {
  const std::string bytes = SmallFile();
  const auto good = Parse(bytes);
  ASSERT_TRUE(good);
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string flipped = bytes;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    const auto contents = Parse(flipped);
    if (!contents) continue;
    EXPECT_FALSE(contents->entries == good->entries && contents->header == good->header)
        << "bit " << i;
  }
}

}  // namespace
}  // namespace mu::backup
