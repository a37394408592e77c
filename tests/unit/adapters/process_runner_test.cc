// SPDX-License-Identifier: Apache-2.0
#include "adapters/process_runner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "unit/adapters/scratch.h"

namespace mu::adapters {
namespace {

using ports::Command;
using test::Scratch;
using test::Slurp;
using test::Spill;

Command Sh(const std::string& script) {
  Command command;
  command.argv = {"sh", "-c", script};
  command.timeout = Millis(10'000);
  return command;
}

bool IsAlive(const std::string& pid) {
  const std::string status = Slurp("/proc/" + pid + "/stat");
  return !status.empty() && status.find(") Z ") == std::string::npos;
}

TEST(ProcessRunner, ReturnsBothStreamsAndTheExitCode) {
  const auto result = ProcessRunner().Run(Sh("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out, "out\n");
  EXPECT_EQ(result->err, "err\n");
  EXPECT_EQ(result->exit_code, 3);
}

TEST(ProcessRunner, GivesASignalAs128AndItsNumber) {
  EXPECT_EQ(ProcessRunner().Run(Sh("kill -9 $$"))->exit_code, 137);
  EXPECT_EQ(ProcessRunner().Run(Sh("kill -TERM $$"))->exit_code, 143);
}

TEST(ProcessRunner, DrainsBothPipesAtOnce) {
  const auto result = ProcessRunner().Run(
      Sh("head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; "
         "echo last >&2"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out.size(), 3'000'000u);
  EXPECT_EQ(result->err.size(), 65536u);
  EXPECT_TRUE(result->err.ends_with("last\n"));
}

TEST(ProcessRunner, HandsOverLinesAsTheyComeAndHoldsStdinOpenUntilTheEndIsWanted) {
  std::vector<std::string> lines;
  Command command = Sh("echo one; printf 'two\\nthr'; sleep 0.2; echo ee; cat; printf last");
  command.on_line = [&](std::string_view line) { lines.emplace_back(line); };
  std::size_t seen = 0;
  command.wants_end = [&] {
    seen = lines.size();
    return seen == 3;  // the child lives and its lines are here
  };
  const auto result = ProcessRunner().Run(command);
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_EQ(result->exit_code, 0);
  EXPECT_EQ(seen, 3u);
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "three", "last"}));
  EXPECT_EQ(result->out, "");
}

TEST(ProcessRunner, HandsOverLongLinesInPartsAndKeepsNothing) {
  std::vector<std::size_t> sizes;
  Command command =
      Sh("head -c 65536 /dev/zero; echo; head -c 65537 /dev/zero; echo; head -c 200000 /dev/zero; "
         "sleep 0.3; echo");
  command.max_output = 1000;  // of what is kept
  command.on_line = [&](std::string_view line) { sizes.push_back(line.size()); };
  const auto result = ProcessRunner().Run(command);
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_EQ(sizes, (std::vector<std::size_t>{65536, 65536, 1, 65536, 65536, 65536, 3392}));
}

TEST(ProcessRunner, JoinsStderrToStdoutInTheOrderOfWriting) {
  Command command = Sh("echo 1; echo 2 >&2; echo 3; echo 4 >&2; exit 5");
  command.joins_stderr = true;
  const auto result = ProcessRunner().Run(command);
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_EQ(result->out, "1\n2\n3\n4\n");
  EXPECT_EQ(result->err, "");
  EXPECT_EQ(result->exit_code, 5);
}

TEST(ProcessRunner, CountsTheTimeoutOfSuchAChildFromWhenItsEndIsWanted) {
  Command command = Sh("exec sleep 30");  // does not look at its stdin
  command.timeout = Millis(300);
  const auto start = std::chrono::steady_clock::now();
  const auto since = [&] { return std::chrono::steady_clock::now() - start; };
  command.wants_end = [&] { return since() > std::chrono::milliseconds(700); };
  const auto result = ProcessRunner().Run(command);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCommandTimeout);
  EXPECT_GE(since(), std::chrono::milliseconds(1000));
  EXPECT_LT(since(), std::chrono::seconds(10));
}

TEST(ProcessRunner, NamesAProgramThatIsNotOnPath) {
  Command command;
  command.argv = {"no-such-program-here"};
  const auto result = ProcessRunner().Run(command);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCommandNotFound);
  EXPECT_NE(result.error().message.find("no-such-program-here is not on PATH"), std::string::npos);
  command.argv = {"/no/such/program"};
  EXPECT_EQ(ProcessRunner().Run(command).error().code, ErrorCode::kCommandNotFound);
}

TEST(ProcessRunner, NamesAFileThatIsNotExecutable) {
  Scratch scratch;
  test::Spill(scratch.Path("bin/plain"), "#!/bin/sh\n");
  Command command;
  command.argv = {"plain"};
  const auto result = ProcessRunner().Run(command);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("not executable"), std::string::npos);
}

