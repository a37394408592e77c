// SPDX-License-Identifier: Apache-2.0
// What the product relies on of jobs and networks (ports::Docker), asked of the fake and of the
// real engine alike; and what only a real one can tell.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "contract/engine_under_test.h"
#include "contract/real_etcd.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"

namespace mu::contract {
namespace {

using Names = std::vector<std::string>;

constexpr std::size_t kMiB = 1u << 20;

// The most memory that this process has had.
std::size_t PeakMemory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) << 10;
  }
  return 0;
}

class DockerJobs : public testing::TestWithParam<EngineRow> {
 protected:
  void SetUp() override {
    const std::string why_not = GetParam().make(&engine_);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
  }
  void TearDown() override {
    if (engine_ == nullptr) return;
    for (const std::string& name : jobs_) (void)Docker().Remove(name, true);
    for (const std::string& name : networks_) (void)Docker().RemoveNetwork(name);
  }
  bool IsFake() const { return GetParam().name == "Fake"; }
  ports::Docker& Docker() { return engine_->Docker(); }

  ports::JobSpec Spec(const std::string& name, Names argv) {
    ports::JobSpec spec;
    spec.name = engine_->Name(name);
    spec.image = kImage;
    spec.network = "none";
    spec.argv = std::move(argv);
    return spec;
  }
  std::string Created(const ports::JobSpec& spec) {
    const auto id = Docker().CreateJob(spec);
    EXPECT_TRUE(id) << id.error().Text();
    jobs_.push_back(spec.name);
    return spec.name;
  }
  std::string CreatedNetwork(const std::string& name) {
    const std::string full = engine_->Name(name);
    const Status made = Docker().CreateNetwork(full, {{"contract", full}, {"color", "red"}});
    EXPECT_TRUE(made) << made.error().Text();
    networks_.push_back(full);
    return full;
  }
  Result<int> Run(const std::string& name, Names* lines = nullptr) {
    return Docker().RunJob(
        name,
        [&](std::string_view line) {
          if (lines != nullptr) lines->emplace_back(line);
        },
        [] { return false; });
  }
  // Killed that long after its start.
  Result<int> RunFor(const std::string& name, Millis time) {
    const Millis start = engine_->Clock().Monotonic();
    return Docker().RunJob(
        name, [](std::string_view) {},
        [this, start, time] { return engine_->Clock().Monotonic() - start >= time; });
  }
  // Of `sh -c SCRIPT`: exit code 0, or what it printed is told.
  Names Printed(ports::JobSpec spec) {
    Names lines;
    const auto code = Run(Created(spec), &lines);
    EXPECT_TRUE(code) << code.error().Text();
    EXPECT_EQ(code ? *code : 0, 0) << Join(lines, "\n");
    return lines;
  }
  model::Container Look(const std::string& name) {
    const auto found = Docker().Inspect({name});
    EXPECT_TRUE(found && found->front()) << name;
    return found && found->front() ? *found->front() : model::Container{};
  }
  std::unique_ptr<EngineUnderTest> engine_;
  Names jobs_;
  Names networks_;
};

TEST_P(DockerJobs, TheExitCodeOfAJobOutlivesIt) {
  ports::JobSpec spec = Spec("job", {"echo", "a", "b c"});
  spec.labels = {{"contract-job", spec.name}};
  const std::string name = Created(spec);
  EXPECT_EQ(Docker().CreateJob(spec).error().code, ErrorCode::kLocked);
  EXPECT_EQ(Look(name).status, "created");
  EXPECT_EQ(Look(name).Label("contract-job"), name);
  Names lines;
  const auto code = Run(name, &lines);
  ASSERT_TRUE(code) << code.error().Text();
  EXPECT_EQ(*code, 0);
  EXPECT_EQ(lines, Names{"a b c"});
  EXPECT_EQ(Docker().List({"contract-job=" + name}).value(), Names{Look(name).id});

  const std::string failing = Created(Spec("failing", {"false"}));
  EXPECT_EQ(Run(failing).value(), 1);
  EXPECT_EQ(Look(failing).status, "exited");
  EXPECT_EQ(Look(failing).exit_code, 1);
  EXPECT_TRUE(Docker().Remove(failing, false));
  EXPECT_FALSE(Docker().Inspect({failing})->front());
}

