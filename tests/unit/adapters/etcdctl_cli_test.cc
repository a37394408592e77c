// SPDX-License-Identifier: Apache-2.0
// EtcdctlCli over a fake `docker` that runs the inner command here, through a real shell, with a
// fake `etcdctl` that prints what the real one printed (3.5.1).
#include "adapters/etcdctl_cli.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "adapters/docker_cli.h"
#include "adapters/etcdctl_text.h"
#include "adapters/posix_files.h"
#include "adapters/process_runner.h"
#include "milvus_upgrade/base/digest.h"
#include "unit/adapters/scratch.h"

namespace mu::adapters {
namespace {

using ports::KeysOnly;
using test::Scratch;
using test::Slurp;

const std::string kData = std::string(MU_TEST_DATA) + "/adapters/";
constexpr char kNotAllowed[] = "echo 'Error: etcdserver: user name is empty' >&2; exit 1";

class EtcdctlCliTest : public ::testing::Test {
 protected:
  EtcdctlCliTest() { Docker("exec \"$@\""); }

  // `in_container` gets the command of an exec as "$@".
  void Docker(const std::string& in_container) {
    scratch.Program("docker",
                    "execs=" + scratch.Path("execs") + "\ninside=" + scratch.Path("inside") + R"sh(
case $1 in
exec)
  shift
  while [ "$1" = --env ]; do shift 2; done
  shift
  echo "$1" >> "$execs"
  )sh" + in_container + R"sh(;;
inspect)
  echo '[{"Id":"ab","Name":"/etcd","State":{"Status":"running"},"Path":"etcd",'
  echo "\"Args\":[\"--data-dir=$inside\"]}]" ;;
cp)
  path=${2#*:}
  [ -e "$path" ] || { echo "Error response from daemon: Could not find the file" >&2; exit 1; }
  exec tar -C "${path%/*}" -cf - "${path##*/}" ;;
esac)sh");
  }
  // Notes its arguments; `arms` are those of a `case "$*"`.
  void Etcdctl(const std::string& arms) {
    scratch.Program("etcdctl", "echo \"$*\" >> " + scratch.Path("calls") + "\ncase \"$*\" in\n" +
                                   arms + "\n*) echo \"unknown: $*\" >&2; exit 9;;\nesac");
  }
  static std::string Healthy() {
    return "'endpoint status'*) cat " + kData + "etcdctl-endpoint-status.json;;\n" +
           "'auth status'*) cat " + kData + "etcdctl-auth-status.json;;\n" +
           "'member list'*) cat " + kData + "etcdctl-member-list.json;;\n";
  }
  std::string Calls() const { return Slurp(scratch.Path("calls")); }
  std::string Execs() const { return Slurp(scratch.Path("execs")); }

  Scratch scratch;
  ProcessRunner runner;
  DockerCli docker{runner};
  PosixFiles files;
  EtcdctlCli etcd{docker, files};
};

TEST_F(EtcdctlCliTest, ReadsSessionsWithLeasesBeyondWhatADoubleHolds) {
  Etcdctl("get*) cat " + kData + "etcdctl-get-sessions.json;;");
  const auto range = etcd.GetPrefix("etcd", "by-dev/meta/session/", KeysOnly::kNo, 0);
  ASSERT_TRUE(range) << range.error().Text();
  ASSERT_EQ(range->kvs.size(), 9u);
  EXPECT_GT(range->revision, 300);
  const model::KeyValue& datacoord = range->kvs[0];
  EXPECT_EQ(datacoord.key, "by-dev/meta/session/datacoord");
  EXPECT_EQ(datacoord.value.substr(0, 14), R"({"ServerID":3,)");
  EXPECT_EQ(datacoord.create_revision, 9);
  EXPECT_EQ(datacoord.lease, 7587899148362713653);
  EXPECT_EQ(LeaseArgument(datacoord.lease), "694da212b1a60a35");
  EXPECT_EQ(range->kvs[2].key, "by-dev/meta/session/id");
  EXPECT_EQ(range->kvs[2].lease, 0);
  EXPECT_EQ(Calls(), "get --prefix -w json --command-timeout=60s -- by-dev/meta/session/\n");
}

