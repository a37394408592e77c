// SPDX-License-Identifier: Apache-2.0
// An etcd with the metadata of a stopped Milvus 2.1, a neighbour beside it, and a disk: the world
// of the migration's tests. Everything that a migration may not touch is in it as well.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fakes/fake_etcd_client.h"
#include "fakes/hand_clock.h"
#include "fakes/killing_etcd_client.h"
#include "fakes/unsynced_files.h"
#include "milvus_upgrade/migrate/migrator.h"
#include "unit/meta/real_data.h"

namespace mu::migrate {

using meta::Keys;
using meta::kScope;

// The process is gone: nothing of it runs any more, and it asks etcd for nothing.
struct Killed {};

class Notes : public Listener {
 public:
  void Note(const std::string& line) override { notes.push_back(line); }
  void Progress(const std::string&, std::size_t, std::size_t) override { ++progress; }
  std::vector<std::string> notes;
  int progress = 0;
};

class EtcdOfMilvus {
 public:
  explicit EtcdOfMilvus(const Keys& metadata) {
    clock.OnAdvance([this](Millis now) { store.ExpireAt(now); });
    for (const auto& [key, value] : metadata) store.Put(key, value);
    for (const char* key : {"by-dev/meta2/root-coord/collection/1", "by-dev/metadata",
                            "by-dev/kv/gid", "other/meta/session/id"})
      store.Put(key, "a neighbour's");
    outside_ = Outside();
    (void)files.MakeFolders("/work", 0700);
    options = {kScope,           "/work/migration.bak", "2.1.0",           "2.2.16",
               NewKeys::kRefuse, Millis(60'000),        "host (process 1)"};
  }

  // Keys of the scope without a lease.
  Keys Inside() const { return Part(true); }
  Keys Outside() const { return Part(false); }
  bool OutsideIsUntouched() const { return Outside() == outside_; }

  // A process of ours: it ends by itself, or is killed at a call and then asks for nothing more.
  template <class Do>
  auto Process(Do run, int killed_before = 0, int killed_after = 0) {
    fakes::FakeEtcdClient fake(store, clock);
    fake.compares_ranges = compares_ranges;
    fakes::KillingEtcdClient client(fake);
    bool is_dead = false;
    // The lock is given back by a destructor, the last that a process does: nothing can be thrown
    // there, and nothing comes after it.
    const auto die = [&](std::string_view name) -> Status {
      is_dead = true;
      if (name != "revoke lease") throw Killed();
      return Fail(ErrorCode::kEtcdUnreachable, "the process is gone");
    };
    client.before = [&](int call, std::string_view name) -> Status {
      if (is_dead) return Fail(ErrorCode::kEtcdUnreachable, "the process is gone");
      if (call == killed_before) return die(name);
      return between ? between(call) : Status{};
    };
    client.after = [&](int call, std::string_view name) -> Status {
      return call == killed_after && !is_dead ? die(name) : Status{};
    };
    Migrator migrator(client, files, clock, interrupts, notes, options);
    auto result = run(migrator);
    calls = client.Calls();
    has_written = migrator.HasWritten();
    return result;
  }
  Result<RunOutcome> Run(int killed_before = 0, int killed_after = 0) {
    return Process([](Migrator& m) { return m.Run(); }, killed_before, killed_after);
  }
  Result<RollbackOutcome> Rollback(int killed_before = 0, int killed_after = 0) {
    return Process([](Migrator& m) { return m.Rollback(); }, killed_before, killed_after);
  }
  // The lock of a killed process ends with its lease.
  void LetLeasesEnd() { clock.Advance(Millis(61'000)); }

  fakes::EtcdStore store;
  fakes::HandClock clock;
  fakes::HandInterrupts interrupts;
  fakes::Fuse fuse;
  fakes::UnsyncedFiles files{fuse};
  Notes notes;
  Options options;
  std::function<Status(int call)> between;  // before each call
  bool compares_ranges = true;
  int calls = 0;
  bool has_written = false;

 private:
  Keys Part(bool is_inside) const {
    Keys keys;
    for (const auto& [key, kv] : store.Keys()) {
      if (kScope.Holds(key) == is_inside && kv.lease == 0) keys[key] = kv.value;
    }
    return keys;
  }
  Keys outside_;
};

// The real metadata, only what is below the scope.
inline Keys Real21() {
  Keys keys = meta::RealKeys("etcd-2.1.jsonl");
  std::erase_if(keys, [](const auto& item) { return !kScope.Holds(item.first); });
  return keys;
}
inline Keys Migrated(const Keys& keys) {
  Keys migrated = keys;
  const auto changes = meta::Convert(keys);
  EXPECT_TRUE(changes) << (changes ? "" : changes.error().Text());
  if (changes) meta::Apply(*changes, &migrated);
  return migrated;
}

}  // namespace mu::migrate