TEST_P(DockerJobs, AJobIsKilledWhenThatIsWanted) {
  const std::string name = Created(Spec("job", {"sleep", "600"}));
  const Millis start = engine_->Clock().Monotonic();
  const auto code = RunFor(name, Millis(1500));
  ASSERT_TRUE(code) << code.error().Text();
  EXPECT_EQ(*code, 137);
  EXPECT_GE(engine_->Clock().Monotonic() - start, Millis(1500));
  EXPECT_EQ(Look(name).status, "exited");
  EXPECT_EQ(Look(name).exit_code, 137);
}

TEST_P(DockerJobs, AJobThatIsToBeKilledAtOnceIs) {
  const auto code = RunFor(Created(Spec("job", {"sleep", "600"})), Millis(0));
  ASSERT_TRUE(code) << code.error().Text();
  EXPECT_EQ(*code, 137);
}

TEST_P(DockerJobs, OneThatHasEndedMayBeKilledAndOneThatIsNotThereMayNot) {
  const std::string name = Created(Spec("job", {"sleep", "600"}));
  EXPECT_TRUE(Docker().Kill(name)) << "it has not even started";
  EXPECT_FALSE(Look(name).HasEverStarted());
  ASSERT_TRUE(Docker().Start({name}));
  EXPECT_TRUE(Look(name).IsRunning());
  const Status killed = Docker().Kill(name);
  EXPECT_TRUE(killed) << killed.error().Text();
  EXPECT_EQ(Look(name).status, "exited") << "it was waited for";
  EXPECT_EQ(Look(name).exit_code, 137);
  EXPECT_TRUE(Docker().Kill(name));
  EXPECT_EQ(Docker().Kill(engine_->Name("nobody")).error().code, ErrorCode::kContainerGone);
}

TEST_P(DockerJobs, AJobThatCannotStartSaysWhyAndHasNoExit) {
  EXPECT_EQ(Run(engine_->Name("nobody")).error().code, ErrorCode::kContainerGone);
  const std::string name = Created(Spec("job", {"/no-such-program"}));
  const auto code = Run(name);
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, ErrorCode::kContainerFailed);
  EXPECT_NE(code.error().message.find("no-such-program"), std::string::npos)
      << code.error().message;
  EXPECT_FALSE(Look(name).HasEverStarted());

  ports::JobSpec spec = Spec("lost", {"echo"});
  spec.network = engine_->Name("no-network");
  const auto lost = Run(Created(spec));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kContainerFailed);
  EXPECT_NE(lost.error().message.find("not found"), std::string::npos) << lost.error().message;

  spec = Spec("imageless", {"echo"});
  spec.image = "ground.local/mu-contract/nobody:1";
  EXPECT_EQ(Docker().CreateJob(spec).error().code, ErrorCode::kImageMissing);
  spec = Spec("alone", {"echo"});
  spec.volumes_from = engine_->Name("nobody");
  EXPECT_EQ(Docker().CreateJob(spec).error().code, ErrorCode::kContainerFailed);
}

