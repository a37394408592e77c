// SPDX-License-Identifier: Apache-2.0
// What the product relies on of ports::Http, asked of the fake stack and of the real client against
// a small server of this test (127.0.0.1 only).
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "adapters/http_client.h"
#include "adapters/system_clock.h"
#include "fakes/stage.h"

namespace mu::contract {
namespace {

// A Milvus that is well or not, as seen on its management port.
class Server {
 public:
  virtual ~Server() = default;
  virtual ports::Http& Http() = 0;
  virtual std::string Address() = 0;  // http://host:port
};

class FakeServer : public Server {
 public:
  explicit FakeServer(bool is_well) : stage_(fakes::kStandaloneFile) {
    if (!is_well) {
      stage_.world.AddImage(fakes::Stage::kOld, fakes::Program::kMilvus, "2.2.16",
                            fakes::Flaw::kUnhealthy);
    }
    stage_.Bring();
  }
  ports::Http& Http() override { return stage_.http; }
  std::string Address() override { return "http://127.0.0.1:9091"; }

 private:
  fakes::Stage stage_;
};

class RealServer : public Server {
 public:
  explicit RealServer(bool is_well) : is_well_(is_well) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(socket_, 8);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~RealServer() override {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  RealServer(const RealServer&) = delete;
  RealServer& operator=(const RealServer&) = delete;
  ports::Http& Http() override { return client_; }
  std::string Address() override { return fmt::format("http://127.0.0.1:{}", port_); }

 private:
  void Serve() const {
    for (;;) {
      const int peer = ::accept(socket_, nullptr, nullptr);
      if (peer < 0) return;
      char request[4096];
      const ssize_t got = ::recv(peer, request, sizeof request, 0);
      const std::string_view text(request, got < 0 ? 0 : static_cast<std::size_t>(got));
      std::string status = "404 Not Found";
      std::string body = "404 page not found";
      if (text.starts_with("GET /healthz ")) {
        status = is_well_ ? "200 OK" : "500 Internal Server Error";
        body = is_well_ ? "OK" : "Not all components are healthy, 2/5";
      }
      const std::string answer =
          fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
      (void)::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(peer);
    }
  }

  bool is_well_;
  int socket_ = -1;
  int port_ = 0;
  std::thread thread_;
  adapters::HttpClient client_;
};

struct Row {
  std::string name;
  std::function<std::unique_ptr<Server>(bool is_well)> make;
};

class HttpContract : public testing::TestWithParam<Row> {};

TEST_P(HttpContract, AWellOneAnswers200) {
  const auto server = GetParam().make(true);
  const auto answer = server->Http().Get(server->Address() + "/healthz", Millis(5000));
  ASSERT_TRUE(answer) << answer.error().Text();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "OK");
}

TEST_P(HttpContract, AnIllOneIsAnAnswerAndNoError) {
  const auto server = GetParam().make(false);
  const auto answer = server->Http().Get(server->Address() + "/healthz", Millis(5000));
  ASSERT_TRUE(answer) << answer.error().Text();
  EXPECT_EQ(answer->status, 500);
  EXPECT_NE(answer->body.find("healthy"), std::string::npos);
}

TEST_P(HttpContract, AnUnknownPageIsAnAnswer) {
  const auto server = GetParam().make(true);
  EXPECT_EQ(server->Http().Get(server->Address() + "/nobody", Millis(5000))->status, 404);
}

TEST_P(HttpContract, NobodyThereIsAnError) {
  const auto server = GetParam().make(true);
  const auto answer = server->Http().Get("http://127.0.0.1:1/healthz", Millis(5000));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kCommandFailed);
}

INSTANTIATE_TEST_SUITE_P(Servers, HttpContract,
                         testing::Values(Row{"Fake",
                                             [](bool is_well) -> std::unique_ptr<Server> {
                                               return std::make_unique<FakeServer>(is_well);
                                             }},
                                         Row{"Real",
                                             [](bool is_well) -> std::unique_ptr<Server> {
                                               return std::make_unique<RealServer>(is_well);
                                             }}),
                         [](const auto& row) { return row.param.name; });

// Only a real server can accept and say nothing.
TEST(HttpClientContract, ASilentServerEndsInItsTime) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(socket, 1), 0);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  adapters::HttpClient client;
  adapters::SystemClock clock;
  const Millis start = clock.Monotonic();
  const auto answer =
      client.Get(fmt::format("http://127.0.0.1:{}/healthz", ntohs(address.sin_port)), Millis(300));
  const Millis took = clock.Monotonic() - start;
  ::close(socket);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kCommandTimeout) << answer.error().Text();
  EXPECT_GE(took, Millis(300));
  EXPECT_LT(took, Millis(5000));
}

}  // namespace
}  // namespace mu::contract
