// SPDX-License-Identifier: Apache-2.0
// The backup file of keys, in the format of Milvus's migration tool (ground.md 4 "Backup file"), so
// that either can read the other's: u64 little-endian length, header message, then length and entry
// message to the exact end of file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"

namespace mu::backup {

struct Header {
  std::string instance;   // etcd.rootPath
  std::string meta_path;  // etcd.metaSubPath
  std::int64_t entries = 0;
  std::string component = "etcd";
  std::string extra = R"({"entry_include_root_path":true})";
  bool operator==(const Header&) const = default;
};

struct Entry {
  std::string key;  // full
  std::string value;
  bool operator==(const Entry&) const = default;
};

std::string FormatHeader(const Header& header);
std::string FormatEntry(const Entry& entry);
std::string Format(const Header& header, const std::vector<Entry>& entries);

// Reads a backup in parts, as they come from a disk: memory is bounded by one entry.
class Decoder {
 public:
  using TakeHeader = std::function<Status(Header)>;
  using TakeEntry = std::function<Status(Entry)>;
  Decoder(TakeHeader take_header, TakeEntry take_entry);
  // Errors: as Parse; what the takers return.
  Status Feed(std::string_view part);
  Status Finish();  // the end of the file: everything must be there

 private:
  Status TakeFrame(std::string_view frame);

  TakeHeader take_header_;
  TakeEntry take_entry_;
  std::string rest_;          // the cut frame at the end of the last part
  std::uint64_t offset_ = 0;  // of `rest_` in the file
  std::uint64_t file_size_ = 0;
  bool has_header_ = false;
  std::int64_t entries_said_ = 0;
  std::int64_t entries_ = 0;
};

struct Contents {
  Header header;
  std::vector<Entry> entries;
};
// Errors: kBackupBad with the byte offset: cut framing, count differs from the header, no header,
// trailing bytes, not protobuf.
Result<Contents> Parse(std::string_view bytes);

}  // namespace mu::backup