TEST_P(DockerJobs, NetworksAreFoundByLabelAndRemovedWhenNobodyUsesThem) {
  const std::string name = CreatedNetwork("net");
  EXPECT_EQ(Docker().CreateNetwork(name, {}).error().code, ErrorCode::kLocked);
  EXPECT_EQ(Docker().ListNetworks({"contract=" + name}).value(), Names{name});
  EXPECT_EQ(Docker().ListNetworks({"contract=" + name, "color"}).value(), Names{name});
  EXPECT_TRUE(Docker().ListNetworks({"contract=" + name, "color=blue"})->empty());
  ports::JobSpec spec = Spec("job", {"sleep", "600"});
  spec.network = name;
  Created(spec);
  ASSERT_TRUE(Docker().Start({spec.name}));
  EXPECT_FALSE(Look(spec.name).network_ips.at(name).empty());
  EXPECT_EQ(Docker().RemoveNetwork(name).error().code, ErrorCode::kContainerFailed);
  ASSERT_TRUE(Docker().Remove(spec.name, true));
  const Status removed = Docker().RemoveNetwork(name);
  EXPECT_TRUE(removed) << removed.error().Text();
  EXPECT_TRUE(Docker().ListNetworks({"contract=" + name})->empty());
  EXPECT_EQ(Docker().RemoveNetwork(name).error().code, ErrorCode::kContainerGone);
}

TEST_P(DockerJobs, AFileOfOursIsSeenInside) {
  const std::string name = Created(Spec("job", {"echo"}));
  const std::string file = engine_->Folder() + "/ours:1";
  ASSERT_TRUE(engine_->Files().Create(file, "one\n", 0600));
  const Status copied = Docker().CopyFileIn(name, file, "/theirs");
  ASSERT_TRUE(copied) << copied.error().Text();
  EXPECT_EQ(Docker().ReadFile(name, "/theirs").value(), "one\n");
  EXPECT_EQ(Docker().CopyFileIn(name, file + "-not", "/theirs").error().code, ErrorCode::kFileRead);
  EXPECT_EQ(Docker().CopyFileIn(engine_->Name("nobody"), file, "/theirs").error().code,
            ErrorCode::kContainerGone);
  ASSERT_TRUE(Docker().CopyIn(name, {{"/a/new/folder/file", "two\n", 0600}}));
  EXPECT_EQ(Docker().ReadFile(name, "/a/new/folder/file").value(), "two\n");
}

// --- What only a real engine can tell. ---

class RealDockerJobs : public DockerJobs {
 protected:
  ports::JobSpec Script(const std::string& name, const std::string& script) {
    return Spec(name, {"sh", "-c", script});
  }
  // How the engine has it.
  static std::string Field(const std::string& kind, const std::string& name,
                           const std::string& field) {
    return std::string(
        Trim(Output({"docker", kind, "inspect", "--format", "{{" + field + "}}", name})));
  }
};

TEST_P(RealDockerJobs, BothStreamsCome) {
  const Names lines = Printed(
      Script("job", "for i in 1 2 3; do echo out $i; sleep 0.3; echo err $i >&2; sleep 0.3; done"));
  EXPECT_EQ(lines, (Names{"out 1", "err 1", "out 2", "err 2", "out 3", "err 3"}));
}

TEST_P(RealDockerJobs, AnyExitCodeIsTheJobsOwn) {
  // 125 to 127 and 1 are also what the client itself ends with.
  for (const char* code : {"7", "125", "126", "127", "255"}) {
    const std::string exit = std::string("exit ") + code;
    EXPECT_EQ(Run(Created(Script(std::string("job") + code, exit))).value(), std::stoi(code));
  }
  Names lines;
  const std::string liar =
      Created(Script("liar", "echo 'Error response from daemon: No such container' >&2; exit 1"));
  EXPECT_EQ(Run(liar, &lines).value(), 1) << "what the job says is not what the engine says";
  EXPECT_EQ(lines.size(), 1U);
}

TEST_P(RealDockerJobs, OutputWithoutEndAndWithoutLinesCostsNoMemory) {
  const std::string name = Created(Script("job", "head -c 104857600 /dev/zero | tr '\\0' x"));
  const std::size_t before = PeakMemory();
  std::size_t bytes = 0;
  std::size_t longest = 0;
  std::size_t calls = 0;
  const auto code = Docker().RunJob(
      name,
      [&](std::string_view line) {
        bytes += line.size();
        longest = std::max(longest, line.size());
        ++calls;
      },
      [] { return false; });
  ASSERT_TRUE(code) << code.error().Text();
  EXPECT_EQ(*code, 0);
  EXPECT_EQ(bytes, 100 * kMiB);
  EXPECT_EQ(longest, 64u << 10);
  EXPECT_EQ(calls, 1600U);
  EXPECT_LT(PeakMemory() - before, 32 * kMiB);
}

