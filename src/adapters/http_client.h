// SPDX-License-Identifier: Apache-2.0
// One plain GET over a connection of its own, for /healthz and /metrics. Owns nothing; usable from
// several threads. Never follows a redirect, never TLS, never a proxy: the prober must see the
// server itself.
#pragma once

#include "milvus_upgrade/ports/http.h"

namespace mu::adapters {

class HttpClient final : public ports::Http {
 public:
  Result<ports::HttpAnswer> Get(const std::string& url, Millis timeout) override;
};

}  // namespace mu::adapters
