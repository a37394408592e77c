// SPDX-License-Identifier: Apache-2.0
// What needs no etcd; the rest is asked of real ones in tests/contract.
#include "adapters/etcd_gateway.h"

#include <gtest/gtest.h>

namespace mu::adapters {
namespace {

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

}  // namespace
}  // namespace mu::adapters
