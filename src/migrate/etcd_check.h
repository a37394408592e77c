// SPDX-License-Identifier: Apache-2.0
// Whether the etcd itself may be trusted with the metadata: its version, its alarms, and that its
// members hold the same keys. Looks only, before anything else is done.
#pragma once

#include "migrate/patience.h"
#include "milvus_upgrade/migrate/migrator.h"
#include "milvus_upgrade/ports/etcd_client.h"

namespace mu::migrate {

// What etcd is wanted for: one that is out of space can still be read.
enum class Use { kRead = 1, kWrite = 2 };

// kEtcdNoSpace: its NOSPACE alarm is on, and it is to be written. kEtcdFailed: its CORRUPT alarm is
// on, or its members differ. What could not be looked at (a member that is down, a user without the
// right) is a note.
Status CheckEtcd(ports::EtcdClient& etcd, Patience& patience, Listener& listener, Use use);

}  // namespace mu::migrate
