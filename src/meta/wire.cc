// SPDX-License-Identifier: Apache-2.0
#include "meta/wire.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

namespace mu::meta {

std::optional<std::string> WithoutField(std::string_view message, int number) {
  using google::protobuf::internal::WireFormatLite;
  if (message.size() > std::numeric_limits<int>::max()) return std::nullopt;
  const std::uint32_t cut =
      WireFormatLite::MakeTag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  google::protobuf::io::CodedInputStream input(
      reinterpret_cast<const std::uint8_t*>(message.data()), static_cast<int>(message.size()));
  std::string rest;
  rest.reserve(message.size());
  while (true) {
    const auto begin = static_cast<std::size_t>(input.CurrentPosition());
    const std::uint32_t tag = input.ReadTag();
    if (tag == 0) break;
    if (!WireFormatLite::SkipField(&input, tag)) return std::nullopt;
    const auto end = static_cast<std::size_t>(input.CurrentPosition());
    if (tag != cut) rest.append(message.substr(begin, end - begin));
  }
  if (!input.ConsumedEntireMessage()) return std::nullopt;
  return rest;
}

}  // namespace mu::meta
