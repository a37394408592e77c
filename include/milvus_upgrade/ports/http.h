// SPDX-License-Identifier: Apache-2.0
// Http: one GET, for /healthz and /metrics. Never for anything that changes the world.
#pragma once

#include <string>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/base/result.h"

namespace mu::ports {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

class Http {
 public:
  virtual ~Http() = default;
  // `url` is http://host:port/path. Errors: kCommandFailed (refused, reset, malformed),
  // kCommandTimeout.
  virtual Result<HttpAnswer> Get(const std::string& url, Millis timeout) = 0;
};

}  // namespace mu::ports
