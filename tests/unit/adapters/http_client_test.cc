// SPDX-License-Identifier: Apache-2.0
#include "adapters/http_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace mu::adapters {
namespace {

// Answers one connection on a loopback port with fixed bytes.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer, bool closes = true)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(socket_, 4);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ::ntohs(address.sin_port);
    thread_ = std::thread([this, closes, bytes = std::move(answer)] {
      const int peer = ::accept(socket_, nullptr, nullptr);
      if (peer < 0) return;
      char buffer[4096];
      const ssize_t n = ::read(peer, buffer, sizeof buffer);
      if (n > 0) request_.assign(buffer, static_cast<std::size_t>(n));
      if (::write(peer, bytes.data(), bytes.size()) < 0) request_ += "(write failed)";
      if (!closes) {
        while (::read(peer, buffer, sizeof buffer) > 0) {
        }
      }
      ::close(peer);
    });
  }
  ~OneAnswer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  std::string Url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  std::string Request() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    thread_ = std::thread([] {});
    return request_;
  }

 private:
  int socket_;
  int port_ = 0;
  std::string request_;
  std::thread thread_;
};

TEST(HttpClient, GetsStatusAndBody) {
  OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
  const auto answer = HttpClient().Get(server.Url("/healthz?x=1"), Millis(5000));
  ASSERT_TRUE(answer) << answer.error().Text();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "OK");
  EXPECT_TRUE(server.Request().starts_with("GET /healthz?x=1 HTTP/1.1\r\nHost: 127.0.0.1:"));
}

TEST(HttpClient, GivesAnUnhealthyAnswerAsAResult) {
  OneAnswer server(
      "HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nproxy\r\n0\r\n\r\n");
  const auto answer = HttpClient().Get(server.Url("/healthz"), Millis(5000));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->body, "proxy");
}

TEST(HttpClient, TellsRefusedFromSilent) {
  const auto refused = HttpClient().Get("http://127.0.0.1:1/healthz", Millis(5000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCommandFailed);
  EXPECT_NE(refused.error().message.find("Connection refused"), std::string::npos);

  OneAnswer silent("", false);
  const auto start = std::chrono::steady_clock::now();
  const auto late = HttpClient().Get(silent.Url("/"), Millis(200));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kCommandTimeout);
}

TEST(HttpClient, RefusesWhatIsNotHttp) {
  OneAnswer garbage("SSH-2.0-OpenSSH\r\n\r\n");
  EXPECT_EQ(HttpClient().Get(garbage.Url("/"), Millis(5000)).error().code,
            ErrorCode::kCommandFailed);
  OneAnswer cut("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(HttpClient().Get(cut.Url("/"), Millis(5000)).error().code, ErrorCode::kCommandFailed);
}

TEST(HttpClient, RefusesAddressesThatItCannotRead) {
  for (const char* url : {"", "https://127.0.0.1/", "127.0.0.1:80", "http://", "http://:80/",
                          "http://a:b/", "http://a:65536/", "http://a:1/x\r\nHost: b"}) {
    EXPECT_EQ(HttpClient().Get(url, Millis(1000)).error().code, ErrorCode::kCommandFailed) << url;
  }
}

}  // namespace
}  // namespace mu::adapters
