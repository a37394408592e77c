// SPDX-License-Identifier: Apache-2.0
#include "edit/image_value.h"

#include <fmt/format.h>

#include <utility>

#include "milvus_upgrade/base/text.h"

namespace mu::edit {
namespace {

// A value takes part when it is set and, for the ":" forms, not empty.
bool TakesPart(WordUse use, const std::optional<Variables::Value>& value) {
  if (!value) return false;
  const bool asks_non_empty = use == WordUse::kDefaultWhenEmpty ||
                              use == WordUse::kErrorWhenEmpty || use == WordUse::kReplacesNonEmpty;
  return !asks_non_empty || !value->segment.text.empty() || !value->is_exact;
}

class Evaluation {
 public:
  Evaluation(const std::string& scalar, const Variables& variables)
      : scalar_(scalar), variables_(variables) {}

  Status Run(const std::vector<Piece>& pieces) {
    bool is_after_name = false;
    for (const Piece& piece : pieces) {
      if (piece.kind == Piece::Kind::kVariable) {
        MU_CHECK(Variable(piece));
        is_after_name = scalar_[piece.end - 1] != '}';
        continue;
      }
      Segment segment;
      segment.follows_name = is_after_name;
      is_after_name = false;
      segment.kind =
          piece.kind == Piece::Kind::kText ? Segment::Kind::kLiteral : Segment::Kind::kFixed;
      segment.text = piece.kind == Piece::Kind::kText
                         ? scalar_.substr(piece.begin, piece.end - piece.begin)
                         : "$";
      segment.offset = piece.begin;
      Push(std::move(segment));
    }
    return {};
  }

  ImageValue Take() { return std::move(value_); }

 private:
  void Push(Segment segment) {
    segment.new_text = segment.text;
    value_.segments.push_back(std::move(segment));
  }

  Status Variable(const Piece& piece) {
    const std::optional<Variables::Value> found = variables_.Find(piece.name);
    const bool takes_part = TakesPart(piece.use, found);
    switch (piece.use) {
      case WordUse::kReplacesNonEmpty:
      case WordUse::kReplacesSet:
        return takes_part ? Run(piece.word) : Status();
      case WordUse::kErrorWhenEmpty:
      case WordUse::kErrorWhenUnset:
        if (!takes_part) {
          return Fail(ErrorCode::kInvalidInput,
                      fmt::format("the required variable {} has no value", piece.name),
                      fmt::format("set {} in the shell or in .env", piece.name));
        }
        break;
      case WordUse::kDefaultWhenEmpty:
      case WordUse::kDefaultWhenUnset:
        if (!takes_part) {
          value_.defaults.push_back(piece.name);
          return Run(piece.word);
        }
        break;
      case WordUse::kNone:
        break;
    }
    if (!found) {
      value_.unset.push_back(piece.name);
      return {};
    }
    if (!found->is_exact) value_.inexact.push_back(piece.name);
    Push(found->segment);
    return {};
  }

  const std::string& scalar_;
  const Variables& variables_;
  ImageValue value_;
};

std::string Spell(const std::vector<Segment>& segments, std::size_t from, std::size_t to) {
  std::string text;
  for (std::size_t i = from; i < to; ++i) text += segments[i].new_text;
  return text;
}

// Lets one segment change so that the whole becomes `target`. A literal is preferred: only this
// service reads it.
bool ChangeOne(const std::string& target, std::vector<Segment>* segments) {
  if (Spell(*segments, 0, segments->size()) == target) return true;
  for (const auto kind : {Segment::Kind::kLiteral, Segment::Kind::kEnv, Segment::Kind::kShell}) {
    for (std::size_t i = 0; i < segments->size(); ++i) {
      if ((*segments)[i].kind != kind) continue;
      const std::string before = Spell(*segments, 0, i);
      const std::string after = Spell(*segments, i + 1, segments->size());
      const bool fits = before.size() + after.size() <= target.size() &&
                        target.starts_with(before) && target.ends_with(after);
      if (!fits) continue;
      std::string text = target.substr(before.size(), target.size() - before.size() - after.size());
      if ((*segments)[i].follows_name && !text.empty() && IsNameByte(text[0])) continue;
      (*segments)[i].new_text = std::move(text);
      return true;
    }
  }
  return false;
}

}  // namespace

Result<Variables> Variables::Load(const ProjectSources& sources) {
  Variables variables;
  variables.shell_ = sources.shell;
  for (const SourceFile& file : sources.env) {
    MU_TRY(std::vector<EnvEntry> entries, ParseEnvFile(file.path, file.bytes));
    variables.files_.push_back(std::move(entries));
  }
  return variables;
}

std::optional<Variables::Value> Variables::Find(const std::string& name) const {
  Value value;
  value.segment.variable = name;
  if (const auto it = shell_.find(name); it != shell_.end()) {
    value.segment.kind = Segment::Kind::kShell;
    value.segment.text = it->second;
    return value;
  }
  for (std::size_t file = files_.size(); file-- > 0;) {
    for (std::size_t i = files_[file].size(); i-- > 0;) {
      const EnvEntry& entry = files_[file][i];
      if (entry.name != name) continue;
      value.segment.kind = Segment::Kind::kEnv;
      value.segment.text = entry.value;
      value.segment.file = file;
      value.segment.entry = i;
      value.is_exact = entry.is_exact;
      return value;
    }
  }
  return std::nullopt;
}

std::string ImageValue::Text() const {
  std::string text;
  for (const Segment& segment : segments) text += segment.text;
  return text;
}

Result<ImageValue> Evaluate(const std::string& scalar, const Variables& variables) {
  MU_TRY(const std::vector<Piece> pieces, ParsePieces(scalar));
  Evaluation evaluation(scalar, variables);
  MU_CHECK(evaluation.Run(pieces));
  return evaluation.Take();
}

Status Rewrite(const model::ImageRef& wanted, std::vector<Segment>* segments) {
  if (ChangeOne(wanted.Text(), segments)) return {};
  // Several parts change in different places: one part after the other.
  const Result<model::ImageRef> parsed =
      model::ParseImageRef(Spell(*segments, 0, segments->size()));
  if (parsed) {
    model::ImageRef image = *parsed;
    bool is_done = true;
    image.digest = wanted.digest;
    is_done = is_done && ChangeOne(image.Text(), segments);
    image.tag = wanted.tag;
    is_done = is_done && ChangeOne(image.Text(), segments);
    image.repository = wanted.repository;
    is_done = is_done && ChangeOne(image.Text(), segments);
    if (is_done) return {};
  }
  std::vector<std::string> names;
  for (const Segment& segment : *segments) {
    if (!segment.variable.empty()) names.push_back(segment.variable);
  }
  return Fail(
      ErrorCode::kEditRefused,
      names.empty() ? std::string("the text around its variables does not fit the new image")
                    : fmt::format("no single one of its parts ({}) can be changed to give {}",
                                  Join(names, ", "), wanted.Text()),
      fmt::format("set the variables by hand so that they give {}, then run again", wanted.Text()));
}

}  // namespace mu::edit
