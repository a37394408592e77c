// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/backup/backup_file.h"

#include <fmt/format.h>

#include <limits>

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

// Takes frames from the head of the bytes, knowing where it is for the messages.
class Frames {
 public:
  explicit Frames(std::string_view bytes) : bytes_(bytes) {}
  bool IsAtEnd() const { return offset_ == bytes_.size(); }
  std::size_t Offset() const { return offset_; }

  Result<std::string_view> Next(std::string_view what) {
    const std::size_t left = bytes_.size() - offset_;
    if (left < kLengthBytes) return Cut(what, "its length is cut");
    std::uint64_t length = 0;
    for (std::size_t i = kLengthBytes; i-- > 0;) {
      length = length << 8 | static_cast<unsigned char>(bytes_[offset_ + i]);
    }
    if (length > left - kLengthBytes) {
      return Cut(what,
                 fmt::format("it says {} bytes and {} are left", length, left - kLengthBytes));
    }
    const std::string_view frame =
        bytes_.substr(offset_ + kLengthBytes, static_cast<std::size_t>(length));
    offset_ += kLengthBytes + static_cast<std::size_t>(length);
    return frame;
  }

 private:
  tl::unexpected<Error> Cut(std::string_view what, const std::string& why) const {
    return Fail(ErrorCode::kBackupBad,
                fmt::format("the backup is damaged at byte {}: {}: {}", offset_, what, why));
  }

  std::string_view bytes_;
  std::size_t offset_ = 0;
};

template <class Message>
Result<Message> Decode(std::string_view frame, std::string_view what, std::size_t end) {
  Message message;
  if (frame.size() <= std::numeric_limits<int>::max() &&
      message.ParseFromArray(frame.data(), static_cast<int>(frame.size())))
    return message;
  return Fail(ErrorCode::kBackupBad,
              fmt::format("the backup is damaged at byte {}: {}: not the message that it should be",
                          end - frame.size(), what));
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

Result<Contents> Parse(std::string_view bytes) {
  Frames frames(bytes);
  MU_TRY(const std::string_view head, frames.Next("the header"));
  MU_TRY(const wire::Header header, Decode<wire::Header>(head, "the header", frames.Offset()));
  Contents contents;
  contents.header = {header.instance(), header.meta_path(), header.entries(), header.component(),
                     header.extra()};
  while (!frames.IsAtEnd()) {
    const std::string what = fmt::format("entry {}", contents.entries.size() + 1);
    MU_TRY(const std::string_view frame, frames.Next(what));
    MU_TRY(wire::Entry entry, Decode<wire::Entry>(frame, what, frames.Offset()));
    if (entry.key().empty()) {
      return Fail(ErrorCode::kBackupBad,
                  fmt::format("the backup is damaged at byte {}: {}: it has no key",
                              frames.Offset() - frame.size(), what));
    }
    contents.entries.push_back({entry.key(), entry.value()});
  }
  if (contents.header.entries != static_cast<std::int64_t>(contents.entries.size())) {
    return Fail(ErrorCode::kBackupBad,
                fmt::format("the backup's header says {} entries and the file has {}",
                            contents.header.entries, contents.entries.size()));
  }
  return contents;
}

}  // namespace mu::backup