TEST_F(EtcdctlCliTest, ReadsAtARevisionOrSaysThatItIsGone) {
  Etcdctl(
      "*--rev=5*) echo '{\"header\":{\"revision\":70},\"count\":0}';;\n"
      "*--rev=4*) echo 'Error: etcdserver: mvcc: required revision has been compacted' >&2; "
      "exit 1;;");
  const auto range = etcd.GetPrefix("etcd", "a b'c", KeysOnly::kYes, 5);
  ASSERT_TRUE(range);
  EXPECT_TRUE(range->kvs.empty());
  EXPECT_EQ(range->revision, 5);
  const auto gone = etcd.GetPrefix("etcd", "", KeysOnly::kYes, 4);
  EXPECT_EQ(gone.error().code, ErrorCode::kEtcdFailed);
  EXPECT_TRUE(gone.error().message.starts_with("compacted"));
}

TEST_F(EtcdctlCliTest, ObservesInOneExec) {
  Etcdctl(Healthy() +
          "'alarm list'*) echo '{\"header\":{},\"alarms\":[{\"memberID\":1,\"alarm\":1},"
          "{\"memberID\":2,\"alarm\":2}]}';;");
  const auto status = etcd.Observe("etcd");
  ASSERT_TRUE(status) << status.error().Text();
  EXPECT_EQ(status->version, "3.5.1");
  EXPECT_GT(status->db_bytes, 20000);
  EXPECT_EQ(status->alarms, (std::vector<std::string>{"NOSPACE", "CORRUPT"}));
  EXPECT_FALSE(status->is_auth_enabled);
  EXPECT_EQ(status->members, 1);
  EXPECT_EQ(Execs(), "sh\n");
}

TEST_F(EtcdctlCliTest, ObservesWithoutAShell) {
  Docker(
      "case $1 in sh) echo 'exec: \"sh\": executable file not found in $PATH' >&2; exit 126;; "
      "esac; exec \"$@\"");
  Etcdctl(Healthy() + "'alarm list'*) echo '{\"header\":{}}';;");
  ASSERT_TRUE(etcd.Observe("etcd"));
  const auto status = etcd.Observe("etcd");
  EXPECT_EQ(status->version, "3.5.1");
  const std::string four = "etcdctl\netcdctl\netcdctl\netcdctl\n";
  EXPECT_EQ(Execs(), "sh\n" + four + four);
}

TEST_F(EtcdctlCliTest, SeesThatEtcdWantsAUser) {
  Etcdctl("'auth status'*) " + std::string(kNotAllowed) + ";;\n" + Healthy() +
          "'alarm list'*) echo '{\"header\":{}}';;\nget*) " + kNotAllowed + ";;");
  EXPECT_TRUE(etcd.Observe("etcd")->is_auth_enabled);
  const auto range = etcd.GetPrefix("etcd", "x", KeysOnly::kNo, 0);
  EXPECT_EQ(range.error().code, ErrorCode::kEtcdFailed);
  EXPECT_NE(range.error().hint.find("ETCDCTL_USER"), std::string::npos);
}

TEST_F(EtcdctlCliTest, HandsThePasswordOverByEnvironmentOnly) {
  ::setenv("ETCDCTL_USER", "root", 1);
  ::setenv("ETCDCTL_PASSWORD", "hunter2", 1);
  EtcdctlCli with_user(docker, files);
  ::unsetenv("ETCDCTL_USER");
  ::unsetenv("ETCDCTL_PASSWORD");
  scratch.Program("etcdctl", "echo \"$ETCDCTL_USER $ETCDCTL_PASSWORD $ETCDCTL_API $*\" > " +
                                 scratch.Path("seen") + "; echo '{\"header\":{\"revision\":7}}'");
  ASSERT_TRUE(with_user.GetPrefix("etcd", "x", KeysOnly::kNo, 0));
  EXPECT_EQ(Slurp(scratch.Path("seen")),
            "root hunter2 3 get --prefix -w json --command-timeout=60s -- x\n");
}

