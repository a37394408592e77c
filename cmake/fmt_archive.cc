// SPDX-License-Identifier: Apache-2.0
// fmt's own definitions, once: the headers that all other files see hold declarations only. For a
// static binary, because Debian has fmt as a shared library alone.
#include <fmt/format-inl.h>

namespace fmt {
namespace detail {
template auto thousands_sep_impl<char>(locale_ref) -> thousands_sep_result<char>;
template auto decimal_point_impl(locale_ref) -> char;
}  // namespace detail
}  // namespace fmt
