// SPDX-License-Identifier: Apache-2.0
// One plain HTTP GET on a connection of its own, bounded in time and size. The only user of Beast.
// Usable from several threads at once.
#pragma once

#include "milvus_upgrade/ports/http.h"

namespace mu::adapters {

class HttpClient final : public ports::Http {
 public:
  Result<ports::HttpAnswer> Get(const std::string& url, Millis timeout) override;
};

}  // namespace mu::adapters