TEST_F(EtcdctlCliTest, TellsADeadEtcdFromOneThatRefuses) {
  Etcdctl(
      "*) echo '{\"level\":\"warn\",\"error\":\"DeadlineExceeded\"}' >&2; "
      "echo 'Failed to get the status of endpoint 127.0.0.1:2379 (context deadline exceeded)' "
      ">&2; exit 1;;");
  const auto status = etcd.Observe("etcd");
  EXPECT_EQ(status.error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_EQ(status.error().message,
            "etcd in etcd does not answer: Failed to get the status of endpoint 127.0.0.1:2379 "
            "(context deadline exceeded)");
  Docker("echo 'OCI runtime exec failed: \"etcdctl\": executable file not found' >&2; exit 127");
  EXPECT_EQ(etcd.Observe("etcd").error().code, ErrorCode::kEtcdUnreachable);
  Docker("echo 'Error response from daemon: Container 0a is not running' >&2; exit 1");
  EXPECT_EQ(etcd.Observe("etcd").error().code, ErrorCode::kEtcdUnreachable);
  Docker("echo 'Error: No such container: etcd' >&2; exit 1");
  EXPECT_EQ(etcd.Observe("etcd").error().code, ErrorCode::kContainerGone);
  Docker("exit 137");
  EXPECT_EQ(etcd.Observe("etcd").error().code, ErrorCode::kEtcdUnreachable);
  Docker("exec \"$@\"");
  Etcdctl("*) echo hello;;");
  EXPECT_EQ(etcd.Observe("etcd").error().code, ErrorCode::kCommandOutput);
  EXPECT_EQ(etcd.GetPrefix("etcd", "x", KeysOnly::kNo, 0).error().code, ErrorCode::kCommandOutput);
}

TEST_F(EtcdctlCliTest, ReadsManyLeasesInOneExecAndInOrder) {
  Etcdctl("'lease timetolive 1234 '*) cat " + kData + "etcdctl-lease-gone.json;;\n" +
          "'lease timetolive 694da212b1a60aa3 '*) cat " + kData + "etcdctl-lease.json;;");
  const auto leases = etcd.ReadLeases("etcd", {0x1234, 7587899148362713763});
  ASSERT_TRUE(leases) << leases.error().Text();
  EXPECT_EQ((*leases)[0].id, 0x1234);
  EXPECT_EQ((*leases)[0].ttl_seconds, -1);
  EXPECT_EQ((*leases)[1].id, 7587899148362713763);
  EXPECT_EQ((*leases)[1].granted_seconds, 20);
  EXPECT_EQ((*leases)[1].keys, std::vector<std::string>{"by-dev/meta/session/querycoord"});
  EXPECT_EQ(Execs(), "sh\n");
  EXPECT_TRUE(etcd.ReadLeases("etcd", {})->empty());
  EXPECT_EQ(Execs(), "sh\n");
}

TEST_F(EtcdctlCliTest, RevokesLeasesThatMayBeGoneAlready) {
  Etcdctl(
      "'lease revoke 1234') echo 'Error: failed to revoke lease (etcdserver: requested lease "
      "not found)' >&2; exit 1;;\n'lease revoke ffffffffffffffff') echo revoked;;\n"
      "'lease revoke 2') echo 'Error: etcdserver: permission denied' >&2; exit 1;;");
  EXPECT_TRUE(etcd.RevokeLeases("etcd", {0x1234, -1}));
  EXPECT_EQ(Calls(), "lease revoke 1234\nlease revoke ffffffffffffffff\n");
  EXPECT_EQ(etcd.RevokeLeases("etcd", {2, 0x1234}).error().code, ErrorCode::kEtcdFailed);
}

class SnapshotTest : public EtcdctlCliTest {
 protected:
  SnapshotTest() { std::filesystem::create_directory(scratch.Path("inside")); }
  // A snapshot as the real one: content, then the SHA-256 of it.
  void Save(const std::string& bytes) {
    test::Spill(scratch.Path("snapshot"), bytes);
    Etcdctl(Healthy() + "'snapshot save'*) cp " + scratch.Path("snapshot") + " \"$3\";;");
  }
  static std::string Raw(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return bytes;
  }
  std::string Out() const { return scratch.Path("etcd.snapshot"); }
  void ExpectNothingLeft() const {
    EXPECT_FALSE(std::filesystem::exists(Out()));
    EXPECT_FALSE(std::filesystem::exists(Out() + ".tar"));
    EXPECT_TRUE(std::filesystem::is_empty(scratch.Path("inside")));
  }
};

TEST_F(SnapshotTest, IsCopiedOutCheckedAndRemovedInside) {
  const std::string content(300'000, 's');
  const std::string whole = content + Raw(Sha256(content));
  Save(whole);
  const auto snapshot = etcd.SaveSnapshot("etcd", Out());
  ASSERT_TRUE(snapshot) << snapshot.error().Text();
  EXPECT_EQ(snapshot->bytes, 300'032u);
  EXPECT_EQ(snapshot->sha256, Sha256(whole));
  EXPECT_GT(snapshot->revision, 300);
  EXPECT_EQ(Slurp(Out()), whole);
  struct stat facts {};
  ::stat(Out().c_str(), &facts);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  std::filesystem::remove(Out());
  ExpectNothingLeft();
}

TEST_F(SnapshotTest, IsRefusedWhenItsOwnHashDoesNotAgree) {
  const std::string content(5000, 's');
  const std::string whole = content + Raw(Sha256(content));
  for (const std::string& bad : {whole.substr(0, whole.size() - 1), whole + "x", content,
                                 std::string("short"), std::string(), std::string(5032, '\0')}) {
    Save(bad);
    const auto snapshot = etcd.SaveSnapshot("etcd", Out());
    ASSERT_FALSE(snapshot) << bad.size();
    EXPECT_EQ(snapshot.error().code, ErrorCode::kSnapshotBad);
    ExpectNothingLeft();
  }
}

TEST_F(SnapshotTest, LeavesNothingWhenEtcdCannotSave) {
  Etcdctl(Healthy() +
          "'snapshot save'*) touch \"$3.part\"; echo 'Error: write: no space left on "
          "device' >&2; exit 1;;");
  const auto snapshot = etcd.SaveSnapshot("etcd", Out());
  EXPECT_EQ(snapshot.error().code, ErrorCode::kEtcdFailed);
  EXPECT_NE(snapshot.error().message.find("no space left"), std::string::npos);
  ExpectNothingLeft();
}

TEST(EtcdctlText, QuotesAsGoDoes) {
  EXPECT_EQ(GoQuoted(""), "\"\"");
  EXPECT_EQ(GoQuoted("a b'c"), "\"a b'c\"");
  EXPECT_EQ(GoQuoted("\"\\"), "\"\\\"\\\\\"");
  EXPECT_EQ(GoQuoted(std::string("\0\n\xff", 3)), "\"\\x00\\x0a\\xff\"");
}

TEST(EtcdctlText, FindsTheDataFolder) {
  model::Container container;
  EXPECT_EQ(DataFolderOf(container), "/");
  container.mounts = {{"bind", "/cfg", "/cfg", true}, {"volume", "v", "/etcd", false}};
  EXPECT_EQ(DataFolderOf(container), "/etcd");
  container.environment["ETCD_DATA_DIR"] = "/env";
  EXPECT_EQ(DataFolderOf(container), "/env");
  container.command = {"etcd", "--data-dir", "/flag"};
  EXPECT_EQ(DataFolderOf(container), "/flag");
  container.command = {"etcd", "-data-dir=/one"};
  EXPECT_EQ(DataFolderOf(container), "/one");
}

}  // namespace
}  // namespace mu::adapters
