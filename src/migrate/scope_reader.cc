// SPDX-License-Identifier: Apache-2.0
#include "migrate/scope_reader.h"

#include <algorithm>
#include <utility>

namespace mu::migrate {
namespace {

// etcd walks through all that is left of the range for each page, to count it: with small pages a
// read of many keys is quadratic there. So a page grows from the first one on to what is held in
// memory without care, and shrinks where values are large.
constexpr std::int64_t kFirstPage = 1'000;
constexpr std::int64_t kLargestPage = 10'000;
constexpr std::size_t kPageBytes = 4 << 20;
constexpr int kRestarts = 5;

std::string After(const std::string& key) { return key + '\0'; }

std::int64_t NextPage(const std::vector<model::KeyValue>& page) {
  std::size_t bytes = 1;
  for (const model::KeyValue& kv : page) bytes += kv.key.size() + kv.value.size();
  const auto fits = static_cast<std::int64_t>(kPageBytes * page.size() / bytes);
  return std::clamp(fits, kFirstPage / 10, kLargestPage);
}

// The first key at or after `start`, without its value.
Result<std::optional<std::string>> FirstKey(ports::EtcdClient& etcd, Patience& patience,
                                            const std::string& start, const std::string& end) {
  ports::PageQuery query{start, end, 0, 1, true};
  MU_TRY(const ports::KeyPage page, patience.Ask([&] { return etcd.GetPage(query); }));
  if (page.kvs.empty()) return std::nullopt;
  return page.kvs.front().key;
}

}  // namespace

ScopeReader::ScopeReader(ports::EtcdClient& etcd, Patience& patience, const meta::Scope& scope,
                         std::int64_t revision, bool keys_only)
    : etcd_(etcd),
      patience_(patience),
      query_{scope.Prefix(), model::EndOfPrefix(scope.Prefix()), revision,
             keys_only ? kLargestPage : kFirstPage, keys_only} {}

Result<std::optional<model::KeyValue>> ScopeReader::Next() {
  for (;;) {
    for (; at_ < page_.size(); ++at_) {
      if (page_[at_].lease == 0) return std::move(page_[at_++]);
    }
    if (!has_more_) return std::nullopt;
    MU_CHECK(patience_.CheckInterrupt());
    MU_TRY(ports::KeyPage page, patience_.Ask([&] { return etcd_.GetPage(query_); }));
    has_more_ = page.has_more;
    query_.revision = page.revision;
    if (!page.kvs.empty()) {
      query_.start = After(page.kvs.back().key);
      query_.limit = NextPage(page.kvs);
    }
    page_ = std::move(page.kvs);
    at_ = 0;
  }
}

Result<ScopeKeys> ReadScope(ports::EtcdClient& etcd, Patience& patience, const meta::Scope& scope,
                            bool keys_only) {
  for (int i = 0;; ++i) {
    ScopeReader reader(etcd, patience, scope, 0, keys_only);
    ScopeKeys keys;
    for (;;) {
      auto next = reader.Next();
      if (!next && next.error().code == ErrorCode::kEtcdCompacted && i < kRestarts) break;
      if (!next) return Fail(std::move(next).error());
      if (!*next) {
        keys.revision = reader.Revision();
        return keys;
      }
      keys.kvs.push_back(*std::move(*next));
    }
  }
}

Result<std::vector<model::KeyValue>> LiveSessions(ports::EtcdClient& etcd, Patience& patience,
                                                  const meta::Scope& scope) {
  const ports::PageQuery query{scope.Sessions(), model::EndOfPrefix(scope.Sessions()), 0, 0, false};
  MU_TRY(ports::KeyPage page, patience.Ask([&] { return etcd.GetPage(query); }));
  std::erase_if(page.kvs, [&](const model::KeyValue& kv) {
    return kv.key == scope.SessionCounter() || kv.key == scope.MigrationLock();
  });
  return std::move(page.kvs);
}

Result<std::vector<std::string>> RootsIn(ports::EtcdClient& etcd, Patience& patience) {
  std::vector<std::string> roots;
  const std::string end = model::EndOfPrefix("");
  // From folder to folder: one call for each, however many keys are in it.
  for (std::string start(1, '\0'); roots.size() < 100;) {
    MU_TRY(const auto key, FirstKey(etcd, patience, start, end));
    if (!key) break;
    const auto root = key->find('/');
    const auto meta = root == std::string::npos ? root : key->find('/', root + 1);
    if (meta == std::string::npos) {
      start = After(*key);
      continue;
    }
    const meta::Scope scope{key->substr(0, root), key->substr(root + 1, meta - root - 1)};
    bool is_milvus = false;
    for (const std::string& sign : {scope.SessionCounter(), scope.Prefix() + "root-coord/"}) {
      MU_TRY(const auto found, FirstKey(etcd, patience, sign, model::EndOfPrefix(sign)));
      is_milvus = is_milvus || found.has_value();
    }
    if (is_milvus) roots.push_back(scope.root + "/" + scope.meta);
    start = model::EndOfPrefix(scope.Prefix());
  }
  return roots;
}

}  // namespace mu::migrate
