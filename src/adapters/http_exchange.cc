// SPDX-License-Identifier: Apache-2.0
#include "adapters/http_exchange.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
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
using Stream = asio::generic::stream_protocol;  // of the Internet or of this machine
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

std::optional<HttpFailure> FailureOf(const std::optional<error_code>& ended, Millis timeout) {
  if (!ended)
    return HttpFailure{true, true, fmt::format("no answer in {}", FormatDuration(timeout))};
  if (*ended) return HttpFailure{false, true, ended->message()};
  return {};
}

http::verb VerbOf(HttpVerb verb) {
  switch (verb) {
    case HttpVerb::kGet:
      return http::verb::get;
    case HttpVerb::kPost:
      return http::verb::post;
    case HttpVerb::kPut:
      return http::verb::put;
    case HttpVerb::kPatch:
      return http::verb::patch;
    case HttpVerb::kDelete:
      return http::verb::delete_;
  }
  return http::verb::get;
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

std::string_view NameOf(HttpVerb verb) {
  const auto name = http::to_string(VerbOf(verb));
  return {name.data(), name.size()};
}

struct HttpConnection::Parts {
  // Begins one read of the body that Take reads; how it ended is for Take to see.
  void ReadSome() {
    ended.reset();
    const auto handler = [this](error_code error, std::size_t) { ended = error; };
    tls ? http::async_read_some(*tls, buffer, *coming, handler)
        : http::async_read_some(socket, buffer, *coming, handler);
  }

  std::optional<error_code> ended;
  std::optional<http::response_parser<http::string_body>> coming;
  boost::beast::flat_buffer buffer;
  // Destroyed first: what is unfinished refers to the others.
  asio::io_context context;
  asio::ssl::context tls_context{asio::ssl::context::tls_client};
  tcp::resolver resolver{context};
  Stream::socket socket{context};
  std::optional<asio::ssl::stream<Stream::socket&>> tls;
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

tl::unexpected<HttpFailure> HttpConnection::Close(HttpFailure failure) {
  parts_.reset();
  return tl::unexpected(std::move(failure));
}

template <class T, class Act>
HttpResult<T> HttpConnection::Guard(bool was_sent, Act act) {
  try {
    return act();
  } catch (const std::exception& e) {
    return Close({false, was_sent, e.what()});
  }
}

HttpResult<void> HttpConnection::Open(Millis timeout) {
  return Guard<void>(false, [&] { return OpenOrThrow(timeout); });
}

HttpResult<ports::HttpAnswer> HttpConnection::Ask(const HttpRequest& request, Millis timeout) {
  return Guard<ports::HttpAnswer>(true, [&] { return AskOrThrow(request, timeout); });
}

HttpResult<int> HttpConnection::Begin(const HttpRequest& request, Millis timeout) {
  return Guard<int>(true, [&] { return BeginOrThrow(request, timeout); });
}

HttpResult<HttpPart> HttpConnection::Take() {
  return Guard<HttpPart>(true, [&] { return TakeOrThrow(); });
}

HttpResult<void> HttpConnection::OpenOrThrow(Millis timeout) {
  const Instant end = Now() + timeout;
  const auto fail = [&](std::string words, bool is_timeout = false) {
    return Close({is_timeout, false, std::move(words)});
  };
  parts_ = std::make_unique<Parts>();
  Parts& parts = *parts_;
  std::vector<Stream::endpoint> endpoints;
  if (!address_.socket.empty()) {
    endpoints.emplace_back(asio::local::stream_protocol::endpoint(address_.socket));
  } else if (IsNumeric(address_.host)) {
    endpoints.emplace_back(tcp::endpoint(asio::ip::make_address(address_.host),
                                         static_cast<unsigned short>(std::stoul(address_.port))));
  } else {
    const auto found = Finish(parts.context, end, [&](auto ended) {
      parts.resolver.async_resolve(address_.host, address_.port,
                                   [&endpoints, ended](error_code error, auto results) {
                                     for (const auto& one : results)
                                       endpoints.emplace_back(one.endpoint());
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

HttpResult<void> HttpConnection::Send(const HttpRequest& request, Millis timeout) {
  const Instant end = Now() + timeout;
  if (!IsOpen()) {
    if (auto opened = OpenOrThrow(timeout); !opened) return tl::unexpected(opened.error());
  }
  http::request<http::string_body> message(VerbOf(request.verb), request.path, 11);
  const bool is_v6 = address_.host.find(':') != std::string::npos;
  message.set(http::field::host, fmt::format("{}{}{}:{}", is_v6 ? "[" : "", address_.host,
                                             is_v6 ? "]" : "", address_.port));
  message.set(http::field::user_agent, "milvus-upgrade");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.keep_alive(request.keeps_open);
  message.body() = request.body;
  message.prepare_payload();
  Parts& parts = *parts_;
  const auto ended = Finish(parts.context, end, [&](auto handler) {
    parts.tls ? http::async_write(*parts.tls, message, handler)
              : http::async_write(parts.socket, message, handler);
  });
  if (auto failure = FailureOf(ended, timeout)) return Close(*std::move(failure));
  return {};
}

HttpResult<ports::HttpAnswer> HttpConnection::AskOrThrow(const HttpRequest& request,
                                                         Millis timeout) {
  const Instant end = Now() + timeout;
  if (auto sent = Send(request, timeout); !sent) return tl::unexpected(sent.error());
  http::response_parser<http::string_body> parser;
  parser.body_limit(request.max_answer);
  Parts& parts = *parts_;
  const auto ended = Finish(parts.context, end, [&](auto handler) {
    parts.tls ? http::async_read(*parts.tls, parts.buffer, parser, handler)
              : http::async_read(parts.socket, parts.buffer, parser, handler);
  });
  if (auto failure = FailureOf(ended, timeout)) return Close(*std::move(failure));
  ports::HttpAnswer answer{static_cast<int>(parser.get().result_int()),
                           std::move(parser.get().body())};
  if (!request.keeps_open || !parser.get().keep_alive()) parts_.reset();
  return answer;
}

HttpResult<int> HttpConnection::BeginOrThrow(const HttpRequest& request, Millis timeout) {
  const Instant end = Now() + timeout;
  if (auto sent = Send(request, timeout); !sent) return tl::unexpected(sent.error());
  Parts& parts = *parts_;
  parts.coming.emplace();
  parts.coming->body_limit(boost::none);
  const auto ended = Finish(parts.context, end, [&](auto handler) {
    parts.tls ? http::async_read_header(*parts.tls, parts.buffer, *parts.coming, handler)
              : http::async_read_header(parts.socket, parts.buffer, *parts.coming, handler);
  });
  if (auto failure = FailureOf(ended, timeout)) return Close(*std::move(failure));
  const int status = static_cast<int>(parts.coming->get().result_int());
  parts.context.restart();
  parts.ReadSome();
  return status;
}

HttpResult<HttpPart> HttpConnection::TakeOrThrow() {
  if (!parts_ || !parts_->coming)
    return tl::unexpected(HttpFailure{false, true, "there is no answer to read"});
  Parts& parts = *parts_;
  HttpPart part;
  for (;;) {
    parts.context.restart();
    parts.context.poll();
    if (!parts.ended) return part;
    part.bytes += std::exchange(parts.coming->get().body(), {});
    if (*parts.ended) return Close({false, true, parts.ended->message()});
    if (parts.coming->is_done()) {
      part.is_over = true;
      parts_.reset();
      return part;
    }
    parts.ReadSome();
  }
}

}  // namespace mu::adapters
