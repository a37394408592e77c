// SPDX-License-Identifier: Apache-2.0
// What needs no etcd; the rest is asked of real ones in tests/contract.
#include "adapters/etcd_gateway.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace mu::adapters {
namespace {

// Reads requests on a loopback port, counts them, and gives each `answers` in turn; where that is
// empty, and after the last, it cuts the connection.
class CuttingServer {
 public:
  explicit CuttingServer(std::vector<std::string> answers)
      : answers_(std::move(answers)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(socket_, 4);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    endpoint_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { Serve(); });
  }
  ~CuttingServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  CuttingServer(const CuttingServer&) = delete;
  CuttingServer& operator=(const CuttingServer&) = delete;
  const std::string& Endpoint() const { return endpoint_; }
  std::size_t Requests() const { return requests_; }

 private:
  void Serve() {
    for (int peer = 0; (peer = ::accept(socket_, nullptr, nullptr)) >= 0; ::close(peer)) {
      char buffer[8192];
      while (::recv(peer, buffer, sizeof buffer, 0) > 0) {
        const std::size_t number = requests_++;
        if (number >= answers_.size() || answers_[number].empty()) break;
        const std::string text =
            "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(answers_[number].size()) +
            "\r\n\r\n" + answers_[number];
        (void)::send(peer, text.data(), text.size(), MSG_NOSIGNAL);
      }
    }
  }
  std::vector<std::string> answers_;
  int socket_;
  std::string endpoint_;
  std::atomic<std::size_t> requests_{0};
  std::thread thread_;
};

constexpr char kWell[] = R"({"header":{"revision":"5"},"succeeded":true})";

std::unique_ptr<ports::EtcdClient> ClientOf(const CuttingServer& server) {
  GatewayOptions options;
  options.endpoints = {server.Endpoint()};
  return *MakeEtcdGateway(options);
}
ports::PageQuery OfA() {
  ports::PageQuery query;
  query.start = "a";
  return query;
}

Error ErrorOf(GatewayOptions options) {
  const auto client = MakeEtcdGateway(options);
  return client ? Error{} : client.error();
}

TEST(EtcdGateway, RefusesAnAddressThatIsNone) {
  EXPECT_EQ(ErrorOf({}).code, ErrorCode::kInvalidInput);
  for (const char* endpoint : {"", "host:port", "ftp://h:1", "http://h:1/path", "h:99999"}) {
    GatewayOptions options;
    options.endpoints = {endpoint};
    EXPECT_EQ(ErrorOf(options).code, ErrorCode::kInvalidInput) << endpoint;
  }
}

TEST(EtcdGateway, NamesTheFileThatCannotBeRead) {
  GatewayOptions options;
  options.endpoints = {"127.0.0.1:2379"};
  options.tls = HttpTls{};
  options.tls->ca_file = "/no/ca.pem";
  EXPECT_EQ(ErrorOf(options).code, ErrorCode::kFileRead);
  EXPECT_NE(ErrorOf(options).message.find("/no/ca.pem"), std::string::npos);
  options.tls = HttpTls{};
  options.tls->cert_file = "/no/cert.pem";
  EXPECT_NE(ErrorOf(options).message.find("together"), std::string::npos);
  options.tls = HttpTls{};
  options.tls->min_version = "2";
  EXPECT_NE(ErrorOf(options).message.find("TLS version"), std::string::npos);
}

TEST(EtcdGateway, SpeaksTlsWhereTlsIsGiven) {
  GatewayOptions options;
  options.endpoints = {"127.0.0.1:2379"};
  EXPECT_EQ((*MakeEtcdGateway(options))->Name(), "http://127.0.0.1:2379");
  options.tls = HttpTls{};
  EXPECT_EQ((*MakeEtcdGateway(options))->Name(), "https://127.0.0.1:2379");
}

TEST(EtcdGateway, SaysOfEachAddressWhyItDoesNotAnswer) {
  GatewayOptions options;
  options.endpoints = {"127.0.0.1:1", "127.0.0.1:2"};
  const auto answer = (*MakeEtcdGateway(options))->Observe();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_NE(answer.error().message.find("127.0.0.1:1: Connection refused"), std::string::npos);
  EXPECT_NE(answer.error().message.find("127.0.0.1:2: Connection refused"), std::string::npos);
}

TEST(EtcdGateway, ACommitThatWasNeverSentDoesNotSayThatItMayHaveHappened) {
  GatewayOptions options;
  options.endpoints = {"127.0.0.1:1"};
  const auto answer = (*MakeEtcdGateway(options))->Commit({});
  EXPECT_EQ(answer.error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_EQ(answer.error().message.find("may have happened"), std::string::npos);
}

TEST(EtcdGateway, ACommitWhoseAnswerWasCutIsSentOnceAndMayHaveHappened) {
  for (const std::vector<std::string>& answers :
       {std::vector<std::string>{}, std::vector<std::string>{kWell, ""}}) {
    const CuttingServer server(answers);
    const auto client = ClientOf(server);
    for (std::size_t i = 1; i < answers.size(); ++i) ASSERT_TRUE(client->Commit({}));
    const auto cut = client->Commit({});
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, ErrorCode::kEtcdUnreachable);
    EXPECT_NE(cut.error().message.find("may have happened"), std::string::npos)
        << cut.error().Text();
    EXPECT_EQ(server.Requests(), std::max<std::size_t>(answers.size(), 1));
    EXPECT_EQ(client->GrantLease(60).error().code, ErrorCode::kEtcdUnreachable);
    EXPECT_EQ(server.Requests(), std::max<std::size_t>(answers.size(), 1) + 1);
  }
}

TEST(EtcdGateway, AReadOnAKeptConnectionThatWasCutIsAskedOnceMore) {
  const CuttingServer server({kWell, "", kWell});
  const auto client = ClientOf(server);
  ASSERT_TRUE(client->GetPage(OfA()));
  const auto again = client->GetPage(OfA());
  EXPECT_TRUE(again) << again.error().Text();
  EXPECT_EQ(server.Requests(), 3U);
}

TEST(EtcdGateway, AnAnswerThatIsNoEtcdsIsAnError) {
  for (const char* text : {"hello", "[]", "{", R"({"header":7})", R"({"kvs":[{}]})"}) {
    const CuttingServer server({text});
    const auto page = ClientOf(server)->GetPage(OfA());
    ASSERT_FALSE(page) << text;
    EXPECT_EQ(page.error().code, ErrorCode::kEtcdFailed) << page.error().Text();
  }
}

}  // namespace
}  // namespace mu::adapters
