// SPDX-License-Identifier: Apache-2.0
// The text of an image as Compose resolves it, cut into segments that each know where they are
// written: in the compose file, in an env file, in the shell. Decides which one segment must change
// so that the whole becomes the wanted image. Bytes are not touched here.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "edit/env_file.h"
#include "edit/interpolation.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/edit/compose_edit.h"
#include "milvus_upgrade/model/image_ref.h"

namespace mu::edit {

struct Segment {
  enum class Kind { kLiteral, kEnv, kShell, kFixed } kind = Kind::kFixed;
  std::string text;
  std::string new_text;       // what it must become; equal to text when it stays
  std::size_t offset = 0;     // of a literal: in the scalar's value
  bool follows_name = false;  // of a literal: behind $NAME, whose name a letter would prolong
  std::string variable;       // of kEnv, kShell
  std::size_t file = 0;       // of kEnv: index of the env file
  std::size_t entry = 0;      // of kEnv: index of its entry
};

// The variables of a project: the shell wins over env files, a later env file over an earlier one,
// a later line over an earlier one.
class Variables {
 public:
  // Errors: kInvalidInput with path:line.
  static Result<Variables> Load(const ProjectSources& sources);

  struct Value {
    Segment segment;
    bool is_exact = true;  // false: Compose v1 and v2 read the line differently
  };
  std::optional<Value> Find(const std::string& name) const;
  const std::vector<std::vector<EnvEntry>>& Files() const { return files_; }
  const EnvEntry& Entry(const Segment& segment) const {
    return files_[segment.file][segment.entry];
  }

 private:
  std::map<std::string, std::string> shell_;
  std::vector<std::vector<EnvEntry>> files_;
};

struct ImageValue {
  std::vector<Segment> segments;
  std::vector<std::string> unset;     // variables without a value that gave an empty text
  std::vector<std::string> defaults;  // variables whose default was taken
  std::vector<std::string> inexact;  // variables whose line is read differently by Compose versions
  std::string Text() const;
};

// Errors: kInvalidInput (without a place): bad use of a variable, ${NAME:?word} without a value.
Result<ImageValue> Evaluate(const std::string& scalar, const Variables& variables);

// Sets new_text of the segments so that they spell `wanted`, changing as few as can be. Errors:
// kEditRefused (without a place) when no single segment can take a part that must change.
Status Rewrite(const model::ImageRef& wanted, std::vector<Segment>* segments);

}  // namespace mu::edit
