// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <type_traits>
#include <utility>

#include "fakes/fake_etcd_client.h"
#include "fakes/fake_ports.h"

namespace mu::fakes {
namespace {

// What the world does to a call, around a FakeEtcdClient on the container's store.
class WorldEtcdClient final : public ports::EtcdClient {
 public:
  WorldEtcdClient(FakeWorld& world, std::string container)
      : world_(world), container_(std::move(container)) {}

  std::string Name() const override { return "the fake etcd in " + container_; }
  bool ComparesRanges() const override { return true; }
  Result<model::EtcdStatus> Observe() override {
    return Read([](FakeEtcdClient& etcd) { return etcd.Observe(); });
  }
  Result<ports::KeyPage> GetPage(const ports::PageQuery& query) override {
    return Read([&](FakeEtcdClient& etcd) { return etcd.GetPage(query); });
  }
  Result<ports::TransactionResult> Commit(const ports::Transaction& transaction) override {
    return Change("etcd commit", Result<ports::TransactionResult>({true, 0}),
                  [&](FakeEtcdClient& etcd) { return etcd.Commit(transaction); });
  }
  Result<std::int64_t> GrantLease(std::int64_t seconds) override {
    return Change("etcd grant", Result<std::int64_t>(1),
                  [&](FakeEtcdClient& etcd) { return etcd.GrantLease(seconds); });
  }
  Status KeepAlive(std::int64_t lease) override {
    return Read([&](FakeEtcdClient& etcd) { return etcd.KeepAlive(lease); });
  }
  Result<model::Lease> ReadLease(std::int64_t lease) override {
    return Read([&](FakeEtcdClient& etcd) { return etcd.ReadLease(lease); });
  }
  // No boundary: a destructor that calls it cannot be cut, and one that runs because of a cut has
  // died with its process.
  Status RevokeLease(std::int64_t lease) override {
    if (std::uncaught_exceptions() > 0) return {};
    return Read([&](FakeEtcdClient& etcd) { return etcd.RevokeLease(lease); });
  }
  Result<std::vector<ports::EtcdMember>> HashMembers(std::int64_t revision) override {
    return Read([&](FakeEtcdClient& etcd) { return etcd.HashMembers(revision); });
  }

 private:
  template <typename Call>
  std::invoke_result_t<Call, FakeEtcdClient&> Read(const Call& call) {
    const FakeContainer* found = world_.Find(container_);
    if (found == nullptr || !found->facts.IsRunning() || found->image.program != Program::kEtcd)
      return Fail(ErrorCode::kEtcdUnreachable, container_ + " does not answer");
    FakeEtcdClient etcd(world_.EtcdOf(container_), world_.Clock());
    return call(etcd);
  }
  // `lie` is the answer of a world that says success and does nothing.
  template <typename Answered, typename Call>
  Answered Change(const std::string& name, Answered lie, const Call& call) {
    auto answer = world_.Enter(name);
    if (!answer) return Fail(Unreachable(std::move(answer).error()));
    if (*answer == Answer::kLie) return lie;
    auto result = Read(call);
    if (Status left = world_.Leave(name); !left) return Fail(std::move(left).error());
    return result;
  }
  static Error Unreachable(Error error) {
    if (error.code == ErrorCode::kDockerDown || error.code == ErrorCode::kCommandTimeout)
      error.code = ErrorCode::kEtcdUnreachable;
    return error;
  }

  FakeWorld& world_;
  std::string container_;
};

}  // namespace

Result<std::unique_ptr<ports::EtcdClient>> FakeEtcdClients::Of(const std::string& container) {
  if (!world_.IsEngineUp())
    return Fail(ErrorCode::kDockerDown, "Cannot connect to the Docker daemon. Is it running?");
  const FakeContainer* found = world_.Find(container);
  if (found == nullptr) return Fail(ErrorCode::kContainerGone, "No such container: " + container);
  if (!found->facts.IsRunning())
    return Fail(ErrorCode::kEtcdUnreachable, "Container " + container + " is not running");
  return std::make_unique<WorldEtcdClient>(world_, container);
}

}  // namespace mu::fakes
