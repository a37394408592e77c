// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648, section 4) of bytes: how etcd writes keys and values in JSON. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mu::adapters {

std::string Base64Encoded(std::string_view bytes);
// nullopt when it is not base64. Missing padding is forgiven.
std::optional<std::string> Base64Decoded(std::string_view text);

}  // namespace mu::adapters
