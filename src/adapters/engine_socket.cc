// SPDX-License-Identifier: Apache-2.0
#include "adapters/engine_socket.h"

#include "milvus_upgrade/base/text.h"

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
  const auto info = Get("/info");
  if (!info || JsonText(*info, {"ID"}) != engine.id) connection_.reset();
}

std::optional<json::value> EngineSocket::Get(const std::string& path) {
  if (!connection_) return std::nullopt;
  HttpRequest request;
  request.path = path;
  request.keeps_open = true;
  auto answer = connection_->Ask(request, kTimeout);
  // What was kept open may have been closed by the engine meanwhile; reading twice harms nobody.
  if (!answer && !answer.error().is_timeout) answer = connection_->Ask(request, kTimeout);
  if (!answer) return std::nullopt;
  if (answer->status == 404 && ToLower(answer->body).find("no such") != std::string::npos)
    return json::value();
  auto value = ParseJson(answer->body, "the engine");
  if (answer->status != 200 || !value || !value->is_object()) return std::nullopt;
  return *std::move(value);
}

}  // namespace mu::adapters
