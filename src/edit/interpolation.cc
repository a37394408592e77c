// SPDX-License-Identifier: Apache-2.0
#include "edit/interpolation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mu::edit {
namespace {

constexpr int kMaxNesting = 16;

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
class PieceParser {
 public:
  explicit PieceParser(std::string_view value) : value_(value) {}

  // Up to the end, or to the brace that closes the word.
  Result<std::vector<Piece>> Run(int depth) {
    std::vector<Piece> pieces;
    while (at_ < value_.size() && !(depth > 0 && value_[at_] == '}')) {
      if (value_[at_] == '$') {
        MU_TRY(Piece piece, Dollar(depth));
        pieces.push_back(std::move(piece));
        continue;
      }
      const std::size_t begin = at_;
      at_ = std::min(value_.find_first_of(depth > 0 ? "$}" : "$", at_), value_.size());
      pieces.push_back({Piece::Kind::kText, begin, at_, "", WordUse::kNone, {}});
    }
    return pieces;
  }

 private:
  tl::unexpected<Error> Bad(std::size_t at) const {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("character {} is no valid use of a variable", at + 1),
                "write ${NAME}, or $$ for a dollar sign");
  }

  std::string Name() {
    const std::size_t begin = at_;
    if (at_ < value_.size() && IsNameStart(value_[at_])) {
      while (at_ < value_.size() && IsNameByte(value_[at_])) ++at_;
    }
    return std::string(value_.substr(begin, at_ - begin));
  }

  Result<Piece> Dollar(int depth) {
    Piece piece{Piece::Kind::kVariable, at_, 0, "", WordUse::kNone, {}};
    ++at_;
    if (value_.substr(at_).starts_with('$')) {
      piece.kind = Piece::Kind::kDollar;
      piece.end = ++at_;
      return piece;
    }
    const bool has_brace = value_.substr(at_).starts_with('{');
    if (has_brace) ++at_;
    piece.name = Name();
    if (piece.name.empty()) return Bad(piece.begin);
    if (has_brace) {
      MU_CHECK(Word(depth, &piece));
      if (!value_.substr(at_).starts_with('}')) return Bad(piece.begin);
      ++at_;
    }
    piece.end = at_;
    return piece;
  }

  Status Word(int depth, Piece* piece) {
    const bool has_colon = value_.substr(at_).starts_with(':');
    const std::size_t mark = at_ + (has_colon ? 1 : 0);
    const char sign = mark < value_.size() ? value_[mark] : '\0';
    if (sign == '-') {
      piece->use = has_colon ? WordUse::kDefaultWhenEmpty : WordUse::kDefaultWhenUnset;
    } else if (sign == '?') {
      piece->use = has_colon ? WordUse::kErrorWhenEmpty : WordUse::kErrorWhenUnset;
    } else if (sign == '+') {
      piece->use = has_colon ? WordUse::kReplacesNonEmpty : WordUse::kReplacesSet;
    } else {
      return {};
    }
    if (depth >= kMaxNesting) return Bad(piece->begin);
    at_ = mark + 1;
    MU_TRY(piece->word, Run(depth + 1));
    return {};
  }

  std::string_view value_;
  std::size_t at_ = 0;
};

void Collect(const std::vector<Piece>& pieces, std::vector<std::string>* names) {
  for (const Piece& piece : pieces) {
    if (piece.kind != Piece::Kind::kVariable) continue;
    if (std::find(names->begin(), names->end(), piece.name) == names->end()) {
      names->push_back(piece.name);
    }
    Collect(piece.word, names);
  }
}

}  // namespace

bool IsNameByte(char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); }

Result<std::vector<Piece>> ParsePieces(std::string_view value) { return PieceParser(value).Run(0); }

std::vector<std::string> VariablesOf(const std::vector<Piece>& pieces) {
  std::vector<std::string> names;
  Collect(pieces, &names);
  return names;
}

bool MentionsVariable(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at)) {
    ++at;
    if (text.substr(at).starts_with('$')) {
      ++at;
      continue;
    }
    std::string_view rest = text.substr(at);
    if (rest.starts_with('{')) rest.remove_prefix(1);
    if (!rest.starts_with(name)) continue;
    rest.remove_prefix(name.size());
    if (rest.empty() || !IsNameByte(rest.front())) return true;
  }
  return false;
}

}  // namespace mu::edit
