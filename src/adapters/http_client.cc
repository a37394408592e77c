// SPDX-License-Identifier: Apache-2.0
#include "adapters/http_client.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t kMaxBody = 32u << 20;

struct Address {
  std::string host;
  std::string port = "80";
  std::string path = "/";
};

std::optional<Address> AddressOf(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  Address address;
  if (const auto slash = url.find('/'); slash != std::string_view::npos) {
    address.path = url.substr(slash);
    url = url.substr(0, slash);
  }
  const auto bracket = url.rfind(']');
  const auto colon = url.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    address.port = url.substr(colon + 1);
    url = url.substr(0, colon);
  }
  if (url.starts_with('[') && url.ends_with(']')) url = url.substr(1, url.size() - 2);
  address.host = url;
  const bool is_number = address.port.find_first_not_of("0123456789") == std::string::npos &&
                         !address.port.empty() && address.port.size() <= 5 &&
                         std::stoul(address.port) <= 65535;
  if (address.host.empty() || !is_number ||
      address.path.find_first_of(" \r\n") != std::string::npos)
    return std::nullopt;
  return address;
}

// One request, from the name to the last byte, each step started by the one before.
class Exchange {
 public:
  Exchange(asio::io_context& context, const Address& address)
      : resolver_(context), stream_(context) {
    request_.method(http::verb::get);
    request_.target(address.path);
    request_.version(11);
    request_.set(http::field::host, address.host + ":" + address.port);
    request_.set(http::field::user_agent, "milvus-upgrade");
    request_.set(http::field::connection, "close");
    parser_.body_limit(kMaxBody);
    error_code not_numeric;
    const auto numeric = asio::ip::make_address(address.host, not_numeric);
    if (!not_numeric) {
      const auto port = static_cast<unsigned short>(std::stoul(address.port));
      stream_.async_connect(asio::ip::tcp::endpoint(numeric, port),
                            [this](error_code error) { Connected(error); });
    } else {
      resolver_.async_resolve(address.host, address.port, [this](error_code error, auto results) {
        if (error) return End(error);
        stream_.async_connect(results, [this](error_code e, const auto&) { Connected(e); });
      });
    }
  }

  const std::optional<error_code>& Ended() const { return ended_; }
  ports::HttpAnswer Answer() {
    return {static_cast<int>(parser_.get().result_int()), std::move(parser_.get().body())};
  }

 private:
  void Connected(error_code error) {
    if (error) return End(error);
    http::async_write(stream_, request_, [this](error_code e, std::size_t) {
      if (e) return End(e);
      http::async_read(stream_, buffer_, parser_,
                       [this](error_code read, std::size_t) { End(read); });
    });
  }
  void End(error_code error) { ended_ = error; }

  asio::ip::tcp::resolver resolver_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  http::response_parser<http::string_body> parser_;
  std::optional<error_code> ended_;
};

}  // namespace

Result<ports::HttpAnswer> HttpClient::Get(const std::string& url, Millis timeout) {
  const auto address = AddressOf(url);
  if (!address)
    return Fail(
        ErrorCode::kCommandFailed,
        fmt::format("{} is not an address of the form http://host:port/path", Printable(url)));
  try {
    asio::io_context context;
    Exchange exchange(context, *address);
    context.run_for(timeout);
    if (!exchange.Ended())
      return Fail(ErrorCode::kCommandTimeout,
                  fmt::format("GET {}: no answer in {}", url, FormatDuration(timeout)));
    if (*exchange.Ended())
      return Fail(ErrorCode::kCommandFailed,
                  fmt::format("GET {}: {}", url, exchange.Ended()->message()));
    return exchange.Answer();
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kCommandFailed, fmt::format("GET {}: {}", url, e.what()));
  }
}

}  // namespace mu::adapters
