// SPDX-License-Identifier: Apache-2.0
// What each step kind does to the world, through ports. One small class per kind; the table is the
// only thing that others see. An effect reads its step's args and the world, never flags.
#pragma once

#include <memory>

#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/ports/compose.h"
#include "milvus_upgrade/ports/docker.h"
#include "milvus_upgrade/ports/etcd.h"
#include "milvus_upgrade/ports/etcd_client.h"
#include "milvus_upgrade/ports/files.h"
#include "milvus_upgrade/ports/http.h"
#include "milvus_upgrade/ports/kube.h"
#include "milvus_upgrade/ports/runner.h"
#include "milvus_upgrade/run/effect.h"

namespace mu::effects {

struct EffectPorts {
  ports::Docker& docker;
  ports::Compose& compose;
  ports::Etcd& etcd;
  ports::EtcdClients& etcd_clients;
  ports::Files& files;
  ports::Runner& runner;
  ports::Clock& clock;
  ports::Http& http;
  ports::Kube* kube = nullptr;  // of a rolling plan
};

std::unique_ptr<run::EffectTable> MakeEffects(const EffectPorts& ports);

}  // namespace mu::effects
