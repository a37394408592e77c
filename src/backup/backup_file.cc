// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/backup/backup_file.h"

#include <fmt/format.h>

#include <utility>

#include "backup.pb.h"

namespace mu::backup {
namespace {

constexpr std::size_t kLengthBytes = 8;

std::string Framed(const std::string& message) {
  std::string framed;
  framed.reserve(message.size() + kLengthBytes);
  auto length = static_cast<std::uint64_t>(message.size());
  for (std::size_t i = 0; i < kLengthBytes; ++i, length >>= 8)
    framed += static_cast<char>(length & 0xFF);
  return framed + message;
}

// A frame that is longer than this is a damaged length, not an entry: etcd takes no value beyond
// its request limit, 1.5 MiB by default, and no installation is known to allow a hundred times
// that.
constexpr std::uint64_t kLongestFrame = 256u << 20;

tl::unexpected<Error> Damaged(std::uint64_t offset, std::string_view what, std::string_view why) {
  return Fail(ErrorCode::kBackupBad,
              fmt::format("the backup is damaged at byte {}: {}: {}", offset, what, why));
}

template <class Message>
bool Decode(std::string_view frame, Message* message) {
  return message->ParseFromArray(frame.data(), static_cast<int>(frame.size()));
}

}  // namespace

std::string FormatHeader(const Header& header) {
  wire::Header message;
  message.set_instance(header.instance);
  message.set_meta_path(header.meta_path);
  message.set_entries(header.entries);
  message.set_component(header.component);
  message.set_extra(header.extra);
  return Framed(message.SerializeAsString());
}

std::string FormatEntry(const Entry& entry) {
  wire::Entry message;
  message.set_key(entry.key);
  message.set_value(entry.value);
  return Framed(message.SerializeAsString());
}

std::string Format(const Header& header, const std::vector<Entry>& entries) {
  std::string bytes = FormatHeader(header);
  for (const Entry& entry : entries) bytes += FormatEntry(entry);
  return bytes;
}

Decoder::Decoder(TakeHeader take_header, TakeEntry take_entry)
    : take_header_(std::move(take_header)), take_entry_(std::move(take_entry)) {}

Status Decoder::TakeFrame(std::string_view frame) {
  if (!has_header_) {
    wire::Header header;
    if (!Decode(frame, &header))
      return Damaged(offset_ + kLengthBytes, "the header", "not the message that it should be");
    has_header_ = true;
    entries_said_ = header.entries();
    return take_header_({header.instance(), header.meta_path(), header.entries(),
                         header.component(), header.extra()});
  }
  wire::Entry entry;
  const std::string what = fmt::format("entry {}", ++entries_);
  if (!Decode(frame, &entry))
    return Damaged(offset_ + kLengthBytes, what, "not the message that it should be");
  if (entry.key().empty()) return Damaged(offset_ + kLengthBytes, what, "it has no key");
  return take_entry_({std::move(*entry.mutable_key()), std::move(*entry.mutable_value())});
}

Status Decoder::Feed(std::string_view part) {
  file_size_ += part.size();
  rest_ += part;
  std::size_t at = 0;
  while (rest_.size() - at >= kLengthBytes) {
    std::uint64_t length = 0;
    for (std::size_t i = kLengthBytes; i-- > 0;)
      length = length << 8 | static_cast<unsigned char>(rest_[at + i]);
    if (length > kLongestFrame)
      return Damaged(offset_, has_header_ ? fmt::format("entry {}", entries_ + 1) : "the header",
                     fmt::format("it says {} bytes, which no backup has", length));
    if (length > rest_.size() - at - kLengthBytes) break;
    MU_CHECK(TakeFrame(std::string_view(rest_).substr(at + kLengthBytes, length)));
    at += kLengthBytes + length;
    offset_ += kLengthBytes + length;
  }
  rest_.erase(0, at);
  return {};
}

Status Decoder::Finish() {
  const std::string what = has_header_ ? fmt::format("entry {}", entries_ + 1) : "the header";
  if (rest_.size() >= kLengthBytes)
    return Damaged(offset_, what, fmt::format("it is cut, the file ends at byte {}", file_size_));
  if (!rest_.empty() || !has_header_) return Damaged(offset_, what, "its length is cut");
  if (entries_said_ != entries_) {
    return Fail(ErrorCode::kBackupBad,
                fmt::format("the backup's header says {} entries and the file has {}",
                            entries_said_, entries_));
  }
  return {};
}

Result<Contents> Parse(std::string_view bytes) {
  Contents contents;
  Decoder decoder(
      [&](Header header) -> Status {
        contents.header = std::move(header);
        return {};
      },
      [&](Entry entry) -> Status {
        contents.entries.push_back(std::move(entry));
        return {};
      });
  MU_CHECK(decoder.Feed(bytes));
  MU_CHECK(decoder.Finish());
  return contents;
}

}  // namespace mu::backup
