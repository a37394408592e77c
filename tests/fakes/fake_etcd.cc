// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "fakes/fake_ports.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"

namespace mu::fakes {

Status FakeEtcd::Reach(const std::string& container) const {
  if (!world_.IsEngineUp())
    return Fail(ErrorCode::kDockerDown, "Cannot connect to the Docker daemon. Is it running?");
  const FakeContainer* found = world_.Find(container);
  if (found == nullptr) return Fail(ErrorCode::kContainerGone, "No such container: " + container);
  if (!found->facts.IsRunning())
    return Fail(ErrorCode::kEtcdUnreachable, container + " is not running");
  if (found->image.program != Program::kEtcd)
    return Fail(ErrorCode::kEtcdUnreachable, container + " has no etcdctl");
  return {};
}

Result<model::EtcdStatus> FakeEtcd::Observe(const std::string& container) {
  MU_CHECK(Reach(container));
  model::EtcdStatus status;
  status.version = "3.5.1";
  status.db_bytes = 20480;
  status.members = 1;
  return status;
}

Result<model::KeyRange> FakeEtcd::GetPrefix(const std::string& container, const std::string& prefix,
                                            ports::KeysOnly keys_only, std::int64_t revision) {
  MU_CHECK(Reach(container));
  MU_TRY(model::KeyRange range, world_.EtcdOf(container).Range(prefix, revision));
  if (keys_only == ports::KeysOnly::kYes) {
    for (model::KeyValue& kv : range.kvs) kv.value.clear();
  }
  return range;
}

Result<std::vector<model::Lease>> FakeEtcd::ReadLeases(const std::string& container,
                                                       const std::vector<std::int64_t>& leases) {
  MU_CHECK(Reach(container));
  std::vector<model::Lease> found;
  for (const std::int64_t id : leases)
    found.push_back(world_.EtcdOf(container).Read(id, world_.Clock().Monotonic()));
  return found;
}

Status FakeEtcd::RevokeLeases(const std::string& container,
                              const std::vector<std::int64_t>& leases) {
  for (const std::int64_t id : leases) {
    MU_TRY(const Answer answer, world_.Enter("revoke a lease"));
    MU_CHECK(Reach(container));
    if (answer == Answer::kLie) continue;
    world_.EtcdOf(container).Revoke(id);
    MU_CHECK(world_.Leave("revoke a lease"));
  }
  return {};
}

Result<ports::Etcd::Snapshot> FakeEtcd::SaveSnapshot(const std::string& container,
                                                     const std::string& file) {
  MU_TRY(const Answer answer, world_.Enter("snapshot"));
  MU_CHECK(Reach(container));
  const EtcdStore& store = world_.EtcdOf(container);
  std::string bytes = fmt::format("snapshot at {}\n", store.Revision());
  for (const auto& [key, kv] : store.Keys()) bytes += key + "=" + kv.value + "\n";
  const Snapshot snapshot{bytes.size(), Sha256(bytes), store.Revision()};
  if (answer == Answer::kLie) return snapshot;
  MU_CHECK(world_.Files().Create(file, bytes, 0600));
  world_.KeepSnapshot(bytes, store);
  MU_CHECK(world_.Leave("snapshot"));
  return snapshot;
}

}  // namespace mu::fakes
