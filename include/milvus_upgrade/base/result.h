// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error (std::expected is not in C++20). Status is a Result without a
// value.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "milvus_upgrade/base/error.h"

namespace mu {

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> Fail(ErrorCode code, std::string message, std::string hint = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(hint), {}});
}
inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace mu

#define MU_CONCAT_(a, b) a##b
#define MU_CONCAT(a, b) MU_CONCAT_(a, b)
// MU_TRY(auto x, F()): x is the value of F(), or the enclosing function returns F()'s error.
#define MU_TRY(declaration, expression)                                 \
  auto&& MU_CONCAT(mu_try_, __LINE__) = (expression);                   \
  if (!MU_CONCAT(mu_try_, __LINE__))                                    \
    return ::mu::Fail(std::move(MU_CONCAT(mu_try_, __LINE__)).error()); \
  declaration = std::move(*MU_CONCAT(mu_try_, __LINE__))
// MU_CHECK(F()): the enclosing function returns F()'s error, if it has one.
#define MU_CHECK(expression)                           \
  do {                                                 \
    if (auto mu_check_ = (expression); !mu_check_)     \
      return ::mu::Fail(std::move(mu_check_).error()); \
  } while (false)
