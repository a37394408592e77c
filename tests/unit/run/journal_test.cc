// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/journal.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "fakes/hand_clock.h"
#include "fakes/unsynced_files.h"

namespace mu::run {
namespace {

Record Full() {
  Record record;
  record.seq = 7;
  record.time = "2026-11-25T12:00:00.123Z";
  record.at = Millis(1500);
  record.type = RecordType::kFailed;
  record.phase = "forward";
  record.step = "stop/node";
  record.attempt = 2;
  record.is_skipped = true;
  record.evidence = {{"a", "1"}, {"b", "line\nline \"x\""}};
  record.event = "outage-opened";
  record.exit_code = 137;
  record.argv = {"docker", "stop", "a b"};
  record.took = Millis(42);
  record.error = Error{ErrorCode::kGateTimeout, "why", "what next", {"inner", "outer"}};
  return record;
}

ErrorCode CodeOf(std::string_view journal) {
  const auto contents = ParseJournal(journal);
  return contents ? ErrorCode::kInternal : contents.error().code;
}

std::string Three() {
  std::string text;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    Record record = Full();
    record.seq = i;
    text += FormatRecord(record);
  }
  return text;
}

TEST(JournalFormat, EveryFieldAndTypeComesBack) {
  for (const RecordType type :
       {RecordType::kRunStarted, RecordType::kIntent, RecordType::kDone, RecordType::kFailed,
        RecordType::kCommand, RecordType::kEvent, RecordType::kRunEnded}) {
    Record record = Full();
    record.type = type;
    const auto back = ParseRecord(FormatRecord(record));
    ASSERT_TRUE(back) << back.error().Text();
    EXPECT_EQ(*back, record);
    Record bare;
    bare.seq = 1;
    bare.type = type;
    EXPECT_EQ(*ParseRecord(FormatRecord(bare)), bare);
  }
}

// A child may say anything: its words must not break the journal.
TEST(JournalFormat, MakesTextPrintable) {
  Record record = Full();
  record.evidence["stderr"] = "\x1b[31mred\xFF\x00 end";
  record.argv = {"caf\xE9"};
  record.error->message = "bad \xC0";
  const std::string line = FormatRecord(record);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto back = ParseRecord(line);
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->evidence.at("stderr"), "red\xEF\xBF\xBD");
}

// The lines are the example of docs/journal-format.md.
TEST(JournalFormat, IsAsDocumented) {
  Record intent;
  intent.seq = 2;
  intent.time = "2026-11-25T12:00:00.250Z";
  intent.at = Millis(127);
  intent.type = RecordType::kIntent;
  intent.phase = "forward";
  intent.step = "stop/standalone";
  intent.attempt = 1;
  Record command = intent;
  command.seq = 3;
  command.type = RecordType::kCommand;
  command.attempt = 0;
  command.argv = {"docker", "stop", "--time", "1", "milvus-standalone"};
  command.took = Millis(1180);
  command.at = Millis(1310);
  command.time = "2026-11-25T12:00:01.433Z";
  Record done = command;
  done.seq = 4;
  done.type = RecordType::kDone;
  done.argv.clear();
  done.evidence = {{"milvus-standalone", "exited (0)"}};
  done.at = Millis(1342);
  done.time = "2026-11-25T12:00:01.465Z";
  done.took = Millis(1215);
  const std::string example = FormatRecord(intent) + FormatRecord(command) + FormatRecord(done);
  std::ifstream file(MU_SOURCE_DIR "/docs/journal-format.md");
  std::ostringstream document;
  document << file.rdbuf();
  EXPECT_NE(document.str().find("```json\n" + example + "```\n"), std::string::npos) << example;
}

TEST(JournalFormat, KnowsTheStandardChecksum) {
  // As zlib.crc32 in Python says of what follows the checksum.
  const std::string line = R"({"crc":"d37d9909","seq":1,"time":"","at_ms":0,"type":"event"})";
  const auto record = ParseRecord(line);
  ASSERT_TRUE(record) << record.error().Text();
  EXPECT_EQ(record->seq, 1u);
}

TEST(ParseJournal, EveryCutLeavesTheWholeRecordsBeforeIt) {
  const std::string text = Three();
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const auto contents = ParseJournal(std::string_view(text).substr(0, size));
    ASSERT_TRUE(contents) << size;
    EXPECT_LE(contents->good_bytes, size);
    EXPECT_EQ(contents->has_torn_tail, contents->good_bytes != size);
    EXPECT_EQ(contents->records.size(), size == text.size() ? 3u : size * 3 / text.size());
  }
}

TEST(ParseJournal, EveryFlippedBitIsSeen) {
  const std::string text = Three();
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      const auto contents = ParseJournal(flipped);
      if (!contents) {
        EXPECT_EQ(contents.error().code, ErrorCode::kJournalDamaged);
        continue;
      }
      // Only a last line that has lost its end, or got a zero, passes for a torn one.
      EXPECT_TRUE(contents->has_torn_tail) << i;
      EXPECT_EQ(contents->records.size(), 2u) << i;
    }
  }
}

