// SPDX-License-Identifier: Apache-2.0
// Console: the one place that writes to stdout and stderr and reads the terminal. Results go to
// stdout, all else to stderr; with JSON output stdout gets exactly one object, whatever happens. It
// decides colour, width and progress mode from the streams and the environment. A stream that is
// closed or full never ends the program: the loss is remembered. It never reads the journal or
// acts.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/run/effect.h"
#include "ui/stream.h"
#include "ui/style.h"
#include "ui/view.h"

namespace mu::ui {

struct ConsoleSetup {
  int in = 0;  // file descriptors; not owned
  int out = 1;
  int err = 2;
  config::Output output = config::Output::kText;
  config::ProgressMode progress = config::ProgressMode::kAuto;
  std::string command;                             // "plan compose": the JSON head's "command"
  std::map<std::string, std::string> environment;  // NO_COLOR, TERM, COLUMNS, GITHUB_*
};

class Console {
 public:
  explicit Console(ConsoleSetup setup);
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  bool IsJson() const { return setup_.output == config::Output::kJson; }
  Style OutStyle() const;  // for views that will be the result
  Style ErrStyle() const;  // for views that are shown on the way

  // The last thing a command does, once. Text: the view on stdout. JSON: {"schema_version",
  // "command", "exit_code", view.json...}. Returns the number of `code`, to be returned from main.
  int End(ExitCode code, const View& result);
  // Ends with an error: what, where and what to do next on stderr, or the JSON object with "error":
  // {"id","name","message","context","hint","can_retry"}. The catalogue's exit code, or `code`
  // where a run has already changed something (6 and 7 are never the catalogue's business).
  // `result` is what there is to show all the same: findings, a report.
  int Fail(const Error& error);
  int Fail(const Error& error, ExitCode code, const View& result);

  // On the way, for people: stderr; nothing with JSON output or quiet progress.
  void Show(const View& view);
  void Note(std::string_view sentence);
  // A line of --verbose, whole, from any thread: it leaves the live line of a terminal in order.
  void Debug(std::string_view line);
  // As Note, but also when quiet.
  void Warn(std::string_view sentence);

  // Whether Ask can be answered later: to be called before any work. Errors: kNoTty.
  Status CheckCanAsk(bool is_yes) const;
  // True for "y" and "yes"; Enter, end of input and everything else is no. With `is_yes` nothing is
  // asked. Errors: kNoTty, kInterrupted.
  Result<bool> Ask(const std::string& question, bool is_yes, ports::Interrupts& interrupts);
  // As Ask; after anything but a yes the command is over: its exit code. Nothing was touched.
  std::optional<int> AskOrEnd(const std::string& question, bool is_yes,
                              ports::Interrupts& interrupts);

  // The progress view of the chosen mode. It must end before End or Fail is called.
  std::unique_ptr<run::Progress> MakeProgress();
  // For --progress github: appends Markdown to the file of GITHUB_STEP_SUMMARY, when set. Does
  // nothing in other modes. A file that cannot be written is a warning.
  void AppendStepSummary(std::string_view markdown);

  // Why a part of the result did not reach stdout ("No space left on device"), "" when it all did.
  // A reader that went away (EPIPE) is not a loss.
  std::string OutLost() const { return out_.Lost(); }

 private:
  config::ProgressMode EffectiveProgress() const;
  Style StyleOf(const Stream& stream) const;
  void WriteText(Stream& stream, const std::string& text);

  ConsoleSetup setup_;
  Stream out_;
  Stream err_;
};

}  // namespace mu::ui
