// SPDX-License-Identifier: Apache-2.0
// Text as Go's fmt prints it with %v: Milvus's tool takes the index parameters, a JSON object,
// apart into text that way, and 2.2 reads that text. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace mu::meta {

// 128, 0.5, 100000, 1e+06, 1.234567e+06, 1e-05: the fewest digits that read back as the same
// number, with an exponent from 10^6 on and below 10^-4. `number` is finite.
std::string GoFloat(double number);

// The members of a JSON object, each as text: strings as they are, numbers by GoFloat, true, false,
// <nil>, [1 2], map[a:1 b:2]. Of members of one name the last counts. Nothing, with the reason,
// when it is not a JSON object or has a number that no float64 holds.
std::optional<std::map<std::string, std::string>> GoMembers(std::string_view json,
                                                            std::string* reason);

}  // namespace mu::meta
