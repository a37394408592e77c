// SPDX-License-Identifier: Apache-2.0
// The backup reader: any bytes are either refused with kBackupBad or come back the same when they
// are written and read again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "milvus_upgrade/backup/backup_file.h"

#define MUST(condition)                                                                   \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto contents = mu::backup::Parse({reinterpret_cast<const char*>(data), size});
  if (!contents) {
    MUST(contents.error().code == mu::ErrorCode::kBackupBad);
    return 0;
  }
  const auto again = mu::backup::Parse(mu::backup::Format(contents->header, contents->entries));
  MUST(again);
  MUST(again->header == contents->header);
  MUST(again->entries == contents->entries);
  return 0;
}
