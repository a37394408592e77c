// SPDX-License-Identifier: Apache-2.0
// Compose's variables inside a value: `$NAME`, `${NAME}`, `${NAME:-word}` and its kin, nested
// words, `$$`. Parses only; which variable has which value is decided by the caller. Source:
// Compose specification, "Interpolation"; checked against Compose 2.40.3 and 1.29.2.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"

namespace mu::edit {

enum class WordUse {
  kNone,              // ${NAME}
  kDefaultWhenEmpty,  // ${NAME:-word}
  kDefaultWhenUnset,  // ${NAME-word}
  kErrorWhenEmpty,    // ${NAME:?word}
  kErrorWhenUnset,    // ${NAME?word}
  kReplacesNonEmpty,  // ${NAME:+word}
  kReplacesSet,       // ${NAME+word}
};

struct Piece {
  enum class Kind { kText, kDollar, kVariable } kind = Kind::kText;
  std::size_t begin = 0;  // offsets in the value: [begin, end)
  std::size_t end = 0;
  std::string name;  // of a variable
  WordUse use = WordUse::kNone;
  std::vector<Piece> word;
};

// Errors: kInvalidInput with the offset, where Compose says "invalid interpolation format".
Result<std::vector<Piece>> ParsePieces(std::string_view value);
// Names that the pieces use, those in words too, in order, each once.
std::vector<std::string> VariablesOf(const std::vector<Piece>& pieces);
bool IsNameByte(char c);  // of a variable's name, but for its first byte
// True when the text names the variable in any way that Compose would replace, even where the text
// as a whole does not parse.
bool MentionsVariable(std::string_view text, std::string_view name);

}  // namespace mu::edit
