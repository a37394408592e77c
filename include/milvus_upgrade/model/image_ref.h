// SPDX-License-Identifier: Apache-2.0
// An image reference as written in a compose file: [registry/]repository[:tag][@digest].
#pragma once

#include <string>
#include <string_view>

#include "milvus_upgrade/base/result.h"

namespace mu::model {

struct ImageRef {
  std::string repository;  // with the registry and its port: "harbor.local:5000/milvusdb/milvus"
  std::string tag;         // "" when only a digest is given; "latest" is never filled in
  std::string digest;      // "sha256:..." or ""

  bool operator==(const ImageRef&) const = default;
  std::string Text() const;
  // The same repository with another tag and no digest.
  ImageRef WithTag(std::string new_tag) const;
};

// Errors: kInvalidInput when empty or malformed.
Result<ImageRef> ParseImageRef(std::string_view text);
// True for repositories that hold the Milvus server ("milvusdb/milvus", "milvus/milvus" under any
// registry or mirror), false for meta-migration, woodpecker, attu, etcd, MinIO and so on (milvus.md
// 6).
bool IsMilvusServer(const ImageRef& image);

}  // namespace mu::model
