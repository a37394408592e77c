// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "milvus_upgrade/base/text.h"
#include "ui/progress.h"

namespace mu::ui {
namespace {

using Kind = run::ProgressEvent::Kind;

constexpr Millis kRedraw{100};

}  // namespace

std::string Cut(std::string_view text, int columns) {
  if (columns <= 0) return {};
  std::string line;
  for (const char c : text) line += c == '\n' || c == '\t' ? ' ' : c;
  const auto starts = [](char c) { return (c & 0xC0) != 0x80; };
  if (std::count_if(line.begin(), line.end(), starts) <= columns) return line;
  const int kept = std::max(columns - 3, 0);
  std::size_t at = 0;
  for (int seen = 0; at < line.size(); ++at) {
    if (starts(line[at]) && seen++ == kept) break;
  }
  return line.substr(0, at) +
         std::string("...").substr(0, static_cast<std::size_t>(columns - kept));
}

TtyProgress::TtyProgress(Stream& err, Style style, Now now)
    : err_(err), style_(style), now_(std::move(now)) {}

TtyProgress::~TtyProgress() { err_.SetLive(""); }

void TtyProgress::Tell(const run::ProgressEvent& event) {
  const std::lock_guard lock(mutex_);
  Line line = LineOf(event);
  switch (line.kind) {
    case Kind::kStepStarted:
      current_ = line;
      current_.text = line.title;
      started_ = now_();
      Redraw();
      return;
    case Kind::kWaiting:
      current_.text = line.text;
      Redraw();
      return;
    case Kind::kStepDone:
    case Kind::kStepSkipped:
    case Kind::kStepFailed:
    case Kind::kStepInterrupted:
    case Kind::kRunEnded:
      current_ = Line{};
      err_.SetLive("");
      break;
    default:
      break;
  }
  std::string sentence = SentenceOf(line);
  if (line.kind == Kind::kStepDone || line.kind == Kind::kStepSkipped)
    sentence = style_.Good(sentence);
  if (line.kind == Kind::kStepFailed) sentence = style_.Bad(sentence);
  if (line.kind == Kind::kPointOfNoReturn || line.kind == Kind::kStepInterrupted)
    sentence = style_.Warn(sentence);
  std::string text =
      line.step.empty() ? sentence + "\n" : fmt::format("{}  {}\n", line.Name(), sentence);
  if (!line.hint.empty()) text += fmt::format("    {}\n", Fold(line.hint, 4, style_.width));
  err_.Write(text);
}

void TtyProgress::Tick() {
  const std::lock_guard lock(mutex_);
  if (!current_.step.empty()) Redraw();
}

void TtyProgress::Redraw() {
  const Millis now = now_();
  if (now - drawn_ < kRedraw) return;
  drawn_ = now;
  const int columns = err_.Columns();
  // The last column stays free: some terminals wrap there.
  err_.SetLive(
      Cut(fmt::format("{}  {}  {}", current_.Name(), FormatDuration(now - started_), current_.text),
          (columns > 0 ? columns : style_.width) - 1));
}

}  // namespace mu::ui