TEST_P(RealDockerJobs, ManyLinesComeWholeAndInOrder) {
  const std::string name = Created(Script("job", "seq 1 2000000"));
  std::size_t next = 1;
  bool is_in_order = true;
  const auto code = Docker().RunJob(
      name,
      [&](std::string_view line) { is_in_order = is_in_order && line == std::to_string(next++); },
      [] { return false; });
  ASSERT_TRUE(code) << code.error().Text();
  EXPECT_TRUE(is_in_order);
  EXPECT_EQ(next, 2'000'001U);
}

TEST_P(RealDockerJobs, OneThatWritesAndIgnoresTermIsKilled) {
  const auto code = RunFor(Created(Script("job", "trap '' TERM INT; yes a line")), Millis(1000));
  ASSERT_TRUE(code) << code.error().Text();
  EXPECT_EQ(*code, 137);
}

TEST_P(RealDockerJobs, AVolumeIsSharedAndGoesWithItsJobs) {
  ports::JobSpec first = Script("first", "cat /data/in/file; echo more > /data/out");
  first.volume = "/data";
  Created(first);
  ASSERT_TRUE(Docker().CopyIn(first.name, {{"/data/in/file", "copied\n", 0600}}));
  const std::string file = engine_->Folder() + "/ours";
  ASSERT_TRUE(engine_->Files().Create(file, "ours\n", 0600));
  ASSERT_TRUE(Docker().CopyFileIn(first.name, file, "/data/ours"));
  Names lines;
  ASSERT_EQ(Run(first.name, &lines).value(), 0);
  EXPECT_EQ(lines, Names{"copied"});
  ports::JobSpec second = Script("second", "cat /data/out /data/ours");
  second.volumes_from = first.name;
  EXPECT_EQ(Printed(second), (Names{"more", "ours"}));
  ASSERT_EQ(Look(second.name).mounts.size(), 1U);
  const std::string volume = Look(second.name).mounts[0].source;
  EXPECT_EQ(Field("volume", volume, ".Name"), volume);
  ASSERT_TRUE(Docker().Remove(first.name, true));
  ASSERT_TRUE(Docker().Remove(second.name, true));
  EXPECT_EQ(Output({"docker", "volume", "ls", "--quiet", "--filter", "name=" + volume}), "");
}

TEST_P(RealDockerJobs, ANetworkIsInternalAndNamesAreKnownOnIt) {
  const std::string network = CreatedNetwork("net");
  EXPECT_EQ(Field("network", network, ".Internal"), "true");
  ports::JobSpec server = Spec("server", {"sleep", "600"});
  server.network = network;
  Created(server);
  ASSERT_TRUE(Docker().Start({server.name}));
  ports::JobSpec job = Script("job", "nslookup " + server.name + " | grep Address | tail -n 1");
  job.network = network;
  const Names lines = Printed(job);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].ends_with(" " + Look(server.name).network_ips.at(network))) << lines[0];
  EXPECT_EQ(Field("container", job.name, ".HostConfig.PortBindings"), "map[]");
}

TEST_P(RealDockerJobs, ALargeFileArrivesWhole) {
  const std::string file = engine_->Folder() + "/large";
  std::string bytes(100 * kMiB, '\0');
  for (std::size_t i = 0; i < bytes.size(); i += 1000) bytes[i] = static_cast<char>(i / 1000);
  ASSERT_TRUE(engine_->Files().Create(file, bytes, 0640));
  const std::string name = Created(Script("job", "sha256sum /large; stat -c '%a %u' /large"));
  const Status copied = Docker().CopyFileIn(name, file, "/large");
  ASSERT_TRUE(copied) << copied.error().Text();
  Names lines;
  ASSERT_EQ(Run(name, &lines).value(), 0);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].substr(0, 64), Sha256(bytes));
  EXPECT_EQ(lines[1], "640 0");
  EXPECT_EQ(Docker().CopyFileIn(name, file, "/no/such/folder").error().code,
            ErrorCode::kContainerFailed);
}

