// SPDX-License-Identifier: Apache-2.0
// One field list a struct serves both ways: Writer turns it into JSON, Reader fills it from JSON
// and refuses what is missing, unknown or of another type, with the place. Private to plan/.
#pragma once

#include <fmt/format.h>

#include <boost/json.hpp>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/base/text.h"

namespace mu::plan::json {

// For field lists that serve const and mutable values: template <class A, Is<Hop> T>.
template <class T, class U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

// Specialised for each enum: the names that are written. Never renamed.
template <class E>
struct Names;
template <class E>
struct Named {
  E value;
  std::string_view name;
};

// Text that is not UTF-8 (a path may be so) is written as {"hex": "..."}: JSON cannot hold it.
boost::json::value FromText(const std::string& text);
std::optional<std::string> ToText(const boost::json::value& value);
// Two-space indent, keys in the order of insertion, final newline.
std::string Pretty(const boost::json::value& value);

class Writer {
 public:
  template <class T>
  void operator()(std::string_view name, const T& field) {
    object_[name] = ValueOf(field);
  }
  template <class T>
  static boost::json::value ValueOf(const T& field) {
    if constexpr (std::is_same_v<T, std::string>) {
      return FromText(field);
    } else if constexpr (std::is_same_v<T, Millis>) {
      return boost::json::value(static_cast<std::int64_t>(field.count()));
    } else if constexpr (std::is_enum_v<T>) {
      for (const auto& row : Names<T>::kAll) {
        if (row.value == field) return boost::json::value(row.name);
      }
      return boost::json::value(nullptr);
    } else if constexpr (std::is_same_v<T, bool>) {
      return boost::json::value(field);
    } else if constexpr (std::is_unsigned_v<T>) {
      return boost::json::value(static_cast<std::uint64_t>(field));
    } else if constexpr (std::is_integral_v<T>) {
      return boost::json::value(static_cast<std::int64_t>(field));
    } else {
      return Compound(field);
    }
  }
  boost::json::object Take() { return std::move(object_); }

 private:
  template <class T>
  static boost::json::value Compound(const std::vector<T>& items) {
    boost::json::array array;
    for (const T& item : items) array.push_back(ValueOf(item));
    return array;
  }
  template <class T>
  static boost::json::value Compound(const std::map<std::string, T>& items) {
    boost::json::object object;
    for (const auto& [key, item] : items) object[key] = ValueOf(item);
    return object;
  }
  template <class T>
  static boost::json::value Compound(const T& fields) {
    Writer writer;
    Fields(writer, fields);
    return writer.Take();
  }

  boost::json::object object_;
};

// Keeps the first error; reads on with defaults after it.
class Reader {
 public:
  Reader(const boost::json::object& object, std::string path, std::string* error)
      : object_(object), path_(std::move(path)), error_(error) {}
  // What was not asked for is unknown.
  void Close() {
    if (used_ == object_.size()) return;
    for (const auto& item : object_) {
      if (!known_.contains(std::string(item.key()))) Refuse(At(item.key()), "is not a field");
    }
  }
  template <class T>
  void operator()(std::string_view name, T& field) {
    const boost::json::value* value = Find(name);
    if (value != nullptr) ReadInto(*value, At(name), field);
  }
  const boost::json::value* Find(std::string_view name) {
    const boost::json::value* value = object_.if_contains(name);
    if (value == nullptr) {
      Refuse(At(name), "is missing");
    } else if (known_.emplace(name, true).second) {
      ++used_;
    }
    return value;
  }
  std::string At(std::string_view name) const {
    return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
  }
  void Refuse(const std::string& path, std::string_view why) {
    if (error_->empty()) *error_ = fmt::format("{} {}", path, why);
  }

  template <class T>
  void ReadInto(const boost::json::value& value, const std::string& path, T& field) {
    if constexpr (std::is_same_v<T, std::string>) {
      auto text = ToText(value);
      text ? void(field = std::move(*text)) : Refuse(path, "is not text");
    } else if constexpr (std::is_same_v<T, Millis>) {
      std::int64_t count = 0;
      ReadInto(value, path, count);
      field = Millis(count);
    } else if constexpr (std::is_enum_v<T>) {
      ReadEnum(value, path, field);
    } else if constexpr (std::is_same_v<T, bool>) {
      value.is_bool() ? void(field = value.get_bool()) : Refuse(path, "is not true or false");
    } else if constexpr (std::is_integral_v<T>) {
      boost::json::error_code code;
      const T number = value.to_number<T>(code);
      const bool is_whole = value.is_int64() || value.is_uint64();
      code || !is_whole ? Refuse(path, "is not a whole number in range") : void(field = number);
    } else {
      ReadCompound(value, path, field);
    }
  }

 private:
  template <class E>
  void ReadEnum(const boost::json::value& value, const std::string& path, E& field) {
    if (!value.is_string()) return Refuse(path, "is not a name");
    for (const auto& row : Names<E>::kAll) {
      if (row.name == std::string_view(value.get_string())) {
        field = row.value;
        return;
      }
    }
    Refuse(path, "is a name that this version does not know");
  }
  template <class T>
  void ReadCompound(const boost::json::value& value, const std::string& path,
                    std::vector<T>& items) {
    if (!value.is_array()) return Refuse(path, "is not a list");
    items.clear();
    for (const boost::json::value& item : value.get_array()) {
      const std::string at = fmt::format("{}[{}]", path, items.size());
      ReadInto(item, at, items.emplace_back());
    }
  }
  template <class T>
  void ReadCompound(const boost::json::value& value, const std::string& path,
                    std::map<std::string, T>& items) {
    if (!value.is_object()) return Refuse(path, "is not an object");
    items.clear();
    for (const auto& item : value.get_object()) {
      ReadInto(item.value(), fmt::format("{}.{}", path, std::string_view(item.key())),
               items[std::string(item.key())]);
    }
  }
  template <class T>
  void ReadCompound(const boost::json::value& value, const std::string& path, T& fields) {
    if (!value.is_object()) return Refuse(path, "is not an object");
    Reader reader(value.get_object(), path, error_);
    Fields(reader, fields);
    reader.Close();
  }

  const boost::json::object& object_;
  std::string path_;
  std::string* error_;
  std::map<std::string, bool, std::less<>> known_;
  std::size_t used_ = 0;
};

}  // namespace mu::plan::json
