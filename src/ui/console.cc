// SPDX-License-Identifier: Apache-2.0
#include "ui/console.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "milvus_upgrade/base/text.h"
#include "ui/progress.h"

namespace mu::ui {
namespace {

using config::ProgressMode;

constexpr int kDefaultWidth = 100;

std::string ValueOf(const std::map<std::string, std::string>& environment,
                    const std::string& name) {
  const auto it = environment.find(name);
  return it == environment.end() ? std::string() : it->second;
}

boost::json::object JsonOf(const Error& error) {
  boost::json::object json;
  json["id"] = IdOf(error.code);
  json["name"] = RowOf(error.code).name;
  json["message"] = Printable(error.message);
  boost::json::array context;
  for (const std::string& where : error.context) context.emplace_back(Printable(where));
  json["context"] = std::move(context);
  json["hint"] = Printable(error.Hint());
  json["can_retry"] = RowOf(error.code).can_retry;
  return json;
}

std::string JsonNote(std::string_view sentence) {
  Line line;
  line.text = Printable(sentence);
  return JsonDraw()(line);
}

}  // namespace

Console::Console(ConsoleSetup setup)
    : setup_(std::move(setup)), out_(setup_.out), err_(setup_.err) {}

Style Console::StyleOf(const Stream& stream) const {
  Style style;
  const bool is_tty = stream.IsTty();
  style.has_color = is_tty && ValueOf(setup_.environment, "NO_COLOR").empty() &&
                    ValueOf(setup_.environment, "TERM") != "dumb";
  int columns = is_tty ? stream.Columns() : 0;
  const std::string given = ValueOf(setup_.environment, "COLUMNS");
  if (columns == 0) std::from_chars(given.data(), given.data() + given.size(), columns);
  style.width = columns == 0 ? kDefaultWidth : std::clamp(columns, 40, 140);
  return style;
}

Style Console::OutStyle() const { return StyleOf(out_); }
Style Console::ErrStyle() const { return StyleOf(err_); }

ProgressMode Console::EffectiveProgress() const {
  const bool can_redraw = err_.IsTty() && ValueOf(setup_.environment, "TERM") != "dumb";
  switch (setup_.progress) {
    case ProgressMode::kAuto:
      if (can_redraw) return ProgressMode::kTty;
      return ValueOf(setup_.environment, "GITHUB_ACTIONS") == "true" ? ProgressMode::kGithub
                                                                     : ProgressMode::kPlain;
    case ProgressMode::kTty:
      // Asked for by name, but cursor codes in a file help nobody.
      return can_redraw ? ProgressMode::kTty : ProgressMode::kPlain;
    default:
      return setup_.progress;
  }
}

// GitHub's runner reads both streams: a line of a log in a report must not be a command to it.
void Console::WriteText(Stream& stream, const std::string& text) {
  const bool is_github = EffectiveProgress() == ProgressMode::kGithub && !text.empty();
  const std::string clean = Harmless(text, StyleOf(stream));
  stream.Write(is_github ? GithubHarmless(clean) + "\n" : clean);
}

int Console::End(ExitCode code, const View& result) {
  if (!IsJson()) {
    WriteText(out_, result.text);
    return static_cast<int>(code);
  }
  boost::json::object json;
  json["schema_version"] = kSchemaVersion;
  json["command"] = setup_.command;
  json["exit_code"] = static_cast<int>(code);
  for (const auto& member : result.json) json[member.key()] = member.value();
  out_.Write(boost::json::serialize(json) + "\n");
  return static_cast<int>(code);
}

int Console::Fail(const Error& error) { return Fail(error, RowOf(error.code).exit, View{}); }

int Console::Fail(const Error& error, ExitCode code, const View& result) {
  if (IsJson()) {
    View view = result;
    view.json["error"] = JsonOf(error);
    return End(code, view);
  }
  WriteText(out_, result.text);
  const std::string text = Printable(error.Text());
  const std::string hint = Printable(error.Hint());
  if (EffectiveProgress() == ProgressMode::kGithub) {
    err_.Write(fmt::format("::error title={}::{}\n", GithubProperty(RowOf(error.code).name),
                           GithubMessage(text + "\n" + hint)));
    return static_cast<int>(code);
  }
  const Style style = ErrStyle();
  // Not folded: paths and commands in it must stay whole for copying.
  err_.Write(
      fmt::format("{} {}\n{}{}\n", style.Bad("error:"), text, hint.empty() ? "" : "next: ", hint));
  return static_cast<int>(code);
}

void Console::Show(const View& view) {
  if (IsJson() || EffectiveProgress() == ProgressMode::kQuiet ||
      EffectiveProgress() == ProgressMode::kJson)
    return;
  WriteText(err_, view.text);
}

void Console::Note(std::string_view sentence) {
  if (EffectiveProgress() == ProgressMode::kQuiet) return;
  if (EffectiveProgress() == ProgressMode::kJson) {
    err_.Write(JsonNote(sentence));
    return;
  }
  err_.Write(Printable(sentence) + "\n");
}

void Console::Debug(std::string_view line) {
  if (EffectiveProgress() == ProgressMode::kJson) {
    err_.Write(JsonNote(Trim(line)));
    return;
  }
  WriteText(err_, std::string(line));
}

void Console::Warn(std::string_view sentence) {
  switch (EffectiveProgress()) {
    case ProgressMode::kGithub:
      err_.Write(fmt::format("::warning::{}\n", GithubMessage(Printable(sentence))));
      break;
    case ProgressMode::kJson:
      err_.Write(JsonNote("warning: " + std::string(sentence)));
      break;
    default:
      err_.Write(fmt::format("{} {}\n", ErrStyle().Warn("warning:"), Printable(sentence)));
  }
}

Status Console::CheckCanAsk(bool is_yes) const {
  if (is_yes) return {};
  if (IsJson()) return mu::Fail(ErrorCode::kNoTty, "with JSON output no question can be asked");
  if (isatty(setup_.in) != 1)
    return mu::Fail(ErrorCode::kNoTty,
                    "standard input is not a terminal, so no question can be asked");
  if (!err_.IsTty())
    return mu::Fail(ErrorCode::kNoTty,
                    "standard error is not a terminal, so nobody would see the question");
  return {};
}

Result<bool> Console::Ask(const std::string& question, bool is_yes, ports::Interrupts& interrupts) {
  MU_CHECK(CheckCanAsk(is_yes));
  if (is_yes) return true;
  err_.Write(fmt::format("{} [y/N] ", Printable(question)));
  std::string answer;
  for (;;) {
    pollfd waiting{setup_.in, POLLIN, 0};
    const int ready = poll(&waiting, 1, 100);
    if (interrupts.Pending() != ports::Interrupt::kNone) {
      err_.Write("\n");
      return mu::Fail(ErrorCode::kInterrupted, "interrupted at the question; nothing was touched",
                      "run the same command again");
    }
    if (ready <= 0) continue;
    char c = 0;
    const ssize_t got = read(setup_.in, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || c == '\n') break;
    answer += c;
  }
  const std::string word = ToLower(Trim(answer));
  return word == "y" || word == "yes";
}

std::optional<int> Console::AskOrEnd(const std::string& question, bool is_yes,
                                     ports::Interrupts& interrupts) {
  const auto answer = Ask(question, is_yes, interrupts);
  if (!answer) return Fail(answer.error());
  if (*answer) return std::nullopt;
  Note("nothing was touched");
  return End(ExitCode::kDone, {});
}

std::unique_ptr<run::Progress> Console::MakeProgress() {
  return ui::MakeProgress(EffectiveProgress(), err_, ErrStyle());
}

void Console::AppendStepSummary(std::string_view markdown) {
  const std::string path = ValueOf(setup_.environment, "GITHUB_STEP_SUMMARY");
  if (path.empty() || EffectiveProgress() != ProgressMode::kGithub) return;
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  std::string lost = fd < 0 ? std::strerror(errno) : "";
  if (fd >= 0) {
    Stream file(fd);
    file.Write(markdown);
    lost = file.Lost();
    close(fd);
  }
  if (!lost.empty()) Warn(fmt::format("the step summary {} cannot be written: {}", path, lost));
}

}  // namespace mu::ui
