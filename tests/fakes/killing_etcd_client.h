// SPDX-License-Identifier: Apache-2.0
// KillingEtcdClient: around any EtcdClient, fake or real, what happens just before or just after
// its n-th call: the process is killed, an answer is lost after the work was done, another writer
// comes in between, etcd is compacted. Counts calls from 1, in the order in which they are made.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "milvus_upgrade/ports/etcd_client.h"

namespace mu::fakes {

class KillingEtcdClient final : public ports::EtcdClient {
 public:
  // Told of the call's number and name ("commit"). May throw or kill. An error of `before` is the
  // answer and the call is not made; an error of `after` is the answer instead of the real one.
  using Hook = std::function<Status(int call, std::string_view name)>;

  // The client outlives it.
  explicit KillingEtcdClient(ports::EtcdClient& client) : client_(client) {}
  Hook before;
  Hook after;

  // Hooks that do one thing at one call.
  static Hook At(int call, std::function<Status()> act) {
    return [call, act = std::move(act)](int now, std::string_view) {
      return now == call ? act() : Status{};
    };
  }
  // etcd gives no answer at that call; as `after`, it has done what was asked for.
  static Hook LoseAt(int call) {
    return At(call, [] {
      return Status(Fail(ErrorCode::kEtcdUnreachable,
                         "etcd gave no answer (what was asked for may have happened)"));
    });
  }

  int Calls() const { return static_cast<int>(names_.size()); }
  const std::vector<std::string>& Names() const { return names_; }

  std::string Name() const override { return client_.Name(); }
  bool ComparesRanges() const override { return client_.ComparesRanges(); }
  Result<model::EtcdStatus> Observe() override {
    return Pass("observe", [&] { return client_.Observe(); });
  }
  Result<ports::KeyPage> GetPage(const ports::PageQuery& query) override {
    return Pass("get page", [&] { return client_.GetPage(query); });
  }
  Result<ports::TransactionResult> Commit(const ports::Transaction& transaction) override {
    return Pass("commit", [&] { return client_.Commit(transaction); });
  }
  Result<std::int64_t> GrantLease(std::int64_t seconds) override {
    return Pass("grant lease", [&] { return client_.GrantLease(seconds); });
  }
  Status KeepAlive(std::int64_t lease) override {
    return Pass("keep alive", [&] { return client_.KeepAlive(lease); });
  }
  Result<model::Lease> ReadLease(std::int64_t lease) override {
    return Pass("read lease", [&] { return client_.ReadLease(lease); });
  }
  Status RevokeLease(std::int64_t lease) override {
    return Pass("revoke lease", [&] { return client_.RevokeLease(lease); });
  }
  Result<std::vector<ports::EtcdMember>> HashMembers(std::int64_t revision) override {
    return Pass("hash members", [&] { return client_.HashMembers(revision); });
  }

 private:
  template <class Call>
  auto Pass(std::string_view name, Call call) -> decltype(call()) {
    names_.emplace_back(name);
    const int number = Calls();
    if (before) MU_CHECK(before(number, name));
    auto result = call();
    if (after) MU_CHECK(after(number, name));
    return result;
  }

  ports::EtcdClient& client_;
  std::vector<std::string> names_;
};

}  // namespace mu::fakes
