// SPDX-License-Identifier: Apache-2.0
#include "adapters/http_exchange.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>
#include <vector>

#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Instant = std::chrono::steady_clock::time_point;

Instant Now() { return std::chrono::steady_clock::now(); }

bool IsNumeric(const std::string& host) {
  error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

// Starts one operation and runs it to its end; nullopt when `end` comes first. The operation then
// still refers to this frame: the io_context must be destroyed, which drops it unfinished.
template <class Start>
std::optional<error_code> Finish(asio::io_context& context, Instant end, Start start) {
  std::optional<error_code> ended;
  context.restart();
  start([&ended](error_code error, auto&&...) { ended = error; });
  context.run_until(end);
  return ended;
}

std::optional<int> TlsVersion(std::string_view text) {
  if (text == "1.0") return TLS1_VERSION;
  if (text == "1.1") return TLS1_1_VERSION;
  if (text == "1.2") return TLS1_2_VERSION;
  if (text == "1.3") return TLS1_3_VERSION;
  return std::nullopt;
}

Status Prepare(const HttpTls& tls, asio::ssl::context& context) {
  const auto version = TlsVersion(tls.min_version);
  if (!version)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} is no TLS version: use 1.0, 1.1, 1.2 or 1.3", tls.min_version));
  ::SSL_CTX_set_min_proto_version(context.native_handle(), *version);
  const auto bad_file = [](const std::string& file, const error_code& error) {
    return Fail(ErrorCode::kFileRead, fmt::format("{}: {}", file, error.message()));
  };
  error_code error;
  context.set_verify_mode(asio::ssl::verify_peer, error);
  if (tls.ca_file.empty()) {
    context.set_default_verify_paths(error);
  } else if (context.load_verify_file(tls.ca_file, error)) {
    return bad_file(tls.ca_file, error);
  }
  if (tls.cert_file.empty() != tls.key_file.empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: a certificate and its key are given together",
                            tls.cert_file.empty() ? tls.key_file : tls.cert_file));
  if (tls.cert_file.empty()) return {};
  if (context.use_certificate_chain_file(tls.cert_file, error))
    return bad_file(tls.cert_file, error);
  if (context.use_private_key_file(tls.key_file, asio::ssl::context::pem, error))
    return bad_file(tls.key_file, error);
  return {};
}

}  // namespace

std::optional<HttpAddress> ParseHttpAddress(std::string_view url) {
  HttpAddress address;
  address.is_tls = url.starts_with("https://");
  if (address.is_tls) {
    address.port = "443";
  } else if (!url.starts_with("http://")) {
    return std::nullopt;
  }
  url.remove_prefix(url.find("//") + 2);
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

Status CheckTls(const HttpTls& tls) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  return Prepare(tls, context);
}

struct HttpConnection::Parts {
  asio::io_context context;
  asio::ssl::context tls_context{asio::ssl::context::tls_client};
  tcp::resolver resolver{context};
  tcp::socket socket{context};
  std::optional<asio::ssl::stream<tcp::socket&>> tls;
  boost::beast::flat_buffer buffer;
};

HttpConnection::HttpConnection(HttpAddress address, std::optional<HttpTls> tls)
    : address_(std::move(address)), tls_(std::move(tls)) {}
HttpConnection::~HttpConnection() = default;

