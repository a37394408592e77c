// SPDX-License-Identifier: Apache-2.0
#include "adapters/process_runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "adapters/descriptor.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

using Instant = std::chrono::steady_clock::time_point;
using ports::Command;
using ports::CommandResult;

constexpr std::size_t kKeptStderr = 64u << 10;
constexpr Millis kTermGrace{2000};
constexpr std::size_t kLongestLine = 64u << 10;  // of those that are handed over
// A child may leave a helper behind that holds its pipes (ssh's shared connection under
// DOCKER_HOST=ssh://): once the child has ended, what it wrote is in the pipe already.
constexpr Millis kDrainAfterExit{200};
constexpr Millis kTick{100};        // how often a second signal is looked for
constexpr Millis kTickNoPidfd{10};  // how often the child is looked at on kernels before 5.3

Instant Now() { return std::chrono::steady_clock::now(); }
Millis Since(Instant start) { return std::chrono::duration_cast<Millis>(Now() - start); }

std::string Words(int error) { return std::strerror(error); }

// The value that the child will see: the command's own, else ours.
std::string EnvironmentValue(const Command& command, const char* name) {
  if (const auto it = command.environment.find(name); it != command.environment.end())
    return it->second;
  const char* ours = command.has_clean_environment ? nullptr : std::getenv(name);
  return ours == nullptr ? "" : ours;
}

std::vector<std::string> EnvironmentOf(const Command& command) {
  std::vector<std::string> lines;
  if (!command.has_clean_environment) {
    for (char** line = environ; *line != nullptr; ++line) {
      const std::string_view text(*line);
      if (!command.environment.contains(std::string(text.substr(0, text.find('=')))))
        lines.emplace_back(text);
    }
  }
  for (const auto& [name, value] : command.environment) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<std::string> FindProgram(const Command& command) {
  if (command.argv.empty() || command.argv[0].empty())
    return Fail(ErrorCode::kInternal, "a command without a program");
  const std::string& name = command.argv[0];
  if (name.find('/') != std::string::npos) return name;
  std::string not_executable;
  for (const std::string& folder : Split(EnvironmentValue(command, "PATH"), ':')) {
    const std::string path = (folder.empty() ? std::string(".") : folder) + "/" + name;
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    if (::access(path.c_str(), X_OK) == 0) return path;
    not_executable = path;
  }
  if (!not_executable.empty())
    return Fail(ErrorCode::kCommandNotFound, fmt::format("{} is not executable", not_executable));
  return Fail(ErrorCode::kCommandNotFound,
              fmt::format("{} is not on PATH ({})", name, EnvironmentValue(command, "PATH")));
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> MakePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Fail(ErrorCode::kInternal, "pipe: " + Words(errno));
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// stdin is /dev/null, or a file in memory: no pipe that could fill or break.
Result<Descriptor> OpenInput(const std::string& text) {
  if (text.empty()) return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Descriptor file(::memfd_create("stdin", MFD_CLOEXEC));
  std::size_t done = 0;
  while (file.IsOpen() && done < text.size()) {
    const ssize_t n = ::write(file.Get(), text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) return Fail(ErrorCode::kInternal, "stdin: " + Words(errno));
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  if (!file.IsOpen() || ::lseek(file.Get(), 0, SEEK_SET) != 0)
    return Fail(ErrorCode::kInternal, "stdin: " + Words(errno));
  return file;
}

// One child and its process group.
class Child {
 public:
  ~Child() {
    if (pid_ > 0 && !status_) Kill();
  }

  Status Start(const Command& command, const std::string& program, int in, int out, int err) {
    std::vector<std::string> arguments = command.argv;
    std::vector<std::string> environment = EnvironmentOf(command);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, in, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out, 1);
    ::posix_spawn_file_actions_adddup2(&actions, err, 2);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!command.working_directory.empty())
      ::posix_spawn_file_actions_addchdir_np(&actions, command.working_directory.c_str());
    // We ignore SIGPIPE and may block signals: a child starts as from a shell.
    sigset_t all;
    sigset_t none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    const int error = ::posix_spawn(&pid_, program.c_str(), &actions, &attributes,
                                    Pointers(arguments).data(), Pointers(environment).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) {
      pid_ = -1;
      return Fail(error == ENOENT ? ErrorCode::kCommandNotFound : ErrorCode::kCommandFailed,
                  fmt::format("{} cannot be started: {}", program, Words(error)));
    }
    pidfd_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    return {};
  }

  // As Start, and the kernel kills it when our thread ends. posix_spawn cannot ask for that, so it
  // is a fork: between that and the new program only what is safe there, on memory made ready here.
  Status StartBound(const Command& command, const std::string& program, int in, int out) {
    std::vector<std::string> arguments = command.argv;
    std::vector<std::string> environment = EnvironmentOf(command);
    const std::vector<char*> argv = Pointers(arguments);
    const std::vector<char*> envp = Pointers(environment);
    MU_TRY(Pipe failure, MakePipe());
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
      struct sigaction usual {};
      usual.sa_handler = SIG_DFL;
      for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &usual, nullptr);
      sigset_t none;
      ::sigemptyset(&none);
      ::sigprocmask(SIG_SETMASK, &none, nullptr);
      ::setpgid(0, 0);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(127);  // it was gone before we asked for that
      ::dup2(in, 0);
      ::dup2(out, 1);
      ::dup2(out, 2);
      if (failure.write.Get() != 3) ::dup3(failure.write.Get(), 3, O_CLOEXEC);
      ::closefrom(4);
      ::execve(program.c_str(), argv.data(), envp.data());
      const int error = errno;
      (void)!::write(3, &error, sizeof error);
      ::_exit(127);
    }
    int error = errno;
    if (pid_ > 0) {
      failure.write.Close();
      pollfd wait{failure.read.Get(), POLLIN, 0};
      while (::poll(&wait, 1, -1) < 0 && errno == EINTR) {
      }
      // The end of the pipe is the new program's beginning.
      if (::read(failure.read.Get(), &error, sizeof error) <= 0) error = 0;
      pidfd_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    }
    if (error == 0) return {};
    return Fail(error == ENOENT ? ErrorCode::kCommandNotFound : ErrorCode::kCommandFailed,
                fmt::format("{} cannot be started: {}", program, Words(error)));
  }

  int Pidfd() const { return pidfd_.Get(); }
  bool HasEnded() {
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
    return status_.has_value();
  }
  int ExitCode() const {
    return WIFSIGNALED(*status_) ? 128 + WTERMSIG(*status_) : WEXITSTATUS(*status_);
  }

  // Ends the whole group: SIGTERM, SIGKILL after the grace; reaps the child.
  void Kill() {
    ::kill(-pid_, SIGTERM);
    const Instant start = Now();
    while (!HasEnded() && Since(start) < kTermGrace) {
      pollfd wait{pidfd_.Get(), POLLIN, 0};
      ::poll(&wait, 1, 20);
    }
    ::kill(-pid_, SIGKILL);  // also what the child left in its group
    if (status_) return;
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    status_ = status;
  }

 private:
  pid_t pid_ = -1;
  Descriptor pidfd_;
  std::optional<int> status_;
};