TEST(ProcessRunner, KillsTheWholeGroupAfterTheTimeout) {
  Scratch scratch;
  Command command = Sh("sleep 300 & echo $! > " + scratch.Path("pid") + "; echo waiting >&2; wait");
  command.timeout = Millis(300);
  const auto start = std::chrono::steady_clock::now();
  const auto result = ProcessRunner().Run(command);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCommandTimeout);
  EXPECT_NE(result.error().message.find("waiting"), std::string::npos);
  std::string pid = Slurp(scratch.Path("pid"));
  pid.pop_back();
  for (int i = 0; i < 100 && IsAlive(pid); ++i) ProcessRunner().Run(Sh("sleep 0.01")).value();
  EXPECT_FALSE(IsAlive(pid));
}

TEST(ProcessRunner, KillsAChildThatIgnoresSigterm) {
  Command command = Sh("trap '' TERM; while :; do sleep 0.1; done");
  command.timeout = Millis(200);
  const auto start = std::chrono::steady_clock::now();
  const auto result = ProcessRunner().Run(command);
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(result.error().code, ErrorCode::kCommandTimeout);
  EXPECT_GT(took, std::chrono::milliseconds(2000));
  EXPECT_LT(took, std::chrono::milliseconds(4000));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was left unreaped";
}

