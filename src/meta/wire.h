// SPDX-License-Identifier: Apache-2.0
// Protobuf as bytes: reading a message, and cutting one field out so that all others keep their
// bytes, also those that we do not know. Never throws.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace mu::meta {

template <class Message>
std::optional<Message> Decode(std::string_view bytes) {
  std::optional<Message> message(std::in_place);
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    message.reset();
  return message;
}

// `message` without each length-delimited field `number` of its top level; nothing when it is not
// protobuf.
std::optional<std::string> WithoutField(std::string_view message, int number);

}  // namespace mu::meta
