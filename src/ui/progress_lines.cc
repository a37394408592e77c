// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "milvus_upgrade/base/text.h"
#include "ui/progress.h"
#include "ui/view.h"

namespace mu::ui {
namespace {

using Kind = run::ProgressEvent::Kind;

bool EndsStep(Kind kind) {
  return kind == Kind::kStepDone || kind == Kind::kStepSkipped || kind == Kind::kStepFailed ||
         kind == Kind::kStepInterrupted;
}

std::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kRunStarted:
      return "run-started";
    case Kind::kStepStarted:
      return "step-started";
    case Kind::kWaiting:
      return "waiting";
    case Kind::kStepDone:
      return "step-done";
    case Kind::kStepSkipped:
      return "step-skipped";
    case Kind::kStepFailed:
      return "step-failed";
    case Kind::kStepInterrupted:
      return "step-interrupted";
    case Kind::kOutageOpened:
      return "outage-opened";
    case Kind::kOutageClosed:
      return "outage-closed";
    case Kind::kPointOfNoReturn:
      return "point-of-no-return";
    case Kind::kRollbackStarted:
      return "rollback-started";
    case Kind::kRunEnded:
      return "run-ended";
    case Kind::kNote:
      break;
  }
  return "note";
}

// Every line of `text` after the first, indented, so that a block reads as one event.
std::string Block(std::string_view text) { return Join(Lines(text), "\n    "); }

}  // namespace

LineProgress::LineProgress(Stream& err, Draw draw, Now now)
    : err_(err), draw_(std::move(draw)), now_(std::move(now)) {}

void LineProgress::Put(const Line& line) {
  last_put_ = now_();
  const std::string text = draw_(line);
  if (!text.empty()) err_.Write(text);
}

void LineProgress::Tell(const run::ProgressEvent& event) {
  const std::lock_guard lock(mutex_);
  Line line = LineOf(event);
  if (line.kind == Kind::kWaiting) {
    // A gate reads many times a second; only what it newly sees is a line.
    const bool is_new = line.text != current_.text || current_.kind != Kind::kWaiting;
    current_ = line;
    if (is_new) Put(line);
    return;
  }
  if (line.kind == Kind::kStepStarted) {
    current_ = line;
    current_.text.clear();
    started_ = now_();
  } else if (EndsStep(line.kind) || line.kind == Kind::kRunEnded) {
    current_ = Line{};
  }
  Put(line);
}

void LineProgress::Tick() {
  const std::lock_guard lock(mutex_);
  if (current_.step.empty() || now_() - last_put_ < kHeartbeat) return;
  Line line = current_;
  line.kind = Kind::kWaiting;
  line.elapsed = now_() - started_;
  line.is_heartbeat = true;
  Put(line);
}

LineProgress::Draw PlainDraw(Style style) {
  return [style](const Line& line) {
    std::string sentence = Block(SentenceOf(line));
    if (line.kind == Kind::kStepFailed) sentence = style.Bad(sentence);
    if (line.kind == Kind::kStepInterrupted) sentence = style.Warn(sentence);
    if (line.kind == Kind::kStepDone || line.kind == Kind::kStepSkipped)
      sentence = style.Good(sentence);
    std::string text =
        line.step.empty() ? sentence + "\n" : fmt::format("{} {}\n", line.Name(), sentence);
    if (!line.hint.empty()) text += fmt::format("    {}\n", Block(line.hint));
    return text;
  };
}

LineProgress::Draw JsonDraw() {
  return [](const Line& line) {
    boost::json::object json;
    json["schema_version"] = kSchemaVersion;
    json["event"] = NameOf(line.kind);
    if (!line.step.empty()) {
      json["step"] = line.step;
      json["index"] = line.index;
      json["count"] = line.count;
      json["elapsed_ms"] = line.elapsed.count();
    }
    if (!line.text.empty()) json["text"] = line.text;
    if (!line.hint.empty()) json["hint"] = line.hint;
    if (line.is_heartbeat) json["heartbeat"] = true;
    return boost::json::serialize(json) + "\n";
  };
}

LineProgress::Draw GithubDraw() {
  return [](const Line& line) {
    const std::string sentence = GithubHarmless(Block(SentenceOf(line)));
    switch (line.kind) {
      case Kind::kStepStarted:
        return fmt::format("::group::{} {}\n", GithubMessage(line.Name()),
                           GithubMessage(line.title));
      case Kind::kStepDone:
      case Kind::kStepSkipped:
      case Kind::kStepInterrupted:
        return fmt::format("{}\n::endgroup::\n", sentence);
      case Kind::kStepFailed:
        return fmt::format(
            "::endgroup::\n::error title={}::{}\n", GithubProperty(line.step),
            GithubMessage(line.hint.empty() ? line.text : line.text + "\n" + line.hint));
      case Kind::kPointOfNoReturn:
        return fmt::format("::warning::{}\n", GithubMessage(SentenceOf(line)));
      default:
        return sentence + "\n";
    }
  };
}

std::string GithubMessage(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (c == '%') {
      encoded += "%25";
    } else if (c == '\r') {
      encoded += "%0D";
    } else if (c == '\n') {
      encoded += "%0A";
    } else {
      encoded += c;
    }
  }
  return encoded;
}

std::string GithubProperty(std::string_view text) {
  std::string encoded;
  for (const char c : GithubMessage(text)) {
    if (c == ':') {
      encoded += "%3A";
    } else if (c == ',') {
      encoded += "%2C";
    } else {
      encoded += c;
    }
  }
  return encoded;
}

std::string GithubHarmless(std::string_view text) {
  std::string harmless;
  for (const std::string& line : Lines(text)) {
    if (!harmless.empty()) harmless += '\n';
    // The runner looks for "::" after leading blanks, and for "##[" anywhere.
    if (Trim(line).starts_with("::")) harmless += "| ";
    std::string rest = line;
    for (std::size_t at = 0; (at = rest.find("##[", at)) != std::string::npos;)
      rest.insert(at + 2, " ");
    harmless += rest;
  }
  return harmless;
}

}  // namespace mu::ui
