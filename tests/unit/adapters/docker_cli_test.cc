// SPDX-License-Identifier: Apache-2.0
// DockerCli over fake `docker` programs that print what the real client printed (28.2 against
// engine 20.10, tests/data/adapters), and over clients that misbehave.
#include "adapters/docker_cli.h"

#include <gtest/gtest.h>

#include "adapters/docker_text.h"
#include "adapters/process_runner.h"
#include "unit/adapters/scratch.h"

namespace mu::adapters {
namespace {

using test::Scratch;
using test::Slurp;

const std::string kData = std::string(MU_TEST_DATA) + "/adapters/";

class DockerCliTest : public ::testing::Test {
 protected:
  // The fake notes its arguments, one call a line.
  void Docker(const std::string& script) {
    scratch.Program("docker", "echo \"$*\" >> " + scratch.Path("calls") + "\n" + script);
  }
  std::string Calls() const { return Slurp(scratch.Path("calls")); }
  static std::string Says(const std::string& err, int code = 1) {
    return "echo '" + err + "' >&2; exit " + std::to_string(code);
  }

  Scratch scratch;
  ProcessRunner runner;
  DockerCli docker{runner};
};

TEST_F(DockerCliTest, ReadsContainersInTheOrderAskedFor) {
  Docker("cat " + kData + "docker-inspect.json; " + Says("Error: No such container: nope"));
  const auto found = docker.Inspect({"nope", "milvus-minio", "d4162545363f", "milvus-standalone"});
  ASSERT_TRUE(found) << found.error().Text();
  ASSERT_EQ(found->size(), 4u);
  EXPECT_FALSE((*found)[0]);
  EXPECT_EQ((*found)[1]->name, "milvus-minio");
  ASSERT_TRUE((*found)[2]);
  EXPECT_EQ((*found)[2], (*found)[3]);
  const model::Container& milvus = *(*found)[3];
  EXPECT_EQ(milvus.id, "d4162545363fdd83c30b87ac15c6cd0b482eab12d0d4abc9d20cea80f4c69f9c");
  EXPECT_EQ(milvus.image, "ground.local/milvusdb/milvus:v2.2.16");
  EXPECT_EQ(milvus.image_id,
            "sha256:316edfa2a6f818bf8bbdbcd425144928c7b0a37fc97538b163469e78453384e8");
  EXPECT_TRUE(milvus.IsRunning());
  EXPECT_EQ(milvus.started_at, "2026-11-25T12:32:42.637260436Z");
  EXPECT_EQ(milvus.finished_at, "");
  EXPECT_EQ(milvus.restart_policy, "no");
  EXPECT_EQ(milvus.health.status, "healthy");
  EXPECT_NE(milvus.health.last_output.find("OK"), std::string::npos);
  EXPECT_TRUE(milvus.has_healthcheck);
  EXPECT_EQ(milvus.command, (std::vector<std::string>{"milvus", "run", "standalone"}));
  EXPECT_EQ(milvus.environment.at("ETCD_ENDPOINTS"), "etcd:2379");
  EXPECT_EQ(milvus.Label("com.docker.compose.version"), "2.40.3");
  EXPECT_EQ(milvus.mounts, (std::vector<model::Mount>{
                               {"bind", "/srv/milvus/volumes/milvus", "/var/lib/milvus", false}}));
  EXPECT_EQ(milvus.network_ips.at("milvus"), "10.234.16.4");
  EXPECT_EQ(milvus.ports, (std::vector<model::PublishedPort>{{"127.0.0.4", 19530, 19530},
                                                             {"127.0.0.4", 9091, 9091}}));
  EXPECT_EQ(milvus.stop_timeout_seconds, 10);
}

TEST_F(DockerCliTest, AsksNothingAboutNoContainers) {
  Docker("exit 1");
  EXPECT_TRUE(docker.Inspect({})->empty());
  EXPECT_TRUE(docker.Stop({}, Millis(1000)));
  EXPECT_TRUE(docker.Start({}));
  EXPECT_EQ(Calls(), "");
}

TEST_F(DockerCliTest, ReadsAContainerThatCouldNotStart) {
  const auto json = ParseJson(R"({"Id":"c1","Name":"/x","State":{"Status":"created",
      "ExitCode":128,"Error":"Bind for 127.0.0.4:9091 failed: port is already allocated",
      "StartedAt":"0001-01-01T00:00:00Z"},"HostConfig":{"RestartPolicy":
      {"Name":"on-failure","MaximumRetryCount":3}},"Config":{"Healthcheck":{"Test":["NONE"]},
      "StopTimeout":90},"Mounts":[{"Type":"volume","Name":"data","Source":"/var/lib/docker/v",
      "Destination":"/d","RW":false}],"NetworkSettings":{"Ports":{"80/tcp":null}}})",
                              "test");
  const model::Container container = ContainerOfJson(*json);
  EXPECT_FALSE(container.HasEverStarted());
  EXPECT_EQ(container.exit_code, 128);
  EXPECT_NE(container.error.find("port is already allocated"), std::string::npos);
  EXPECT_EQ(container.restart_policy, "on-failure");
  EXPECT_EQ(container.restart_max_retries, 3);
  EXPECT_FALSE(container.has_healthcheck);
  EXPECT_EQ(container.stop_timeout_seconds, 90);
  EXPECT_EQ(container.mounts, (std::vector<model::Mount>{{"volume", "data", "/d", true}}));
  EXPECT_TRUE(container.ports.empty());
}

