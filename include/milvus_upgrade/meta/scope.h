// SPDX-License-Identifier: Apache-2.0
// Which keys of etcd are the metadata of one Milvus: everything under <root>/<meta>/, with the
// slash. Milvus's own tool goes without the slash and so takes a sibling such as "by-dev/meta2"
// along, in its backup and in its wipe (ground.md 4).
#pragma once

#include <string>
#include <string_view>

namespace mu::meta {

struct Scope {
  std::string root;  // etcd.rootPath, "by-dev"
  std::string meta;  // etcd.metaSubPath, "meta"
  bool operator==(const Scope&) const = default;

  std::string Prefix() const { return root + "/" + meta + "/"; }
  std::string Sessions() const { return Prefix() + "session/"; }
  // A counter without a lease, never a session (FORMAT.md 6).
  std::string SessionCounter() const { return Sessions() + "id"; }
  // The key that a running migration holds under a lease, the same as Milvus's tool.
  std::string MigrationLock() const { return Sessions() + "migration"; }
  // Kept while a migration of ours is under way, so that a second run knows how far the first came.
  std::string Marker() const { return Prefix() + "milvus-upgrade/migration"; }
  bool Holds(std::string_view key) const { return key.starts_with(Prefix()); }
};

}  // namespace mu::meta
