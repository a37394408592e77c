// SPDX-License-Identifier: Apache-2.0
// The gateway client beside real servers that ask for a user or a certificate, that are paused,
// killed and started again, or lose a member. Each on etcd 3.4 and 3.5.
#include <gtest/gtest.h>

#include "adapters/system_clock.h"
#include "contract/etcd_kinds.h"

namespace mu::contract {
namespace {

using adapters::GatewayOptions;
using adapters::HttpTls;
using ports::PageQuery;
using ports::Transaction;
using ports::Write;

Transaction PutOf(const std::string& key) { return {{}, {{Write::Kind::kPut, key, "1", 0}}}; }
PageQuery One(const std::string& key) {
  PageQuery query;
  query.start = key;
  return query;
}
bool Says(const Error& error, std::string_view words) {
  return (error.message + error.hint).find(words) != std::string::npos;
}
std::unique_ptr<ports::EtcdClient> ClientOf(const RealEtcd& etcd, Millis timeout = Millis(10'000)) {
  GatewayOptions options;
  options.endpoints = {etcd.Endpoint()};
  options.timeout = timeout;
  return GatewayTo(options);
}

class EtcdGatewayContract : public testing::TestWithParam<EtcdRelease> {
 protected:
  adapters::SystemClock clock_;
};

TEST_P(EtcdGatewayContract, AsksInTheNameOfAUser) {
  const auto etcd = StartedEtcd(GetParam());
  TurnAuthOn(*etcd);
  GatewayOptions options;
  options.endpoints = {etcd->Endpoint()};
  options.user = "milvus";
  options.password = "word";
  const auto client = GatewayTo(options);
  const auto put = client->Commit(PutOf("by-dev/a"));
  ASSERT_TRUE(put) << put.error().Text();
  EXPECT_EQ(client->GetPage(One("by-dev/a"))->kvs.size(), 1U);
  const auto lease = client->GrantLease(60);
  ASSERT_TRUE(lease) << lease.error().Text();
  EXPECT_TRUE(client->KeepAlive(*lease));
  EXPECT_TRUE(client->RevokeLease(*lease));
  const auto status = client->Observe();
  ASSERT_TRUE(status) << status.error().Text();
  EXPECT_TRUE(status->is_auth_enabled);
  const auto other = client->GetPage(One("other"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kEtcdFailed);
  EXPECT_TRUE(Says(other.error(), "milvus")) << other.error().Text();
  EXPECT_TRUE(Says(other.error(), "permission denied")) << other.error().Text();
}

TEST_P(EtcdGatewayContract, SaysThatAUserIsWantedAndThatAPasswordIsWrong) {
  const auto etcd = StartedEtcd(GetParam());
  TurnAuthOn(*etcd);
  const auto nobody = ClientOf(*etcd);
  const auto put = nobody->Commit(PutOf("by-dev/a"));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kEtcdFailed);
  EXPECT_TRUE(Says(put.error(), "asks for a user")) << put.error().Text();
  EXPECT_TRUE(nobody->Observe()->is_auth_enabled);
  GatewayOptions options;
  options.endpoints = {etcd->Endpoint()};
  options.user = "milvus";
  options.password = "wrong";
  const auto wrong = GatewayTo(options)->GetPage(One("by-dev/a"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kEtcdFailed);
  EXPECT_TRUE(Says(wrong.error(), "invalid user ID or password")) << wrong.error().Text();
  EXPECT_FALSE(Says(wrong.error(), "wrong")) << "the password is not shown";
}

TEST_P(EtcdGatewayContract, RenewsATokenThatHasRunOut) {
  const auto etcd = StartedEtcd(GetParam(), {"--auth-token-ttl=2"});
  TurnAuthOn(*etcd);
  GatewayOptions options;
  options.endpoints = {etcd->Endpoint()};
  options.user = "milvus";
  options.password = "word";
  const auto client = GatewayTo(options);
  ASSERT_TRUE(client->Commit(PutOf("by-dev/a")));
  etcd->Kill();  // which forgets its tokens
  etcd->Start();
  WaitUntilItAnswers(*ClientOf(*etcd));
  const auto put = client->Commit(PutOf("by-dev/b"));
  ASSERT_TRUE(put) << put.error().Text();
  EXPECT_EQ(client->GetPage(One("by-dev/b"))->kvs.size(), 1U);
}

TEST_P(EtcdGatewayContract, AUserIsNoHindranceWhereAuthIsOff) {
  const auto etcd = StartedEtcd(GetParam());
  GatewayOptions options;
  options.endpoints = {etcd->Endpoint()};
  options.user = "milvus";
  options.password = "word";
  const auto client = GatewayTo(options);
  EXPECT_TRUE(client->Commit(PutOf("by-dev/a")));
  EXPECT_FALSE(client->Observe()->is_auth_enabled);
}

struct TlsEtcd {
  TlsEtcd(EtcdRelease release, const std::string& server, std::vector<std::string> more = {}) {
    RealEtcdOptions options;
    options.is_tls = true;
    options.flags = certificates.ServerFlags(server);
    options.flags.insert(options.flags.end(), more.begin(), more.end());
    etcd = std::make_unique<RealEtcd>(release, options);
    etcd->Start();
    HttpTls tls = certificates.Client();
    tls.checks_server_name = false;
    WaitUntilItAnswers(*ClientWith(tls));
  }
  std::unique_ptr<ports::EtcdClient> ClientWith(const HttpTls& tls) const {
    GatewayOptions options;
    options.endpoints = {etcd->Endpoint()};
    options.tls = tls;
    return GatewayTo(options);
  }
  Error ErrorWith(const HttpTls& tls) const {
    const auto page = ClientWith(tls)->GetPage(One("a"));
    return page ? Error{} : page.error();
  }
  Certificates certificates;
  std::unique_ptr<RealEtcd> etcd;
};

TEST_P(EtcdGatewayContract, SpeaksTlsWithACertificateOfItsOwn) {
  const TlsEtcd tls(GetParam(), "server");
  HttpTls with = tls.certificates.Client();
  const auto client = tls.ClientWith(with);
  const auto put = client->Commit(PutOf("a"));
  ASSERT_TRUE(put) << put.error().Text();
  EXPECT_EQ(client->GetPage(One("a"))->kvs.size(), 1U);
  EXPECT_EQ(client->Observe()->members, 1);
  const auto hash = client->HashMembers(put->revision);
  EXPECT_TRUE(hash) << hash.error().Text();
  with.min_version = "1.3";
  const auto newest = tls.ClientWith(with)->GetPage(One("a"));
  if (GetParam() == EtcdRelease::k34) {
    EXPECT_TRUE(newest) << newest.error().Text();
  } else {
    ASSERT_FALSE(newest);
    EXPECT_TRUE(Says(newest.error(), "3.5.1 ends at 1.2")) << newest.error().Text();
  }
}

TEST_P(EtcdGatewayContract, SaysWhyACertificateIsNotTaken) {
  const TlsEtcd tls(GetParam(), "server");
  HttpTls with = tls.certificates.Client();
  with.ca_file = tls.certificates.File("other.pem");
  EXPECT_EQ(tls.ErrorWith(with).code, ErrorCode::kEtcdUnreachable);
  EXPECT_TRUE(Says(tls.ErrorWith(with), "certificate verify failed")) << tls.ErrorWith(with).Text();
  with = tls.certificates.Client();
  with.cert_file.clear();
  with.key_file.clear();
  EXPECT_EQ(tls.ErrorWith(with).code, ErrorCode::kEtcdUnreachable);
  EXPECT_TRUE(Says(tls.ErrorWith(with), "certificate")) << tls.ErrorWith(with).Text();
}

TEST_P(EtcdGatewayContract, ChecksTheServersNameUnlessToldNotTo) {
  const TlsEtcd tls(GetParam(), "misnamed");
  HttpTls with = tls.certificates.Client();
  EXPECT_TRUE(Says(tls.ErrorWith(with), "certificate verify failed")) << tls.ErrorWith(with).Text();
  with.checks_server_name = false;
  EXPECT_TRUE(tls.ClientWith(with)->Commit(PutOf("a")));
}

TEST_P(EtcdGatewayContract, TheWrongOneOfHttpAndHttpsIsToldApart) {
  const TlsEtcd tls(GetParam(), "server");
  GatewayOptions options;
  options.endpoints = {"http" + tls.etcd->Endpoint().substr(5)};
  const auto plain = GatewayTo(options)->GetPage(One("a"));
  ASSERT_FALSE(plain);
  EXPECT_TRUE(Says(plain.error(), "http")) << plain.error().Text();
  const auto etcd = StartedEtcd(GetParam());
  options.endpoints = {"https" + etcd->Endpoint().substr(4)};
  const auto secure = GatewayTo(options)->GetPage(One("a"));
  ASSERT_FALSE(secure);
  EXPECT_EQ(secure.error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_TRUE(Says(secure.error(), "TLS")) << secure.error().Text();
}

TEST_P(EtcdGatewayContract, ACertificatesNameIsNoUserHereAndItSaysWhatIs) {
  const TlsEtcd tls(GetParam(), "server");
  const auto ctl = [&](std::vector<std::string> arguments) {
    const Certificates& files = tls.certificates;
    std::vector<std::string> all = {"--cacert", files.File("ca.pem"),
                                    "--cert",   files.File("client.pem"),
                                    "--key",    files.File("client.key")};
    all.insert(all.end(), arguments.begin(), arguments.end());
    tls.etcd->Etcdctl(all);
  };
  ctl({"role", "add", "root"});
  ctl({"user", "add", "root:secret"});
  ctl({"user", "grant-role", "root", "root"});
  ctl({"user", "add", "milvus:word"});
  ctl({"user", "grant-role", "milvus", "root"});
  ctl({"auth", "enable"});
  ctl({"put", "a", "1"});  // etcdctl is "milvus" by its certificate
  const Error error = tls.ErrorWith(tls.certificates.Client());
  EXPECT_EQ(error.code, ErrorCode::kEtcdNoGateway) << error.Text();
  EXPECT_TRUE(Says(error, "etcdctl")) << error.Text();
  GatewayOptions options;
  options.endpoints = {tls.etcd->Endpoint()};
  options.tls = tls.certificates.Client();
  options.user = "milvus";
  options.password = "word";
  EXPECT_EQ(GatewayTo(options)->GetPage(One("a")).error().code, ErrorCode::kEtcdNoGateway);
  options.tls->cert_file = tls.certificates.File("nameless.pem");
  options.tls->key_file = tls.certificates.File("nameless.key");
  const auto page = GatewayTo(options)->GetPage(One("a"));
  ASSERT_TRUE(page) << page.error().Text();
  EXPECT_EQ(page->kvs.size(), 1U);
}

TEST_P(EtcdGatewayContract, AGatewayThatIsOffIsToldApart) {
  RealEtcdOptions options;
  options.flags = {"--enable-grpc-gateway=false"};
  RealEtcd etcd(GetParam(), options);
  etcd.Start();
  const auto client = ClientOf(etcd);
  WaitUntilItAnswers(*client);
  const auto put = client->Commit(PutOf("a"));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kEtcdNoGateway) << put.error().Text();
  EXPECT_TRUE(Says(put.error(), "etcdctl")) << put.error().Text();
}

TEST_P(EtcdGatewayContract, APausedEtcdCostsTheTimeoutAndNoMore) {
  const auto etcd = StartedEtcd(GetParam());
  const auto client = ClientOf(*etcd, Millis(700));
  ASSERT_TRUE(client->Commit(PutOf("a")));
  etcd->Pause();
  const Millis start = clock_.Monotonic();
  const auto page = client->GetPage(One("a"));
  const Millis took = clock_.Monotonic() - start;
  const auto put = client->Commit(PutOf("b"));
  etcd->Continue();
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_GE(took, Millis(600));
  EXPECT_LT(took, Millis(3000));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_TRUE(Says(put.error(), "may have happened")) << put.error().Text();
  const auto after = client->GetPage(One("a"));
  EXPECT_TRUE(after) << after.error().Text();
}

TEST_P(EtcdGatewayContract, AfterAKillAndANewStartTheNextCallWorks) {
  const auto etcd = StartedEtcd(GetParam());
  const auto client = ClientOf(*etcd);
  ASSERT_TRUE(client->Commit(PutOf("a")));
  etcd->Kill();
  const auto dead = client->Commit(PutOf("b"));
  ASSERT_FALSE(dead);
  EXPECT_EQ(dead.error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_FALSE(Says(dead.error(), "may have happened")) << "it was never sent";
  etcd->Start();
  WaitUntilItAnswers(*ClientOf(*etcd));
  const auto put = client->Commit(PutOf("c"));
  ASSERT_TRUE(put) << put.error().Text();
  EXPECT_EQ(client->GetPage(One("a"))->kvs.size(), 1U);
  etcd->Kill();
  etcd->Start();
  WaitUntilItAnswers(*ClientOf(*etcd));
  const auto page = client->GetPage(One("c"));
  ASSERT_TRUE(page) << page.error().Text();
  EXPECT_EQ(page->kvs.size(), 1U);
}

TEST_P(EtcdGatewayContract, MembersOfAClusterHaveOneHash) {
  Cluster cluster(GetParam());
  const auto client = GatewayTo(cluster.options);
  const auto put = client->Commit(PutOf("a"));
  ASSERT_TRUE(put) << put.error().Text();
  EXPECT_EQ(client->Observe()->members, 3);
  GatewayOptions first = cluster.options;
  first.endpoints.resize(1);  // the others by what the members tell of themselves
  for (const GatewayOptions& options : {cluster.options, first}) {
    const auto members = GatewayTo(options)->HashMembers(put->revision);
    ASSERT_TRUE(members) << members.error().Text();
    ASSERT_EQ(members->size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(members->at(i).name, "m" + std::to_string(i));
      EXPECT_EQ(members->at(i).endpoint, cluster.etcds[i]->Endpoint());
      EXPECT_EQ(members->at(i).version, VersionOf(GetParam()));
      EXPECT_EQ(members->at(i).hash, members->at(0).hash);
    }
  }
}

TEST_P(EtcdGatewayContract, GoesOnWithTheOtherMembersAndNamesTheOneThatIsDown) {
  Cluster cluster(GetParam());
  cluster.options.timeout = Millis(3000);
  const auto client = GatewayTo(cluster.options);
  const auto put = client->Commit(PutOf("a"));
  ASSERT_TRUE(put) << put.error().Text();
  cluster.etcds[0]->Kill();
  WaitUntilItAnswers(*client);  // it may have been the leader
  EXPECT_EQ(client->GetPage(One("a"))->kvs.size(), 1U);
  const auto again = client->Commit(PutOf("b"));
  EXPECT_TRUE(again) << again.error().Text();
  const auto members = client->HashMembers(put->revision);
  ASSERT_FALSE(members);
  EXPECT_EQ(members.error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_TRUE(Says(members.error(), "m0")) << members.error().Text();
  cluster.etcds[1]->Kill();
  const Millis start = clock_.Monotonic();
  const auto alone = client->Commit(PutOf("c"));
  EXPECT_LT(clock_.Monotonic() - start, Millis(6000));
  ASSERT_FALSE(alone) << "one of three is no quorum";
  EXPECT_EQ(alone.error().code, ErrorCode::kEtcdUnreachable) << alone.error().Text();
}

INSTANTIATE_TEST_SUITE_P(Releases, EtcdGatewayContract,
                         testing::Values(EtcdRelease::k34, EtcdRelease::k35), [](const auto& row) {
                           return row.param == EtcdRelease::k34 ? "Etcd34" : "Etcd35";
                         });

}  // namespace
}  // namespace mu::contract