TEST(ProcessRunner, RefusesMoreOutputThanAllowed) {
  Command command = Sh("yes");
  command.max_output = 1 << 20;
  const auto result = ProcessRunner().Run(command);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCommandOutput);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(ProcessRunner, FeedsTextAndElseNothingToStdin) {
  Command command = Sh("wc -c");
  command.standard_input = std::string(300'000, 'x');
  EXPECT_EQ(ProcessRunner().Run(command)->out, "300000\n");
  command.standard_input.clear();
  EXPECT_EQ(ProcessRunner().Run(command)->out, "0\n");
  // A child that never reads its stdin must not hurt us.
  Command deaf = Sh("exit 0");
  deaf.standard_input = std::string(300'000, 'x');
  EXPECT_EQ(ProcessRunner().Run(deaf)->exit_code, 0);
}

TEST(ProcessRunner, HandsNoDescriptorAndNoIgnoredSignalToTheChild) {
  const int low = ::open("/etc/hostname", O_RDONLY);
  const int high = ::fcntl(low, F_DUPFD, 200);
  ::signal(SIGPIPE, SIG_IGN);
  const auto result = ProcessRunner().Run(Sh("ls /proc/self/fd; grep SigIgn /proc/self/status"));
  ::signal(SIGPIPE, SIG_DFL);
  ::close(low);
  ::close(high);
  const std::string descriptors = "0\n1\n2\n3\nSigIgn:\t";  // 3 is ls's own
  ASSERT_TRUE(result->out.starts_with(descriptors)) << result->out;
  // 32 and 33 are glibc's own; all that a program may use are at their default.
  EXPECT_EQ(std::stoull(result->out.substr(descriptors.size()), nullptr, 16) & 0x7FFFFFFF, 0u);
}

TEST(ProcessRunner, RunsEachChildInItsOwnGroup) {
  const auto result = ProcessRunner().Run(Sh("cut -d' ' -f5 /proc/$$/stat; echo $$"));
  const auto half = result->out.size() / 2;
  EXPECT_EQ(result->out.substr(0, half), result->out.substr(half));
}

TEST(ProcessRunner, WritesStdoutStraightToAPrivateFile) {
  Scratch scratch;
  Command command = Sh("printf data; echo no >&2");
  command.stdout_file = scratch.Path("out");
  const auto result = ProcessRunner().Run(command);
  EXPECT_EQ(result->out, "");
  EXPECT_EQ(Slurp(scratch.Path("out")), "data");
  struct stat facts {};
  ::stat(command.stdout_file.c_str(), &facts);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  command.stdout_file = scratch.Path("none/out");
  EXPECT_EQ(ProcessRunner().Run(command).error().code, ErrorCode::kFileWrite);
}

TEST(ProcessRunner, AddsToOurEnvironmentOrReplacesIt) {
  ::setenv("MU_OURS", "1", 1);
  Command command = Sh("echo \"$MU_OURS-$MU_THEIRS\"");
  command.environment = {{"MU_THEIRS", "2"}};
  EXPECT_EQ(ProcessRunner().Run(command)->out, "1-2\n");
  command.environment["MU_OURS"] = "3";
  EXPECT_EQ(ProcessRunner().Run(command)->out, "3-2\n");
  command.environment = {{"PATH", ::getenv("PATH")}, {"MU_THEIRS", "2"}};
  command.has_clean_environment = true;
  EXPECT_EQ(ProcessRunner().Run(command)->out, "-2\n");
  ::unsetenv("MU_OURS");
}

TEST(ProcessRunner, StartsInTheGivenFolder) {
  Scratch scratch;
  Command command = Sh("pwd");
  command.working_directory = scratch.Path("bin");
  EXPECT_EQ(ProcessRunner().Run(command)->out, scratch.Path("bin") + "\n");
  command.working_directory = scratch.Path("none");
  const auto result = ProcessRunner().Run(command);
  EXPECT_EQ(result.error().code, ErrorCode::kCommandFailed);
  EXPECT_NE(result.error().message.find("none"), std::string::npos);
}

TEST(ProcessRunner, DoesNotWaitForAHelperThatHoldsThePipes) {
  const auto start = std::chrono::steady_clock::now();
  const auto result = ProcessRunner().Run(Sh("sleep 5 & echo $!"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  ::kill(std::stoi(result->out), SIGKILL);
}

class SecondSignal : public ports::Interrupts {
 public:
  ports::Interrupt Pending() override { return pending; }
  int Signal() override { return SIGINT; }
  std::atomic<ports::Interrupt> pending = ports::Interrupt::kFinishStep;
};

TEST(ProcessRunner, FinishesAtTheFirstSignalAndStopsAtTheSecond) {
  SecondSignal signal;
  ProcessRunner runner(&signal);
  EXPECT_EQ(runner.Run(Sh("sleep 0.2; echo whole"))->out, "whole\n");
  std::thread presser([&] {
    ProcessRunner().Run(Sh("sleep 0.2")).value();
    signal.pending = ports::Interrupt::kStopNow;
  });
  const auto start = std::chrono::steady_clock::now();
  const auto result = runner.Run(Sh("sleep 300"));
  presser.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
  EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
}

TEST(ProcessRunner, RunsFromSeveralThreads) {
  ProcessRunner runner;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 10; ++k)
        right += runner.Run(Sh("echo " + std::to_string(i)))->out == std::to_string(i) + "\n";
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 80);
}

template <class F>
bool Soon(F is_so) {
  for (int i = 0; i < 500 && !is_so(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return is_so();
}

TEST(Companion, LivesBesideUsAndEndsWithItsOwner) {
  auto companion = StartCompanion(Sh("echo $$; exec sleep 300"));
  ASSERT_TRUE(companion) << companion.error().Text();
  ASSERT_TRUE(Soon([&] { return !(*companion)->Output().empty(); }));
  EXPECT_FALSE((*companion)->HasEnded());
  const pid_t pid = std::stoi((*companion)->Output());
  EXPECT_EQ(::kill(pid, 0), 0);
  companion->reset();
  EXPECT_EQ(::kill(pid, 0), -1) << "it is neither killed nor reaped";
}

TEST(Companion, TellsWhatItWroteAndThatItHasEnded) {
  const auto companion = StartCompanion(Sh("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(companion);
  EXPECT_TRUE(Soon([&] { return (*companion)->HasEnded(); }));
  EXPECT_EQ((*companion)->Output(), "out\nerr\n");
}

TEST(Companion, DiesWithTheThreadThatStartedIt) {
  std::unique_ptr<Companion> companion;
  std::thread([&] { companion = StartCompanion(Sh("exec sleep 300")).value(); }).join();
  EXPECT_TRUE(Soon([&] { return companion->HasEnded(); }));
}

TEST(Companion, GetsNoDescriptorOfOurs) {
  const int ours = ::open("/dev/null", O_RDONLY);  // not closed on exec
  const auto companion = StartCompanion(Sh("ls /proc/self/fd"));
  ASSERT_TRUE(companion);
  ASSERT_TRUE(Soon([&] { return (*companion)->HasEnded(); }));
  EXPECT_EQ((*companion)->Output(), "0\n1\n2\n3\n") << "3 is that of ls itself";
  ::close(ours);
}

TEST(Companion, SaysWhyItCannotBeStarted) {
  Command command;
  command.argv = {"no-such-program"};
  EXPECT_EQ(StartCompanion(command).error().code, ErrorCode::kCommandNotFound);
  Scratch scratch;
  Spill(scratch.Path("text"), "");
  command.argv = {scratch.Path("text")};
  const auto refused = StartCompanion(command);
  EXPECT_EQ(refused.error().code, ErrorCode::kCommandFailed);
  EXPECT_NE(refused.error().message.find("Permission denied"), std::string::npos);
}

TEST(RecordingRunner, RecordsEachChildWithItsSecretsMasked) {
  ProcessRunner inner;
  std::vector<ports::CommandRecord> records;
  RecordingRunner runner(
      inner, [&](const ports::CommandRecord& record) { records.push_back(record); }, {"hunter2"});
  runner.Run(Sh("echo password=hunter2 >&2; exit 4")).value();
  Command missing;
  missing.argv = {"no-such-program", "--user=a:hunter2"};
  EXPECT_FALSE(runner.Run(missing));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].exit_code, 4);
  EXPECT_EQ(records[0].err_tail, "password=***");
  EXPECT_EQ(records[0].argv[2], "echo password=*** >&2; exit 4");
  EXPECT_EQ(records[1].argv[1], "--user=a:***");
  EXPECT_NE(records[1].failure.find("not on PATH"), std::string::npos);
}

}  // namespace
}  // namespace mu::adapters