bool HttpConnection::IsOpen() const {
  if (!parts_ || parts_->buffer.size() != 0) return false;
  char byte = 0;
  const ssize_t n = ::recv(parts_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

HttpResult<void> HttpConnection::Open(Millis timeout) {
  try {
    return OpenOrThrow(timeout);
  } catch (const std::exception& e) {
    parts_.reset();
    return tl::unexpected(HttpFailure{false, false, e.what()});
  }
}

HttpResult<ports::HttpAnswer> HttpConnection::Ask(const HttpRequest& request, Millis timeout) {
  try {
    return AskOrThrow(request, timeout);
  } catch (const std::exception& e) {
    parts_.reset();
    return tl::unexpected(HttpFailure{false, true, e.what()});
  }
}

HttpResult<void> HttpConnection::OpenOrThrow(Millis timeout) {
  const Instant end = Now() + timeout;
  const auto fail = [&](std::string words, bool is_timeout = false) {
    parts_.reset();
    return tl::unexpected(HttpFailure{is_timeout, false, std::move(words)});
  };
  parts_ = std::make_unique<Parts>();
  Parts& parts = *parts_;
  std::vector<tcp::endpoint> endpoints;
  if (IsNumeric(address_.host)) {
    endpoints.emplace_back(asio::ip::make_address(address_.host),
                           static_cast<unsigned short>(std::stoul(address_.port)));
  } else {
    const auto found = Finish(parts.context, end, [&](auto ended) {
      parts.resolver.async_resolve(address_.host, address_.port,
                                   [&endpoints, ended](error_code error, auto results) {
                                     for (const auto& one : results) endpoints.push_back(one);
                                     ended(error);
                                   });
    });
    if (!found) return fail("its name was not resolved in time", true);
    if (*found) return fail(found->message());
  }
  const auto connected = Finish(
      parts.context, end, [&](auto ended) { asio::async_connect(parts.socket, endpoints, ended); });
  if (!connected) return fail("it took no connection in time", true);
  if (*connected) return fail(connected->message());
  error_code ignored;
  parts.socket.set_option(tcp::no_delay(true), ignored);
  if (!address_.is_tls) return {};

  const HttpTls tls = tls_.value_or(HttpTls{});
  if (const Status ready = Prepare(tls, parts.tls_context); !ready)
    return fail(ready.error().message);
  parts.tls.emplace(parts.socket, parts.tls_context);
  if (tls.checks_server_name)
    parts.tls->set_verify_callback(asio::ssl::host_name_verification(address_.host), ignored);
  if (!IsNumeric(address_.host))
    ::SSL_set_tlsext_host_name(parts.tls->native_handle(), address_.host.c_str());
  const auto shaken = Finish(parts.context, end, [&](auto ended) {
    parts.tls->async_handshake(asio::ssl::stream_base::client, ended);
  });
  if (!shaken) return fail("TLS: no answer in time", true);
  if (*shaken) {
    const long verdict = ::SSL_get_verify_result(parts.tls->native_handle());
    return fail(fmt::format("TLS: {}{}{}", shaken->message(), verdict == X509_V_OK ? "" : ": ",
                            verdict == X509_V_OK ? "" : ::X509_verify_cert_error_string(verdict)));
  }
  return {};
}

HttpResult<ports::HttpAnswer> HttpConnection::AskOrThrow(const HttpRequest& request,
                                                         Millis timeout) {
  const Instant end = Now() + timeout;
  if (!IsOpen()) {
    if (auto opened = OpenOrThrow(timeout); !opened) return tl::unexpected(opened.error());
  }
  const auto fail = [&](std::string words, bool is_timeout = false) {
    parts_.reset();
    return tl::unexpected(HttpFailure{is_timeout, true, std::move(words)});
  };
  http::request<http::string_body> message(request.is_post ? http::verb::post : http::verb::get,
                                           request.path, 11);
  const bool is_v6 = address_.host.find(':') != std::string::npos;
  message.set(http::field::host, fmt::format("{}{}{}:{}", is_v6 ? "[" : "", address_.host,
                                             is_v6 ? "]" : "", address_.port));
  message.set(http::field::user_agent, "milvus-upgrade");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.keep_alive(request.keeps_open);
  message.body() = request.body;
  message.prepare_payload();
  http::response_parser<http::string_body> parser;
  parser.body_limit(request.max_answer);

  Parts& parts = *parts_;
  for (const bool is_write : {true, false}) {
    const auto ended = Finish(parts.context, end, [&](auto handler) {
      if (is_write) {
        parts.tls ? http::async_write(*parts.tls, message, handler)
                  : http::async_write(parts.socket, message, handler);
      } else {
        parts.tls ? http::async_read(*parts.tls, parts.buffer, parser, handler)
                  : http::async_read(parts.socket, parts.buffer, parser, handler);
      }
    });
    if (!ended) return fail(fmt::format("no answer in {}", FormatDuration(timeout)), true);
    if (*ended) return fail(ended->message());
  }
  ports::HttpAnswer answer{static_cast<int>(parser.get().result_int()),
                           std::move(parser.get().body())};
  if (!request.keeps_open || !parser.get().keep_alive()) parts_.reset();
  return answer;
}

}  // namespace mu::adapters
