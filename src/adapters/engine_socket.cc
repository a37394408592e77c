// SPDX-License-Identifier: Apache-2.0
#include "adapters/engine_socket.h"

#include <boost/json.hpp>

#include "adapters/json_read.h"

namespace mu::adapters {
namespace {

constexpr std::string_view kScheme = "unix://";
// A busy engine that takes longer is asked by the client, which waits for longer.
constexpr Millis kTimeout{5'000};

}  // namespace

void EngineSocket::Adopt(const model::Engine& engine) {
  if (connection_ || !engine.endpoint.starts_with(kScheme) || engine.id.empty()) return;
  HttpAddress address;
  address.host = "localhost";
  address.socket = engine.endpoint.substr(kScheme.size());
  connection_ = std::make_unique<HttpConnection>(address, std::nullopt);
  const auto answer = Get("/info");
  boost::system::error_code error;
  const json::value info =
      answer && answer->status == 200 ? boost::json::parse(answer->body, error) : json::value();
  if (error || JsonText(info, {"ID"}) != engine.id) connection_.reset();
}

std::optional<ports::HttpAnswer> EngineSocket::Get(const std::string& path) {
  if (!connection_) return std::nullopt;
  HttpRequest request;
  request.path = path;
  request.keeps_open = true;
  auto answer = connection_->Ask(request, kTimeout);
  // What was kept open may have been closed by the engine meanwhile; reading twice harms nobody.
  if (!answer && !answer.error().is_timeout) answer = connection_->Ask(request, kTimeout);
  if (!answer) return std::nullopt;
  return *std::move(answer);
}

}  // namespace mu::adapters
