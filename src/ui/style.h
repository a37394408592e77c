// SPDX-License-Identifier: Apache-2.0
// Style: how text may look on one stream: colour or not, and its width. Views take it and stay
// pure: the same values and style give the same text. It never decides by itself; the console does.
#pragma once

#include <string>
#include <string_view>

namespace mu::ui {

struct Style {
  bool has_color = false;
  int width = 100;  // columns; views fold sentences at it, never names, paths or commands

  std::string Bold(std::string_view text) const { return Paint("1", text); }
  std::string Faint(std::string_view text) const { return Paint("2", text); }
  std::string Good(std::string_view text) const { return Paint("32", text); }
  std::string Warn(std::string_view text) const { return Paint("33", text); }
  std::string Bad(std::string_view text) const { return Paint("31", text); }

 private:
  std::string Paint(std::string_view code, std::string_view text) const;
};

// `text` as a terminal may get it: controls and escapes that are not Style's own are taken out,
// whatever value they came from.
std::string Harmless(std::string_view text, const Style& style);

// `text` folded at spaces into lines of at most `width` columns; lines after the first start with
// `indent` spaces. A word longer than a line stays whole. The first line is taken to start at
// column `indent` as well. No final newline.
std::string Fold(std::string_view text, int indent, int width);

// "label     text" as one or more whole lines: the label padded to `column`, the text folded after
// it. The label may be painted: only its visible columns count.
std::string Entry(std::string_view label, std::string_view text, int column, const Style& style);

}  // namespace mu::ui