TEST(ParseJournal, ZerosAtTheEndAreATornTail) {
  const std::string text = Three();
  const auto contents = ParseJournal(text + std::string(100, '\0'));
  ASSERT_TRUE(contents);
  EXPECT_TRUE(contents->has_torn_tail);
  EXPECT_EQ(contents->records.size(), 3u);
  EXPECT_EQ(contents->good_bytes, text.size());
  EXPECT_EQ(CodeOf(std::string(100, '\0') + "\n" + text), ErrorCode::kJournalDamaged);
}

TEST(ParseJournal, SaysWhereTheDamageIs) {
  const std::string text = Three();
  std::string damaged = text;
  const std::size_t second = text.find('\n') + 1;
  damaged[second + 40] ^= 1;
  const auto contents = ParseJournal(damaged);
  ASSERT_FALSE(contents);
  EXPECT_EQ(contents.error().message,
            fmt::format("line 2 (byte {}): the line's checksum differs", second));
  EXPECT_EQ(CodeOf(text + FormatRecord(Full())), ErrorCode::kJournalDamaged);  // 7 after 3
  EXPECT_EQ(CodeOf("\n"), ErrorCode::kJournalDamaged);
  EXPECT_EQ(CodeOf("not a journal\n"), ErrorCode::kJournalDamaged);
}

TEST(ParseJournal, RefusesANewerJournal) {
  Record started;
  started.seq = 1;
  started.type = RecordType::kRunStarted;
  started.evidence = {{"format", "2"}};
  EXPECT_EQ(CodeOf(FormatRecord(started)), ErrorCode::kJournalNewer);
  EXPECT_EQ(ParseRecord(R"({"crc":"e22d5eea","seq":1,"type":"dance"})").error().code,
            ErrorCode::kJournalNewer);
  EXPECT_EQ(ParseRecord(R"({"crc":"022e703c","seq":1,"type":"event","more":1})").error().code,
            ErrorCode::kJournalNewer);
}

class JournalFile : public testing::Test {
 protected:
  JournalFile() { files_.Put("/run/x", ""); }
  std::unique_ptr<Journal> Open() {
    auto journal = Journal::Open(files_, clock_, "/run/j");
    EXPECT_TRUE(journal) << journal.error().Text();
    return *std::move(journal);
  }
  fakes::Fuse fuse_;
  fakes::UnsyncedFiles files_{fuse_};
  fakes::HandClock clock_;
};

TEST_F(JournalFile, AppendsAndReadsBackEqual) {
  {
    auto journal = Open();
    ASSERT_TRUE(Begin(*journal, "abcd"));
    journal->SetStep("stop");
    clock_.Advance(Millis(250));
    CommandLogInto (*journal)({{"docker", "ps"}, 1, Millis(3), "oh\nno", ""});
    ASSERT_TRUE(Finish(*journal, "done", ExitCode::kDone));
    EXPECT_EQ(journal->Records()[1].step, "stop");
    EXPECT_EQ(journal->Records()[1].at, Millis(250));
    EXPECT_EQ(journal->Records()[2].step, "");
    EXPECT_EQ(ParseJournal(*files_.Read("/run/j"))->records, journal->Records());
  }
  EXPECT_EQ(Open()->Records().size(), 3u);
}

TEST_F(JournalFile, TimeGoesOnInTheNextProcess) {
  ASSERT_TRUE(Begin(*Open(), "abcd"));
  clock_.Advance(Millis(90'000));
  auto journal = Open();
  clock_.Advance(Millis(10));
  ASSERT_TRUE(Begin(*journal, "abcd"));
  EXPECT_EQ(journal->Records()[1].at, Millis(90'010));
}

TEST_F(JournalFile, CutsATornTailAndGoesOn) {
  ASSERT_TRUE(Begin(*Open(), "abcd"));
  const std::string whole = *files_.Read("/run/j");
  files_.Put("/run/j", whole + R"({"crc":"12)");
  auto journal = Open();
  EXPECT_EQ(*files_.Read("/run/j"), whole);
  ASSERT_TRUE(Finish(*journal, "done", ExitCode::kDone));
  EXPECT_EQ(ParseJournal(*files_.Read("/run/j"))->records.size(), 2u);
}

TEST_F(JournalFile, AfterOneErrorNothingIsWrittenAnyMore) {
  auto journal = Open();
  ASSERT_TRUE(Begin(*journal, "abcd"));
  fuse_.FailAt(2, Error{ErrorCode::kFileSync, "fsync: Input/output error", "", {}});
  EXPECT_EQ(Begin(*journal, "x").error().code, ErrorCode::kFileSync);
  const int passed = fuse_.Passed();
  EXPECT_EQ(Begin(*journal, "y").error().code, ErrorCode::kFileSync);
  EXPECT_EQ(fuse_.Passed(), passed);
  EXPECT_TRUE(journal->Broken());
  EXPECT_EQ(journal->Records().size(), 1u);
}

TEST_F(JournalFile, AFullDiskLeavesATailThatTheNextProcessCuts) {
  {
    auto journal = Open();
    ASSERT_TRUE(Begin(*journal, "abcd"));
    fuse_.FailAt(1, Error{ErrorCode::kDiskFull, "No space left on device", "", {}});
    EXPECT_EQ(Begin(*journal, "x").error().code, ErrorCode::kDiskFull);
  }
  EXPECT_EQ(Open()->Records().size(), 1u);
}

}  // namespace
}  // namespace mu::run