// Reads what is there; closes at the end of the stream.
void Drain(Descriptor& from, std::string& into, std::size_t limit, bool keeps_tail) {
  char buffer[64 << 10];
  while (from.IsOpen()) {
    const ssize_t n = ::read(from.Get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      from.Close();
      return;
    }
    into.append(buffer, static_cast<std::size_t>(n));
    if (into.size() <= limit) continue;
    if (!keeps_tail) return;
    if (into.size() > 2 * limit) into.erase(0, into.size() - limit);
  }
}

// Hands over the whole lines of `text`, long ones in parts, and leaves the rest; all of it at the
// end of the stream.
void TakeLines(const Command& command, bool is_end, std::string& text) {
  if (!command.on_line) return;
  std::string_view rest = text;
  const auto take_parts = [&](std::size_t end) {
    for (; end > kLongestLine; end -= kLongestLine) {
      command.on_line(rest.substr(0, kLongestLine));
      rest.remove_prefix(kLongestLine);
    }
    return end;
  };
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    end = take_parts(end);
    command.on_line(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  take_parts(rest.size());
  if (is_end && !rest.empty()) command.on_line(std::exchange(rest, {}));
  text.erase(0, text.size() - rest.size());
}

std::string NameOf(const Command& command) {
  // Two words tell `docker stop` from `docker inspect`; more could show what is not for a message.
  std::string name = command.argv[0].substr(command.argv[0].rfind('/') + 1);
  if (command.argv.size() > 1 && !command.argv[1].starts_with('-')) name += " " + command.argv[1];
  return name;
}

class BoundChild final : public Companion {
 public:
  Status Start(const Command& command) {
    MU_TRY(const std::string program, FindProgram(command));
    MU_TRY(const Descriptor in, OpenInput(""));
    // A file in memory: it need not be read for the child to go on.
    output_ = Descriptor(::memfd_create("output", MFD_CLOEXEC));
    if (!output_.IsOpen()) return Fail(ErrorCode::kInternal, "output: " + Words(errno));
    ::fcntl(output_.Get(), F_SETFL, O_APPEND);
    return child_.StartBound(command, program, in.Get(), output_.Get());
  }
  bool HasEnded() override { return child_.HasEnded(); }
  std::string Output() const override {
    std::string text(kKeptStderr, '\0');
    const off_t size = ::lseek(output_.Get(), 0, SEEK_END);
    const off_t kept = static_cast<off_t>(text.size());
    const ssize_t n =
        ::pread(output_.Get(), text.data(), text.size(), size > kept ? size - kept : 0);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }

 private:
  Descriptor output_;
  Child child_;
};

}  // namespace

