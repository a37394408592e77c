// SPDX-License-Identifier: Apache-2.0
// Small pure functions on text that more than one part needs. No Milvus knowledge here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mu {

std::vector<std::string> Split(std::string_view text, char separator);
std::vector<std::string> Lines(std::string_view text);  // without "\n" and "\r"
std::string Join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view Trim(std::string_view text);
std::string ToLower(std::string_view text);
// Without ANSI escapes and other control characters; invalid UTF-8 becomes U+FFFD. For text of
// child programs.
std::string Printable(std::string_view text);
bool IsUtf8(std::string_view text);
// The last `lines` lines of a text, for error messages.
std::string Tail(std::string_view text, std::size_t lines);
// `text` with every secret replaced by "***". Empty secrets are ignored.
std::string Redact(std::string text, const std::vector<std::string>& secrets);
// True for names that by custom hold secrets: *PASSWORD*, *SECRET*, *TOKEN*, *ACCESS_KEY*,
// *CREDENTIAL*.
bool IsSecretName(std::string_view name);
// As a shell would need it, so that a printed command can be pasted.
std::string ShellQuote(std::string_view argument);
std::string ShellLine(const std::vector<std::string>& argv);
// The candidate with the smallest edit distance (at most 3), or empty: "did you mean".
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace mu
