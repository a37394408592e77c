// SPDX-License-Identifier: Apache-2.0
#include "contract/etcd_kinds.h"

namespace mu::contract {

void TurnAuthOn(const RealEtcd& etcd, const std::string& prefix) {
  etcd.Etcdctl({"role", "add", "root"});
  etcd.Etcdctl({"user", "add", "root:secret"});
  etcd.Etcdctl({"user", "grant-role", "root", "root"});
  etcd.Etcdctl({"role", "add", "milvus"});
  etcd.Etcdctl({"role", "grant-permission", "milvus", "readwrite", "--prefix", prefix});
  etcd.Etcdctl({"user", "add", "milvus:word"});
  etcd.Etcdctl({"user", "grant-role", "milvus", "milvus"});
  etcd.Etcdctl({"auth", "enable"});
}

Certificates::Certificates() {
  Make("ca", "an authority", {});
  Make("other", "another authority", {});
  Make("server", "",
       {"-CA", File("ca.pem"), "-CAkey", File("ca.key"), "-addext", "subjectAltName=IP:127.0.0.1"});
  Make("client", "milvus", {"-CA", File("ca.pem"), "-CAkey", File("ca.key")});
  Make("nameless", "", {"-CA", File("ca.pem"), "-CAkey", File("ca.key")});
  Make(
      "misnamed", "",
      {"-CA", File("ca.pem"), "-CAkey", File("ca.key"), "-addext", "subjectAltName=DNS:elsewhere"});
}

std::vector<std::string> Certificates::ServerFlags(const std::string& server) const {
  return {"--cert-file",       File(server + ".pem"), "--key-file",        File(server + ".key"),
          "--trusted-ca-file", File("ca.pem"),        "--client-cert-auth"};
}

adapters::HttpTls Certificates::Client() const {
  adapters::HttpTls tls;
  tls.ca_file = File("ca.pem");
  tls.cert_file = File("client.pem");
  tls.key_file = File("client.key");
  return tls;
}

void Certificates::Make(const std::string& name, const std::string& common_name,
                        const std::vector<std::string>& more) const {
  std::vector<std::string> argv = {
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      File(name + ".key"),
      "-out",
      File(name + ".pem"),
      "-days",
      "2",
      "-subj",
      common_name.empty() ? "/O=ground" : "/O=ground/CN=" + common_name};
  argv.insert(argv.end(), more.begin(), more.end());
  Output(argv);
}

Cluster::Cluster(EtcdRelease release, const std::vector<std::string>& snapshots) {
  std::vector<RealEtcdOptions> members(3);
  std::string all;
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i].name = "m" + std::to_string(i);
    members[i].client_port = FreePort();
    members[i].peer_port = FreePort();
    all += (all.empty() ? "" : ",") + members[i].name +
           "=http://127.0.0.1:" + std::to_string(members[i].peer_port);
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i].initial_cluster = all;
    etcds.push_back(std::make_unique<RealEtcd>(release, members[i]));
    if (!snapshots.empty()) etcds.back()->Restore(snapshots.at(i));
    etcds.back()->Start();
    options.endpoints.push_back(etcds.back()->Endpoint());
  }
  WaitUntilItAnswers(*GatewayTo(options));
}

}  // namespace mu::contract