Result<std::unique_ptr<Companion>> StartCompanion(const Command& command) {
  auto child = std::make_unique<BoundChild>();
  MU_CHECK(child->Start(command));
  return child;
}

Result<CommandResult> ProcessRunner::Run(const Command& command) {
  const Instant start = Now();
  MU_TRY(const std::string program, FindProgram(command));
  if (!command.working_directory.empty() &&
      ::access(command.working_directory.c_str(), X_OK) != 0) {
    return Fail(ErrorCode::kCommandFailed,
                fmt::format("{} cannot be started in {}: {}", command.argv[0],
                            command.working_directory, Words(errno)));
  }
  Descriptor in;
  Descriptor keeps_in_open;
  if (command.wants_end) {
    MU_TRY(Pipe pipe, MakePipe());
    ::fcntl(pipe.read.Get(), F_SETFL, 0);  // the child's end blocks, as a program expects
    in = std::move(pipe.read);
    keeps_in_open = std::move(pipe.write);
  } else {
    MU_TRY(in, OpenInput(command.standard_input));
  }
  MU_TRY(Pipe err, MakePipe());
  Pipe out;
  if (command.stdout_file.empty()) {
    MU_TRY(out, MakePipe());
  } else {
    out.write = Descriptor(
        ::open(command.stdout_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!out.write.IsOpen()) {
      const int error = errno;
      return Fail(error == ENOSPC  ? ErrorCode::kDiskFull
                  : error == EROFS ? ErrorCode::kReadOnly
                                   : ErrorCode::kFileWrite,
                  fmt::format("{}: {}", command.stdout_file, Words(error)));
    }
  }

  Child child;
  MU_CHECK(child.Start(command, program, in.Get(), out.write.Get(),
                       command.joins_stderr ? out.write.Get() : err.write.Get()));
  in.Close();
  out.write.Close();
  err.write.Close();

  CommandResult result;
  std::optional<Instant> ended;
  Instant counts_from = start;
  for (;;) {
    if (keeps_in_open.IsOpen()) {
      counts_from = Now();
      if (command.wants_end()) keeps_in_open.Close();
    }
    Drain(out.read, result.out, command.on_line ? kLongestLine : command.max_output, false);
    TakeLines(command, false, result.out);
    Drain(err.read, result.err, kKeptStderr, true);
    if (!command.on_line && result.out.size() > command.max_output) {
      return Fail(ErrorCode::kCommandOutput,
                  fmt::format("{} wrote more than {} bytes", NameOf(command), command.max_output));
    }
    if (!ended && child.HasEnded()) {
      ended = Now();
      continue;  // what it wrote between the drain and its end
    }
    if (ended && ((!out.read.IsOpen() && !err.read.IsOpen()) || Since(*ended) >= kDrainAfterExit))
      break;
    const Millis left = command.timeout - Since(counts_from);
    if (!ended && left <= Millis(0)) {
      child.Kill();
      Drain(err.read, result.err, kKeptStderr, true);
      const std::string words = Printable(Tail(Trim(result.err), 1));
      return Fail(ErrorCode::kCommandTimeout,
                  fmt::format("{} did not end in {} and was stopped{}{}", NameOf(command),
                              FormatDuration(command.timeout), words.empty() ? "" : ": ", words));
    }
    if (interrupts_ != nullptr && interrupts_->Pending() == ports::Interrupt::kStopNow) {
      keeps_in_open.Close();  // the gentle way, before the child is signalled
      return Fail(ErrorCode::kInterrupted,
                  fmt::format("{} was stopped by a second signal", NameOf(command)));
    }
    const Millis tick = ended ? kDrainAfterExit : child.Pidfd() >= 0 ? kTick : kTickNoPidfd;
    const Millis wait = ended ? tick : std::min(tick, left);
    pollfd watched[] = {{out.read.Get(), POLLIN, 0},
                        {err.read.Get(), POLLIN, 0},
                        {ended ? -1 : child.Pidfd(), POLLIN, 0}};
    ::poll(watched, std::size(watched), static_cast<int>(wait.count()));
  }
  TakeLines(command, true, result.out);
  if (result.err.size() > kKeptStderr) result.err.erase(0, result.err.size() - kKeptStderr);
  result.exit_code = child.ExitCode();
  result.took = Since(start);
  return result;
}

Result<CommandResult> RecordingRunner::Run(const Command& command) {
  auto result = inner_.Run(command);
  ports::CommandRecord record;
  for (const std::string& argument : command.argv)
    record.argv.push_back(Redact(argument, secrets_));
  if (result) {
    record.exit_code = result->exit_code;
    record.took = result->took;
    record.err_tail = Redact(Printable(Tail(result->err, 5)), secrets_);
  } else {
    record.exit_code = -1;
    record.failure = Redact(result.error().message, secrets_);
  }
  const std::lock_guard lock(mutex_);
  log_(record);
  return result;
}

}  // namespace mu::adapters