TEST_F(DockerCliTest, ReadsAnImageOrItsAbsence) {
  Docker("case \"$4\" in nope:1) echo '[]'; " +
         Says("Error response from daemon: no such image: nope:1: No such image: nope:1") +
         ";; esac; cat " + kData + "docker-image-inspect.json");
  const auto image = docker.InspectImage("ground.local/milvusdb/milvus:v2.2.16");
  ASSERT_TRUE(image && *image);
  EXPECT_EQ((*image)->id.substr(0, 19), "sha256:316edfa2a6f8");
  EXPECT_EQ((*image)->architecture, "amd64");
  EXPECT_TRUE((*image)->repo_digests.empty());
  EXPECT_EQ((*image)->command, std::vector<std::string>{"/bin/bash"});
  const auto none = docker.InspectImage("nope:1");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST_F(DockerCliTest, KnowsTheEngineAndTheWayToIt) {
  Docker("case $1 in info) cat " + kData +
         "docker-info.json;; context) echo unix:///run/docker.sock;; esac");
  const auto engine = docker.Info();
  ASSERT_TRUE(engine);
  EXPECT_EQ(engine->id, "PP4K:3QII:OWIJ:ZIKO:U7G7:P2WW:3FL4:YLAP:ONDN:MECJ:YNAQ:7T4X");
  EXPECT_EQ(engine->version, "20.10.24+dfsg1");
  EXPECT_EQ(engine->root_dir, "/var/lib/docker");
  EXPECT_EQ(engine->endpoint, "unix:///run/docker.sock");
}

TEST_F(DockerCliTest, TellsAMissingClientADeadEngineAndADeniedSocketApart) {
  const std::string down =
      "Cannot connect to the Docker daemon at unix:///nope. Is the docker daemon running?";
  Docker(Says(down));
  EXPECT_EQ(docker.List({}).error().code, ErrorCode::kDockerDown);
  EXPECT_EQ(docker.Stop({"a"}, Millis(1000)).error().message,
            "the Docker engine does not answer: " + down);
  // 20.10 exits with 0 and an empty engine.
  Docker(
      R"(echo '{"ID":"","ServerVersion":"","ServerErrors":["Cannot connect to the Docker daemon at x"]}')");
  EXPECT_EQ(docker.Info().error().code, ErrorCode::kDockerDown);
  Docker(
      Says("permission denied while trying to connect to the Docker daemon socket at "
           "unix:///var/run/docker.sock: Get \"http://%2Fvar\": dial unix: connect: permission "
           "denied"));
  EXPECT_EQ(docker.Inspect({"a"}).error().code, ErrorCode::kDockerDenied);
  Docker(
      Says("Failed to initialize: unable to resolve docker endpoint: context \"x\": context not "
           "found"));
  EXPECT_EQ(docker.Info().error().code, ErrorCode::kDockerDown);
  Docker(Says("error during connect: Post \"http://d/v1.41/containers/a/stop\": EOF"));
  EXPECT_EQ(docker.Stop({"a"}, Millis(1000)).error().code, ErrorCode::kDockerDown);
  std::filesystem::remove(scratch.Path("bin/docker"));
  scratch.OnlyOurPrograms();
  EXPECT_EQ(docker.List({}).error().code, ErrorCode::kDockerMissing);
}

TEST_F(DockerCliTest, RefusesOutputThatIsNotDockers) {
  for (const std::string& output :
       std::vector<std::string>{"hello", "", "[{\"Id\":\"ab", "[{}]", "{}", "\\377\\376"}) {
    Docker("printf '" + output + "'");
    const auto found = docker.Inspect({"a"});
    ASSERT_FALSE(found) << output;
    EXPECT_EQ(found.error().code, ErrorCode::kCommandOutput) << output;
  }
  Docker("echo not-an-id");
  EXPECT_EQ(docker.List({}).error().code, ErrorCode::kCommandOutput);
  Docker("kill -9 $$");
  EXPECT_EQ(docker.List({}).error().code, ErrorCode::kCommandFailed);
}

TEST_F(DockerCliTest, StopsAllInOneCallWhereTheGraceIsWholeSeconds) {
  Docker("exit 0");
  ASSERT_TRUE(docker.Stop({"a", "b"}, Millis(10'000)));
  EXPECT_EQ(Calls(), "stop -t 10 a b\n");
}

TEST_F(DockerCliTest, KillsAfterAGraceOfPartSeconds) {
  // `wait` ends only once `kill --signal KILL` was called.
  Docker("case \"$*\" in *KILL*) touch " + scratch.Path("dead") + ";; wait*) while [ ! -e " +
         scratch.Path("dead") + " ]; do sleep 0.05; done;; esac");
  ASSERT_TRUE(docker.Stop({"a", "b"}, Millis(300)));
  EXPECT_EQ(Calls(), "kill --signal TERM a b\nwait a b\nkill --signal KILL a b\nwait a b\n");
}

TEST_F(DockerCliTest, DoesNotKillWhatHasEnded) {
  Docker("case \"$*\" in *TERM*) " +
         Says("Error response from daemon: Cannot kill container: a: Container 0a is not running") +
         ";; esac");
  ASSERT_TRUE(docker.Stop({"a", "b"}, Millis(1500)));
  EXPECT_EQ(Calls(), "kill --signal TERM a b\nwait a b\n");
}

TEST_F(DockerCliTest, GivesTheEnginesWordsOnAFailedChange) {
  Docker(
      Says("Error response from daemon: driver failed programming external connectivity on "
           "endpoint a: Bind for 127.0.0.4:9091 failed: port is already allocated\nError: failed "
           "to start containers: a"));
  const auto start = docker.Start({"a"});
  EXPECT_EQ(start.error().code, ErrorCode::kContainerFailed);
  EXPECT_EQ(start.error().message,
            "docker start a: driver failed programming external connectivity on endpoint a: Bind "
            "for 127.0.0.4:9091 failed: port is already allocated");
  Docker(Says("Error response from daemon: No such container: a"));
  EXPECT_EQ(docker.Start({"a"}).error().code, ErrorCode::kContainerGone);
  EXPECT_EQ(docker.SetRestartPolicy({"a"}, "no", 0).error().code, ErrorCode::kContainerGone);
  EXPECT_EQ(docker.Logs("a", 3).error().code, ErrorCode::kContainerGone);
  Docker(Says("Error response from daemon: No such container: a", 0));
  EXPECT_EQ(docker.Remove("a", true).error().code, ErrorCode::kContainerGone);
}

TEST_F(DockerCliTest, CreatesWithoutPullingOrStarting) {
  Docker("echo 0123");
  EXPECT_EQ(*docker.Create("lock", "etcd:1", {{"k", "v"}}), "0123");
  EXPECT_EQ(Calls(),
            "create --pull never --name lock --network none --restart no --label k=v -- etcd:1 "
            "never-started\n");
  Docker(
      Says("Error response from daemon: Conflict. The container name \"/lock\" is already in use "
           "by container \"2e78\"."));
  EXPECT_EQ(docker.Create("lock", "etcd:1", {}).error().code, ErrorCode::kLocked);
  Docker(Says("Error response from daemon: No such image: etcd:1"));
  EXPECT_EQ(docker.Create("lock", "etcd:1", {}).error().code, ErrorCode::kImageMissing);
}

TEST_F(DockerCliTest, CreatesAJobThatReachesNothingOfTheHost) {
  Docker("echo \"$ETCD_PASSWORD\"");
  ports::JobSpec spec;
  spec.name = "job";
  spec.image = "migrate:1";
  spec.network = "net";
  const std::string always =
      "create --pull never --name job --network net --dns 127.0.0.1 --dns-search . --restart no "
      "--cap-drop ALL --cap-add DAC_OVERRIDE --security-opt no-new-privileges --log-driver "
      "json-file --log-opt max-size=4m --no-healthcheck";
  ASSERT_TRUE(docker.CreateJob(spec));
  EXPECT_EQ(Calls(), always + " -- migrate:1\n") << "the image's own program";
  spec.argv = {"/milvus/migrate", "-v", "a b"};
  spec.environment = {{"ETCD_PASSWORD", "hunter2"}};
  spec.labels = {{"k", "v"}};
  spec.volume = "/data";
  spec.volumes_from = "other";
  spec.has_init = spec.is_gentle = spec.is_root = true;
  EXPECT_EQ(*docker.CreateJob(spec), "hunter2");
  EXPECT_EQ(Calls(), always + " -- migrate:1\n" + always +
                         " --init --cpu-shares 128 --blkio-weight 100 --user 0:0 --volume /data "
                         "--volumes-from other --env ETCD_PASSWORD --entrypoint /milvus/migrate "
                         "--label k=v -- migrate:1 -v a b\n");
}

class JobOfDocker : public DockerCliTest {
 protected:
  // What `docker start` does, and what the engine then says of the container: the members of its
  // State, or "" for an engine that is away.
  Result<int> Run(
      const std::string& start, const std::string& state,
      std::function<bool()> wants_kill = [] { return false; }, const std::string& kill = "exit 0") {
    const std::string inspected = R"([{"Id":"abc","Name":"/job","State":{)" + state + "}}]";
    const std::string inspect = state.empty()
                                    ? Says("Cannot connect to the Docker daemon at unix:///x.")
                                    : "echo '" + inspected + "'";
    Docker("case $1 in start) " + start + ";; kill) " + kill + ";; inspect) " + inspect +
           ";; esac");
    return docker.RunJob(
        "job", [this](std::string_view line) { lines_.emplace_back(line); }, wants_kill);
  }
  std::vector<std::string> lines_;
  static constexpr char kStarted[] = R"("StartedAt":"2026-11-25T12:00:00Z")";
};

TEST_F(JobOfDocker, TheEnginesWordOnTheExitCodeIsTaken) {
  const std::string ended = std::string(kStarted) + R"(,"Status":"exited","ExitCode":3)";
  EXPECT_EQ(Run("echo out; echo err >&2; exit 1", ended).value(), 3);
  EXPECT_EQ(lines_, (std::vector<std::string>{"out", "err"}));
  EXPECT_EQ(Run("echo 'error during connect: EOF' >&2; exit 1", ended).value(), 3);
  EXPECT_EQ(Run("exit 0", ended).value(), 3);
}

TEST_F(JobOfDocker, AnEngineThatWentAwayIsNoExit) {
  const auto gone = Run("echo out; echo 'error during connect: EOF' >&2; exit 1", "");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kDockerDown);
  const auto lost = Run("echo 'unexpected EOF' >&2; exit 1",
                        std::string(kStarted) + R"(,"Status":"running","ExitCode":0)");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kDockerDown);
  EXPECT_EQ(lost.error().message,
            "the Docker engine stopped telling of job, which is running: unexpected EOF");
}

TEST_F(JobOfDocker, WhatCannotStartSaysWhy) {
  const std::string created =
      R"("StartedAt":"0001-01-01T00:00:00Z","Status":"created","ExitCode":127)";
  const auto refused = Run(Says("Error response from daemon: exec: docker-init: not found"),
                           created + R"(,"Error":"exec: \"docker-init\": not found in $PATH")");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kContainerFailed);
  EXPECT_EQ(refused.error().message, "docker start job: exec: \"docker-init\": not found in $PATH");
  const auto unsaid = Run(Says("Error response from daemon: no room"), created);
  ASSERT_FALSE(unsaid);
  EXPECT_EQ(unsaid.error().message, "docker start job: no room");
}

TEST_F(JobOfDocker, TheKillIsTriedUntilItHasBegun) {
  const std::string tries = scratch.Path("tries");
  const std::string end = scratch.Path("end");
  const auto code = Run(
      "while [ ! -e " + end + " ]; do sleep 0.05; done; exit 137",
      std::string(kStarted) + R"(,"Status":"exited","ExitCode":137)", [] { return true; },
      "echo x >>" + tries + "; [ $(wc -l <" + tries + ") -lt 3 ] && { " +
          Says("Cannot kill container: job is not running") + "; }; touch " + end);
  ASSERT_TRUE(code) << code.error().Text();
  EXPECT_EQ(*code, 137);
  EXPECT_EQ(Slurp(tries), "x\nx\nx\n");
}

TEST_F(DockerCliTest, KeepsSecretsOfAnExecOutOfArgv) {
  Docker("echo \"$ETCDCTL_PASSWORD\"; exit 7");
  const auto result = docker.Exec("etcd", {"etcdctl", "get", "a b"},
                                  {{"ETCDCTL_PASSWORD", "hunter2"}, {"PATH", "/x"}}, Millis(5000));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 7);
  EXPECT_EQ(result->out, "hunter2\n");
  EXPECT_EQ(Calls(), "exec --env ETCDCTL_PASSWORD --env PATH=/x etcd etcdctl get a b\n");
}

TEST_F(DockerCliTest, TellsAContainerThatIsGoneFromACommandThatFails) {
  Docker(Says("Error response from daemon: Container c1e0 is not running"));
  EXPECT_EQ(docker.Exec("a", {"ls"}, {}, Millis(5000)).error().code, ErrorCode::kContainerGone);
  Docker(Says("OCI runtime exec failed: exec failed: \"nope\": executable file not found in $PATH",
              126));
  EXPECT_EQ(docker.Exec("a", {"nope"}, {}, Millis(5000))->exit_code, 126);
  // Engine 20.10 says so on stdout.
  Docker("echo 'OCI runtime exec failed: \"nope\": executable file not found'; exit 126");
  EXPECT_EQ(docker.Exec("a", {"nope"}, {}, Millis(5000))->err,
            "OCI runtime exec failed: \"nope\": executable file not found\n");
  Docker("exec sleep 60");
  EXPECT_EQ(docker.Exec("a", {"ls"}, {}, Millis(200)).error().code, ErrorCode::kCommandTimeout);
}

TEST_F(DockerCliTest, PutsTheStreamsOfALogTogether) {
  Docker(
      "echo '2026-11-25T12:32:42.100000000Z one'; echo '2026-11-25T12:32:42.300000000Z three'; "
      "printf '2026-11-25T12:32:42.200000000Z \\033[31mtwo\\033[0m\\n' >&2; "
      "echo '2026-11-25T12:32:42.400000000Z' >&2");
  EXPECT_EQ(*docker.Logs("a", 10), "one\ntwo\nthree");
  EXPECT_EQ(*docker.Logs("a", 2), "two\nthree");
}

TEST_F(DockerCliTest, SaysWhyAnImageCannotBeHad) {
  Docker(
      Says("Error response from daemon: manifest for milvusdb/milvus:v9 not found: manifest "
           "unknown: manifest unknown"));
  const auto pull = docker.Pull("milvusdb/milvus:v9");
  EXPECT_EQ(pull.error().code, ErrorCode::kImageMissing);
  EXPECT_NE(pull.error().message.find("manifest unknown"), std::string::npos);
  EXPECT_EQ(docker.FindInRegistry("milvusdb/milvus:v9").error().code, ErrorCode::kImageMissing);
  Docker(
      "case \"$*\" in *--insecure*) exit 0;; esac; " +
      Says("Get \"https://127.0.0.1:5000/v2/\": http: server gave HTTP response to HTTPS client"));
  EXPECT_TRUE(docker.FindInRegistry("127.0.0.1:5000/a:1"));
  // A client that was killed has not said that there is none.
  Docker("exit 137");
  const Status killed = docker.FindInRegistry("milvusdb/milvus:v9");
  EXPECT_EQ(killed.error().code, ErrorCode::kCommandFailed);
  EXPECT_NE(killed.error().message.find("signal 9"), std::string::npos) << killed.error().Text();
}

TEST_F(DockerCliTest, ReadsOneFileOutOfAContainer) {
  std::filesystem::create_directories(scratch.Path("in"));
  const std::string text = "etcd:\n  rootPath: by-dev\n" + std::string(2000, '#');
  test::Spill(scratch.Path("in/milvus.yaml"), text);
  for (const std::string& format : std::vector<std::string>{"ustar", "gnu", "pax"}) {
    Docker("exec tar -C " + scratch.Path("in") + " --format=" + format + " -cf - milvus.yaml");
    const auto bytes = docker.ReadFile("m", "/milvus/configs/milvus.yaml");
    ASSERT_TRUE(bytes) << format << bytes.error().Text();
    EXPECT_EQ(*bytes, text) << format;
  }
  Docker("exec tar -C " + scratch.Path("") + " -cf - in");
  EXPECT_EQ(docker.ReadFile("m", "/x").error().message, "/x of container m: it is a folder");
  Docker("tar -C " + scratch.Path("in") + " -cf - milvus.yaml | head -c 1000");
  EXPECT_EQ(docker.ReadFile("m", "/x").error().code, ErrorCode::kCommandOutput);
  Docker("head -c 1024 /dev/urandom");
  EXPECT_EQ(docker.ReadFile("m", "/x").error().code, ErrorCode::kCommandOutput);
  Docker(Says("Error response from daemon: Could not find the file /x in container m"));
  EXPECT_EQ(docker.ReadFile("m", "/x").error().code, ErrorCode::kFileRead);
}

TEST_F(DockerCliTest, LeavesNoFileOfAFailedCopy) {
  Docker("echo tarbytes");
  ASSERT_TRUE(docker.CopyOut("m", "/x", scratch.Path("x.tar")));
  EXPECT_EQ(Slurp(scratch.Path("x.tar")), "tarbytes\n");
  EXPECT_EQ(Calls(), "cp m:/x -\n");
  Docker("echo part; " + Says("Error response from daemon: No such container: m"));
  EXPECT_EQ(docker.CopyOut("m", "/x", scratch.Path("y.tar")).error().code,
            ErrorCode::kContainerGone);
  EXPECT_FALSE(std::filesystem::exists(scratch.Path("y.tar")));
}

}  // namespace
}  // namespace mu::adapters
