// SPDX-License-Identifier: Apache-2.0
// One HTTP/1.1 connection, plain, TLS or over a Unix socket, kept open between requests, each with
// its deadline. The only user of Beast. Owns its socket; one thread at a time. Never follows a
// redirect, never uses a proxy, never repeats a request: whether it may be repeated is known by who
// asks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/ports/http.h"

namespace mu::adapters {

struct HttpAddress {
  bool is_tls = false;
  std::string host;  // without the brackets of IPv6
  std::string port = "80";
  std::string path = "/";
  std::string socket = {};  // path of a Unix socket that is connected to in place of host and port
};
// http://host[:port][/path], https:// likewise; nullopt when it is not of that form.
std::optional<HttpAddress> ParseHttpAddress(std::string_view url);

struct HttpTls {
  std::string ca_file;              // PEM; "": the system's authorities
  std::string cert_file;            // PEM; "": no certificate of ours
  std::string key_file;             // PEM
  std::string min_version = "1.2";  // 1.0, 1.1, 1.2, 1.3
  bool checks_server_name = true;   // the certificate is checked in any case
};
// Reads the files and drops them. Errors: kFileRead, kInvalidInput, naming the file.
Status CheckTls(const HttpTls& tls);

enum class HttpVerb { kGet, kPost, kPut, kPatch, kDelete };
std::string_view NameOf(HttpVerb verb);

struct HttpRequest {
  HttpVerb verb = HttpVerb::kGet;
  std::string path = "/";
  std::map<std::string, std::string> headers;
  std::string body;
  bool keeps_open = false;
  std::uint64_t max_answer = 32u << 20;  // bytes of its body
};

struct HttpFailure {
  bool is_timeout = false;
  bool was_sent = false;  // the server may have some or all of the request
  std::string words;
};
// What has come of a body that is read as it comes.
struct HttpPart {
  std::string bytes;
  bool is_over = false;  // its end came with them
};
template <class T>
using HttpResult = tl::expected<T, HttpFailure>;

class HttpConnection {
 public:
  HttpConnection(HttpAddress address, std::optional<HttpTls> tls);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Open, and the server has not closed it nor said anything unasked.
  bool IsOpen() const;
  HttpResult<void> Open(Millis timeout);
  // Opens it first where it is not open. After a failure it is closed.
  HttpResult<ports::HttpAnswer> Ask(const HttpRequest& request, Millis timeout);
  // The same for an answer without an end that is known: its status as soon as its head is there,
  // its body by Take, which never waits. After a failure, and once the body is over, it is closed.
  HttpResult<int> Begin(const HttpRequest& request, Millis timeout);
  HttpResult<HttpPart> Take();

 private:
  struct Parts;
  tl::unexpected<HttpFailure> Close(HttpFailure failure);
  // What the library throws is a failure.
  template <class T, class Act>
  HttpResult<T> Guard(bool was_sent, Act act);
  HttpResult<void> Send(const HttpRequest& request, Millis timeout);
  HttpResult<int> BeginOrThrow(const HttpRequest& request, Millis timeout);
  HttpResult<HttpPart> TakeOrThrow();
  HttpResult<void> OpenOrThrow(Millis timeout);
  HttpResult<ports::HttpAnswer> AskOrThrow(const HttpRequest& request, Millis timeout);
  HttpAddress address_;
  std::optional<HttpTls> tls_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace mu::adapters
