// SPDX-License-Identifier: Apache-2.0
#include "adapters/http_client.h"

#include <fmt/format.h>

#include "adapters/http_exchange.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {

Result<ports::HttpAnswer> HttpClient::Get(const std::string& url, Millis timeout) {
  const auto address = ParseHttpAddress(url);
  if (!address || address->is_tls)
    return Fail(
        ErrorCode::kCommandFailed,
        fmt::format("{} is not an address of the form http://host:port/path", Printable(url)));
  HttpConnection connection(*address, std::nullopt);
  HttpRequest request;
  request.path = address->path;
  auto answer = connection.Ask(request, timeout);
  if (answer) return std::move(*answer);
  if (answer.error().is_timeout)
    return Fail(ErrorCode::kCommandTimeout,
                fmt::format("GET {}: no answer in {}", url, FormatDuration(timeout)));
  return Fail(ErrorCode::kCommandFailed, fmt::format("GET {}: {}", url, answer.error().words));
}

}  // namespace mu::adapters
