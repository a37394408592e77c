// SPDX-License-Identifier: Apache-2.0
#include "adapters/http_client.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

namespace mu::adapters {
namespace {

namespace beast = boost::beast;
using boost::asio::ip::tcp;

// /metrics of a busy Milvus is some hundred KiB.
constexpr std::uint64_t kMaxBody = 16u << 20;

struct Target {
  std::string host;
  std::string port = "80";
  std::string path = "/";
};

std::optional<Target> ParseUrl(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  Target target;
  if (const auto slash = url.find('/'); slash != std::string_view::npos) {
    target.path = url.substr(slash);
    url = url.substr(0, slash);
  }
  if (const auto colon = url.rfind(':'); colon != std::string_view::npos && !url.ends_with(']')) {
    target.port = url.substr(colon + 1);
    url = url.substr(0, colon);
  }
  if (url.starts_with('[') && url.ends_with(']')) url = url.substr(1, url.size() - 2);
  target.host = url;
  return target.host.empty() || target.port.empty() ? std::nullopt : std::optional(target);
}

// Beast's timeouts work on asynchronous calls only, so each call is started, and the context run
// until it ends.
class Exchange {
 public:
  Exchange(const Target& target, Millis timeout) : target_(target), timeout_(timeout) {}

  boost::system::error_code Run() {
    boost::system::error_code error;
    tcp::resolver resolver(context_);
    const auto endpoints = resolver.resolve(target_.host, target_.port, error);
    if (error) return error;
    stream_.expires_after(timeout_);
    stream_.async_connect(endpoints,
                          [&](boost::system::error_code e, const tcp::endpoint&) { error = e; });
    if (!Finish(error)) return error;
    beast::http::request<beast::http::empty_body> request(beast::http::verb::get, target_.path, 11);
    request.set(beast::http::field::host, target_.host);
    request.set(beast::http::field::connection, "close");
    beast::http::async_write(stream_, request,
                             [&](boost::system::error_code e, std::size_t) { error = e; });
    if (!Finish(error)) return error;
    parser_.body_limit(kMaxBody);
    beast::http::async_read(stream_, buffer_, parser_,
                            [&](boost::system::error_code e, std::size_t) { error = e; });
    Finish(error);
    return error;
  }

  ports::HttpAnswer Answer() const {
    return {static_cast<int>(parser_.get().result_int()), parser_.get().body()};
  }

 private:
  bool Finish(const boost::system::error_code& error) {
    context_.run();
    context_.restart();
    return !error;
  }

  const Target& target_;
  Millis timeout_;
  boost::asio::io_context context_{1};
  beast::tcp_stream stream_{context_};
  beast::flat_buffer buffer_;
  beast::http::response_parser<beast::http::string_body> parser_;
};

}  // namespace

Result<ports::HttpAnswer> HttpClient::Get(const std::string& url, Millis timeout) {
  const auto target = ParseUrl(url);
  if (!target) return Fail(ErrorCode::kUsage, fmt::format("\"{}\" is not an http:// address", url));
  try {
    Exchange exchange(*target, timeout);
    const boost::system::error_code error = exchange.Run();
    if (error == beast::error::timeout) {
      return Fail(ErrorCode::kCommandTimeout,
                  fmt::format("{} did not answer in {}", url, FormatDuration(timeout)));
    }
    if (error) return Fail(ErrorCode::kCommandFailed, fmt::format("{}: {}", url, error.message()));
    return exchange.Answer();
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kCommandFailed, fmt::format("{}: {}", url, error.what()));
  }
}

}  // namespace mu::adapters
