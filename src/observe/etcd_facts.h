// SPDX-License-Identifier: Apache-2.0
// Reads the facts of etcd that checks and plans need. What cannot be read becomes `unreachable`,
// never an error.
#pragma once

#include <string>
#include <vector>

#include "milvus_upgrade/model/observed.h"
#include "milvus_upgrade/ports/docker.h"
#include "milvus_upgrade/ports/etcd.h"

namespace mu::observe {

// The etcd container among these: the one whose name, service or network address an endpoint of the
// settings names.
const model::Container* FindEtcd(const std::vector<model::Container>& containers,
                                 const model::MilvusSettings& settings, std::string* service);

// Fills everything but the container's identity, and of `metadata` what keys alone tell: siblings,
// and a migration of ours that was cut. REQUIRES: facts->container_name is set.
void ReadEtcdFacts(ports::Etcd& etcd, const model::MilvusSettings& settings,
                   model::EtcdFacts* facts, model::MetadataFacts* metadata);

}  // namespace mu::observe
