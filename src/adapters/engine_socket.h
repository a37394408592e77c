// SPDX-License-Identifier: Apache-2.0
// The engine's own API over its Unix socket, for what is only read: an inspect takes the client 12
// to 35 ms and the socket 1 (measured), and some twenty of them are outage. Used only where the
// socket is here and leads to the very engine that the client asks. What it cannot answer is asked
// of the client, whose words people know.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "adapters/http_exchange.h"
#include "adapters/json_read.h"
#include "milvus_upgrade/model/container.h"

namespace mu::adapters {

class EngineSocket {
 public:
  // Proves that the endpoint's socket leads to this engine; it is left alone where it does not.
  void Adopt(const model::Engine& engine);
  // The object that a GET gives, null where there is none of that name. Nothing where there is no
  // such socket, or where it does not tell.
  std::optional<json::value> Get(const std::string& path);

 private:
  std::unique_ptr<HttpConnection> connection_;
};

}  // namespace mu::adapters
