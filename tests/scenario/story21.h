// SPDX-License-Identifier: Apache-2.0
// Stories that begin on 2.1.0, with the real metadata of a real one.
#pragma once

#include "scenario/story.h"
#include "unit/meta/real_data.h"

namespace mu::scenario {

// Migrated by our own migrator, without a rehearsal.
inline void Make21(Story& story) {
  story.config.migration_engine = config::MigrationEngine::kBuiltin;
  story.config.rehearses = false;
  story.stage.PutMetadata(meta::RealKeys("etcd-2.1.jsonl"));
}

// Milvus's tool as an image: takes its lock, adds what is new, then replaces and removes, a part
// after the other. Before each the power may go: the tool of the engine's then stands still for
// ever, half done, with its lock.
inline int RunTool(fakes::Stage& stage, const fakes::FakeJob& job) {
  fakes::FakeContainer* etcd = nullptr;
  for (fakes::FakeContainer* container : stage.world.All()) {
    if (container->image.program == fakes::Program::kEtcd && container->facts.IsRunning() &&
        container->facts.network_ips.contains(job.spec.network)) {
      etcd = container;
    }
  }
  if (etcd == nullptr) return 1;
  fakes::EtcdStore& store = stage.world.EtcdOf(etcd->facts.name);
  const std::int64_t lease = store.Grant(60, stage.clock.Monotonic());
  // With the container it goes: FakeWorld lets the leases of one that was killed run out.
  stage.world.Find(job.spec.name)->leases.push_back(lease);
  store.Put(meta::kScope.MigrationLock(),
            R"({"ServerID":9,"ServerName":"migration","Address":"","Exclusive":true})", lease);
  meta::Keys keys;
  for (const auto& [key, kv] : store.Keys()) {
    if (meta::kScope.Holds(key) && kv.lease == 0) keys[key] = kv.value;
  }
  const auto changes = meta::Convert(keys);
  if (!changes) return 2;
  using Change = fakes::EtcdStore::Change;
  std::vector<Change> all;
  for (const auto& [key, value] : changes->added) all.push_back({key, value});
  for (const auto& [key, value] : changes->replaced) all.push_back({key, value});
  for (const std::string& key : changes->removed) all.push_back({key, std::nullopt});
  constexpr std::size_t kPart = 20;
  for (std::size_t at = 0; at < all.size(); at += kPart) {
    (void)stage.fuse.Pass("a part of the tool's work");
    if (!job.passes(Millis(200))) return 137;
    store.Apply({all.begin() + static_cast<std::ptrdiff_t>(at),
                 all.begin() + static_cast<std::ptrdiff_t>(std::min(at + kPart, all.size()))});
  }
  store.Revoke(lease);
  return 0;
}

// Migrated by that image, rehearsed first.
inline void Make21ForImage(Story& story) {
  story.stage.PutMetadata(meta::RealKeys("etcd-2.1.jsonl"));
  fakes::Stage& stage = story.stage;
  stage.world.job_programs[fakes::Stage::kTool] = [&stage](const fakes::FakeJob& job) {
    return RunTool(stage, job);
  };
}

// The metadata in etcd, sessions left out.
inline meta::Keys MetadataOf(Story& story) {
  meta::Keys keys;
  for (const auto& [key, kv] : story.stage.world.Etcd().Keys()) {
    if (meta::kScope.Holds(key) && !key.starts_with(meta::kScope.Sessions())) keys[key] = kv.value;
  }
  return keys;
}

inline meta::Keys Migrated(meta::Keys keys) {
  const auto changes = meta::Convert(keys);
  EXPECT_TRUE(changes) << changes.error().Text();
  meta::Apply(*changes, &keys);
  return keys;
}

}  // namespace mu::scenario
