// SPDX-License-Identifier: Apache-2.0
// What is refused, and what is said, of an etcd that is not well. The same on real servers:
// tests/migrate/members_test.cc.
#include "migrate/etcd_check.h"

#include <gtest/gtest.h>

#include "milvus_upgrade/base/text.h"
#include "unit/migrate/etcd_of_milvus.h"

namespace mu::migrate {
namespace {

class EtcdCheck : public testing::Test {
 protected:
  EtcdCheck() {
    etcd_.members = {{"m0", "http://10.0.0.1:2379", "3.5.16", 0, 0},
                     {"m1", "http://10.0.0.2:2379", "3.5.16", 0, 0},
                     {"m2", "http://10.0.0.3:2379", "3.5.16", 0, 0}};
  }
  Status Check(Use use = Use::kWrite) {
    Patience patience(world_.clock, world_.interrupts, Millis(60'000));
    return CheckEtcd(client_, patience, world_.notes, use);
  }
  std::string Notes() const { return Join(world_.notes.notes, "\n"); }
  // One call, by its name, gets this instead of an answer.
  void Answer(std::string_view call, ErrorCode code, std::string words) {
    client_.before = [=](int, std::string_view name) {
      return name == call ? Status(Fail(code, words)) : Status{};
    };
  }
  static bool Has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  }

  EtcdOfMilvus world_{Real21()};
  fakes::FakeEtcdClient etcd_{world_.store, world_.clock};
  fakes::KillingEtcdClient client_{etcd_};
};

TEST_F(EtcdCheck, AWellEtcdGetsNoWord) {
  EXPECT_TRUE(Check());
  EXPECT_EQ(Notes(), "");
}

TEST_F(EtcdCheck, MembersThatHoldDifferentKeysAreRefusedByName) {
  etcd_.members[1].hash = 1;
  const Status status = Check(Use::kRead);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kEtcdFailed);
  for (const char* name : {"m0", "m1", "m2"}) EXPECT_TRUE(Has(status.error().message, name));
}

TEST_F(EtcdCheck, AMemberAloneIsComparedWithNobody) {
  etcd_.members.resize(1);
  EXPECT_TRUE(Check());
  for (const std::string& name : client_.Names()) EXPECT_NE(name, "hash members");
}

TEST_F(EtcdCheck, AMemberThatDoesNotAnswerIsANote) {
  Answer("hash members", ErrorCode::kEtcdUnreachable, "the member m2 of etcd is not reached");
  EXPECT_TRUE(Check());
  EXPECT_TRUE(Has(Notes(), "m2 of etcd is not reached")) << Notes();
}

TEST_F(EtcdCheck, WithoutTheRightToLookItGoesOn) {
  Answer("hash members", ErrorCode::kEtcdFailed, "permission denied");
  EXPECT_TRUE(Check());
  EXPECT_TRUE(Has(Notes(), "permission denied")) << Notes();
  Answer("observe", ErrorCode::kEtcdFailed, "permission denied");
  EXPECT_TRUE(Check());
}

TEST_F(EtcdCheck, HashesOfDifferentCompactionsAreNotCompared) {
  etcd_.members[1].hash = 7;
  etcd_.members[1].compact_revision = 9;
  EXPECT_TRUE(Check());
  EXPECT_TRUE(Has(Notes(), "not compared")) << Notes();
}

TEST_F(EtcdCheck, ACompactionMeanwhileIsOutlived) {
  int compactions = 0;
  client_.before = [&](int, std::string_view name) -> Status {
    if (name != "hash members" || compactions++ > 0) return {};
    return Fail(ErrorCode::kEtcdCompacted, "mvcc: required revision has been compacted");
  };
  etcd_.members[1].hash = 7;
  EXPECT_FALSE(Check());
  EXPECT_EQ(compactions, 2);
}

TEST_F(EtcdCheck, VersionsWithTheInconsistencyBugAreNamedWithTheirMembers) {
  struct Row {
    const char* version;
    bool is_told;
  };
  for (const Row& row :
       {Row{"3.4.23", false}, Row{"3.5.0", true}, Row{"3.5.1", true}, Row{"3.5.2", true},
        Row{"3.5.3", false}, Row{"3.6.0", false}, Row{"", false}}) {
    world_.notes.notes.clear();
    etcd_.members[2].version = row.version;
    EXPECT_TRUE(Check());
    EXPECT_EQ(Has(Notes(), "data inconsistency"), row.is_told) << row.version;
    EXPECT_EQ(Has(Notes(), "m2"), row.is_told) << row.version;
  }
}

TEST_F(EtcdCheck, AnEtcdWithoutSpaceCanBeReadAndNotWritten) {
  etcd_.has_no_space = true;
  const Status status = Check();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kEtcdNoSpace);
  EXPECT_TRUE(Has(status.error().hint, "defrag"));
  EXPECT_TRUE(Check(Use::kRead));
  EXPECT_TRUE(Has(Notes(), "out of space")) << Notes();
}

TEST_F(EtcdCheck, TheCorruptAlarmIsRefusedForBoth) {
  etcd_.is_corrupt = true;
  for (const Use use : {Use::kRead, Use::kWrite}) {
    const Status status = Check(use);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kEtcdFailed);
    EXPECT_TRUE(Has(status.error().message, "CORRUPT"));
  }
}

TEST_F(EtcdCheck, OneThatIsAwayForAMomentIsWaitedFor) {
  int asked = 0;
  client_.before = [&](int, std::string_view name) -> Status {
    if (name == "observe" && ++asked < 3) return Fail(ErrorCode::kEtcdUnreachable, "no answer");
    return {};
  };
  EXPECT_TRUE(Check());
  EXPECT_EQ(asked, 3);
  etcd_.is_unreachable = true;
  EXPECT_EQ(Check().error().code, ErrorCode::kEtcdUnreachable);
}

// Each command asks before it does anything else.
TEST_F(EtcdCheck, StandsBeforeEveryCommand) {
  etcd_.is_corrupt = true;
  Migrator migrator(client_, world_.files, world_.clock, world_.interrupts, world_.notes,
                    world_.options);
  const auto revision = world_.store.Revision();
  EXPECT_EQ(migrator.Run().error().code, ErrorCode::kEtcdFailed);
  EXPECT_EQ(migrator.Rehearse().error().code, ErrorCode::kEtcdFailed);
  EXPECT_EQ(migrator.Backup().error().code, ErrorCode::kEtcdFailed);
  EXPECT_EQ(client_.Names(), std::vector<std::string>(3, "observe"));
  EXPECT_EQ(world_.store.Revision(), revision);
  EXPECT_TRUE(world_.files.Paths().empty());
  etcd_.is_corrupt = false;
  etcd_.has_no_space = true;
  EXPECT_EQ(migrator.Run().error().code, ErrorCode::kEtcdNoSpace);
  const auto backup = migrator.Backup();
  EXPECT_TRUE(backup) << backup.error().Text();
  EXPECT_EQ(world_.store.Revision(), revision);
}

}  // namespace
}  // namespace mu::migrate
