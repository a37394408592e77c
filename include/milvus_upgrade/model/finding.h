// SPDX-License-Identifier: Apache-2.0
// A finding is what one check says of the facts. All findings are shown at once.
#pragma once

#include <string>

namespace mu::model {

enum class Severity { kInfo = 1, kWarning = 2, kError = 3 };

struct Finding {
  std::string id;  // "etcd-alarms": also the name for --skip-check
  Severity severity = Severity::kError;
  std::string subject;  // service, file:line, key: what it is about
  std::string message;  // what is so
  std::string cause;    // why it matters
  std::string fix;      // what to do
  bool is_skipped = false;
  bool operator==(const Finding&) const = default;
};

}  // namespace mu::model
