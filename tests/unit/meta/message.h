// SPDX-License-Identifier: Apache-2.0
// Protobuf by hand, so that what the tests feed and expect does not come from the code under test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mu::meta {

struct Message {
  std::string bytes;

  // Like Milvus: what has its default is not written.
  Message& Int(unsigned field, std::uint64_t value) {
    if (value == 0) return *this;
    Varint(field << 3);
    return Varint(value);
  }
  Message& Int(unsigned field, std::int64_t value) {
    return Int(field, static_cast<std::uint64_t>(value));
  }
  Message& Int(unsigned field, int value) { return Int(field, static_cast<std::int64_t>(value)); }
  Message& Text(unsigned field, std::string_view text) {
    return text.empty() ? *this : Put(field, text);
  }
  Message& Sub(unsigned field, const Message& message) { return Put(field, message.bytes); }
  Message& Packed(unsigned field, const std::vector<std::int64_t>& values) {
    Message packed;
    for (const std::int64_t value : values) packed.Varint(static_cast<std::uint64_t>(value));
    return Text(field, packed.bytes);
  }
  Message& Pair(unsigned field, std::string_view key, std::string_view value) {
    return Sub(field, Message().Text(1, key).Text(2, value));
  }

  Message& Varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
    bytes += static_cast<char>(value);
    return *this;
  }
  Message& Put(unsigned field, std::string_view text) {
    Varint(field << 3 | 2);
    Varint(text.size());
    bytes += text;
    return *this;
  }
};

// `bytes` without its length-delimited fields `field`; written for well-formed messages of varints
// and length-delimited fields only.
inline std::string Without(std::string_view bytes, unsigned field) {
  std::string rest;
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (unsigned shift = 0; at < bytes.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes[at++]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < bytes.size()) {
    const std::size_t begin = at;
    const std::uint64_t tag = varint();
    const std::uint64_t value = varint();
    if ((tag & 7) == 2) at += static_cast<std::size_t>(value);
    if (tag != (field << 3 | 2)) rest += bytes.substr(begin, at - begin);
  }
  return rest;
}

}  // namespace mu::meta