TEST_P(RealDockerJobs, FoldersAreMadeInAnImageThatHasNothing) {
  const std::string image = "ground.local/mu-contract/nothing:1";
  Output({"sh", "-c",
          "head -c 10240 /dev/zero | docker import --change 'CMD [\"/bin/run\"]' - " + image});
  ports::JobSpec spec = Spec("job", {"/deep/inside/program"});
  spec.image = image;
  Created(spec);
  const Status copied = Docker().CopyIn(
      spec.name, {{"/deep/inside/program", "x", 0755}, {"/config/file", "text", 0600}});
  ASSERT_TRUE(copied) << copied.error().Text();
  EXPECT_EQ(Docker().ReadFile(spec.name, "/config/file").value(), "text");
  EXPECT_EQ(Docker().ReadFile(spec.name, "/deep/inside/program").value(), "x");
  (void)Docker().Remove(spec.name, true);
  Output({"docker", "rmi", image});
}

TEST_P(RealDockerJobs, FoldersThatAreThereStayAsTheyAre) {
  const std::string name = Created(Script("job", "stat -c '%a %u' /shared"));
  ASSERT_TRUE(Docker().CopyIn(name, {{"/shared", "", 0600}}));
  const ports::JobSpec spec =
      Script("second", "mkdir -m 1777 /tmp/x 2>/dev/null; stat -c %a /tmp; cat /tmp/in/file");
  Created(spec);
  const std::string before = Join(Printed(Script("third", "stat -c %a /tmp")), "");
  ASSERT_TRUE(Docker().CopyIn(spec.name, {{"/tmp/in/file", "text\n", 0600}}));
  Names lines;
  ASSERT_EQ(Run(spec.name, &lines).value(), 0) << Join(lines, "\n");
  EXPECT_EQ(lines, (Names{before, "text"}));
}

TEST_P(RealDockerJobs, TheEnvironmentArrivesAsItIs) {
  ports::JobSpec spec = Script("job", "echo \"$SECRET\"; echo \"$PATH\"; echo \"$EMPTY.\"");
  spec.environment = {{"SECRET", "two words\nand a line"}, {"PATH", "/bin:/x"}, {"EMPTY", ""}};
  EXPECT_EQ(Printed(spec), (Names{"two words", "and a line", "/bin:/x", "."}));
}

TEST_P(RealDockerJobs, AGentleJobOfRootUnderAnInitProcess) {
  ports::JobSpec spec = Script("job", "id -u; cat /proc/1/comm; cat /mine");
  spec.is_root = true;
  spec.has_init = true;
  spec.is_gentle = true;
  Created(spec);
  ASSERT_TRUE(Docker().CopyIn(spec.name, {{"/mine", "mine\n", 0600}}));
  Names lines;
  const auto code = Run(spec.name, &lines);
  ASSERT_TRUE(code) << code.error().Text();
  EXPECT_EQ(lines, (Names{"0", "docker-init", "mine"}));
  EXPECT_EQ(Field("container", spec.name, ".HostConfig.CpuShares"), "128");
}

TEST_P(RealDockerJobs, TheEndOfItsOutputIsKept) {
  const std::string name = Created(Script("job", "seq 1 1000000"));  // 6.9 MB
  ASSERT_EQ(Run(name).value(), 0);
  EXPECT_EQ(Docker().Logs(name, 1).value(), "1000000");
  EXPECT_EQ(Field("container", name, ".HostConfig.LogConfig"), "{json-file map[max-size:4m]}");
}

INSTANTIATE_TEST_SUITE_P(Engines, DockerJobs, testing::ValuesIn(Engines()),
                         [](const auto& row) { return row.param.name; });
INSTANTIATE_TEST_SUITE_P(Engines, RealDockerJobs, testing::Values(Engines().back()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mu::contract
