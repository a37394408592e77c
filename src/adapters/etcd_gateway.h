// SPDX-License-Identifier: Apache-2.0
// etcd's own v3 JSON gateway over HTTP or HTTPS. Needs no etcdctl and no container, only a port of
// etcd. One kept connection at a time. Never sends a commit or a grant twice when the first one may
// have arrived; what changes nothing when it is repeated is asked once more of a connection that
// was cut, and of the next endpoint. Sources: etcd 3.4.23 and 3.5.1, asked by
// tests/contract/etcd_client_contract_test.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/http_exchange.h"
#include "milvus_upgrade/ports/etcd_client.h"

namespace mu::adapters {

struct GatewayOptions {
  // "host:port", "http://host:port" or "https://host:port". The next one is tried when one refuses.
  std::vector<std::string> endpoints;
  std::string
      user;  // "": none. Its token is fetched when etcd asks for it, and renewed once a call
  std::string password;
  std::optional<HttpTls> tls;  // also makes "host:port" https
  Millis timeout{10'000};      // of one call, over all endpoints
};

// Reads the TLS files and asks nothing of etcd. Errors: kInvalidInput (no endpoint, a malformed
// one), kFileRead.
// Of the client's calls, beside those of the port: kEtcdNoGateway (the gateway is off, or cannot
// take the identity that etcd wants: a certificate's name), with what works instead.
Result<std::unique_ptr<ports::EtcdClient>> MakeEtcdGateway(const GatewayOptions& options);

// That of a container, at one of its addresses. Null where it cannot be made of this address.
inline constexpr int kEtcdPort = 2379;
std::unique_ptr<ports::EtcdClient> GatewayAt(const std::string& address, Millis timeout);

}  // namespace mu::adapters
