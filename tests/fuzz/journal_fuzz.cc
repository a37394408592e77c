// SPDX-License-Identifier: Apache-2.0
// The journal reader: any bytes are either refused or give whole records that are written and read
// back the same. Inputs are tried as they are, and with each line taken as what follows a checksum,
// which is then made right, so that what is behind it is reached as well.
#include <fmt/format.h>

#include <boost/crc.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/executor.h"
#include "milvus_upgrade/run/journal.h"

#define MUST(condition)                                                                   \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

namespace {

void Check(const std::string& bytes) {
  const auto contents = mu::run::ParseJournal(bytes);
  if (!contents) {
    MUST(contents.error().code == mu::ErrorCode::kJournalDamaged ||
         contents.error().code == mu::ErrorCode::kJournalNewer);
    return;
  }
  MUST(contents->good_bytes <= bytes.size());
  MUST(contents->has_torn_tail == (contents->good_bytes != bytes.size()));
  // Text is made printable when it is written: from then on nothing changes any more.
  std::string written;
  for (const mu::run::Record& record : contents->records) {
    written += mu::run::FormatRecord(record);
    (void)mu::run::NextMove(mu::run::StateOf(contents->records, record.phase, record.step),
                            mu::plan::OnCrash::kReobserve);
  }
  const auto again = mu::run::ParseJournal(written);
  MUST(again && again->records.size() == contents->records.size());
  std::string twice;
  for (const mu::run::Record& record : again->records) twice += mu::run::FormatRecord(record);
  MUST(twice == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  Check(input);
  std::string journal;
  for (const std::string& line : mu::Split(input, '\n')) {
    boost::crc_32_type crc;
    crc.process_bytes(line.data(), line.size());
    journal += fmt::format("{{\"crc\":\"{:08x}\",{}\n", crc.checksum(), line);
  }
  Check(journal);
  return 0;
}
