// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <boost/crc.hpp>
#include <boost/json.hpp>
#include <string_view>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/journal.h"

namespace mu::run {
namespace {

namespace json = boost::json;

constexpr std::pair<RecordType, std::string_view> kTypes[] = {
    {RecordType::kRunStarted, "run-started"},
    {RecordType::kIntent, "intent"},
    {RecordType::kDone, "done"},
    {RecordType::kFailed, "failed"},
    {RecordType::kCommand, "command"},
    {RecordType::kEvent, "event"},
    {RecordType::kRunEnded, "run-ended"},
};

constexpr std::string_view kHead = R"({"crc":")";
constexpr std::size_t kCrcDigits = 8;

std::string Crc(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return fmt::format("{:08x}", crc.checksum());
}

json::array ArrayOf(const std::vector<std::string>& items) {
  json::array array;
  for (const std::string& item : items) array.emplace_back(Printable(item));
  return array;
}

tl::unexpected<Error> Damaged(std::string why) {
  return Fail(ErrorCode::kJournalDamaged, std::move(why));
}
tl::unexpected<Error> Newer(std::string what) {
  return Fail(ErrorCode::kJournalNewer,
              fmt::format("the journal has {}, which this version does not know", what));
}

// Reads one object's fields; keeps the first error.
class Fields {
 public:
  explicit Fields(const json::object& object) : object_(object) {}
  const json::value* Find(std::string_view name) {
    const json::value* value = object_.if_contains(name);
    if (value != nullptr) ++used_;
    return value;
  }
  void Text(std::string_view name, std::string* out) {
    if (const json::value* value = Find(name)) {
      value->is_string() ? void(*out = std::string(value->get_string())) : Refuse(name);
    }
  }
  template <class T>
  void Number(std::string_view name, T* out) {
    if (const json::value* value = Find(name)) {
      json::error_code code;
      const bool is_whole = value->is_int64() || value->is_uint64();
      const T number = value->to_number<T>(code);
      code || !is_whole ? Refuse(name) : void(*out = number);
    }
  }
  void Duration(std::string_view name, Millis* out) {
    Millis::rep count = 0;
    Number(name, &count);
    *out = Millis(count);
  }
  void Texts(std::string_view name, std::vector<std::string>* out) {
    const json::value* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_array()) return Refuse(name);
    for (const json::value& item : value->get_array()) {
      item.is_string() ? void(out->emplace_back(item.get_string())) : Refuse(name);
    }
  }
  void Map(std::string_view name, Evidence* out) {
    const json::value* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_object()) return Refuse(name);
    for (const auto& item : value->get_object()) {
      item.value().is_string()
          ? void((*out)[std::string(item.key())] = std::string(item.value().get_string()))
          : Refuse(name);
    }
  }
  void Refuse(std::string_view name) {
    if (bad_.empty()) bad_ = name;
  }
  const std::string& Bad() const { return bad_; }
  bool HasUnknown() const { return used_ != object_.size(); }

 private:
  const json::object& object_;
  std::size_t used_ = 0;
  std::string bad_;
};

std::optional<Error> ReadError(Fields& record) {
  const json::value* value = record.Find("error");
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) {
    record.Refuse("error");
    return std::nullopt;
  }
  Fields fields(value->get_object());
  Error error;
  int number = 0;
  fields.Number("code", &number);
  fields.Text("message", &error.message);
  fields.Text("hint", &error.hint);
  fields.Texts("context", &error.context);
  // A number of a later version stays readable: its message says what it was.
  error.code = ErrorCode::kInternal;
  for (const ErrorRow& row : ErrorCatalog()) {
    if (static_cast<int>(row.code) == number) error.code = row.code;
  }
  if (!fields.Bad().empty() || fields.HasUnknown()) record.Refuse("error");
  return error;
}

}  // namespace

std::string FormatRecord(const Record& record) {
  json::object object;
  object["seq"] = record.seq;
  object["time"] = Printable(record.time);
  object["at_ms"] = record.at.count();
  for (const auto& [type, name] : kTypes) {
    if (type == record.type) object["type"] = name;
  }
  if (!record.phase.empty()) object["phase"] = Printable(record.phase);
  if (!record.step.empty()) object["step"] = Printable(record.step);
  if (record.attempt != 0) object["attempt"] = record.attempt;
  if (record.is_skipped) object["skipped"] = true;
  if (!record.event.empty()) object["event"] = Printable(record.event);
  if (!record.argv.empty()) object["argv"] = ArrayOf(record.argv);
  if (record.exit_code != 0) object["exit_code"] = record.exit_code;
  if (record.took.count() != 0) object["took_ms"] = record.took.count();
  if (!record.evidence.empty()) {
    json::object evidence;
    for (const auto& [key, value] : record.evidence) evidence[Printable(key)] = Printable(value);
    object["evidence"] = std::move(evidence);
  }
  if (record.error) {
    object["error"] = {{"code", static_cast<int>(record.error->code)},
                       {"message", Printable(record.error->message)},
                       {"hint", Printable(record.error->hint)},
                       {"context", ArrayOf(record.error->context)}};
  }
  const std::string rest = json::serialize(object).substr(1);  // without the opening brace
  return fmt::format("{}{}\",{}\n", kHead, Crc(rest), rest);
}

Result<Record> ParseRecord(std::string_view line) {
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  const std::size_t start = kHead.size() + kCrcDigits + 2;
  if (line.size() <= start || line.substr(0, kHead.size()) != kHead ||
      line.substr(start - 2, 2) != "\",") {
    return Damaged("the line does not begin with its checksum");
  }
  if (Crc(line.substr(start)) != line.substr(kHead.size(), kCrcDigits))
    return Damaged("the line's checksum differs");
  json::error_code code;
  const json::value value = json::parse(line, code);
  if (code || !value.is_object()) return Damaged("the line is not JSON");

  Fields fields(value.get_object());
  (void)fields.Find("crc");
  Record record;
  std::string type;
  fields.Number("seq", &record.seq);
  fields.Text("time", &record.time);
  fields.Duration("at_ms", &record.at);
  fields.Text("type", &type);
  fields.Text("phase", &record.phase);
  fields.Text("step", &record.step);
  fields.Number("attempt", &record.attempt);
  if (const json::value* skipped = fields.Find("skipped")) {
    skipped->is_bool() ? void(record.is_skipped = skipped->get_bool()) : fields.Refuse("skipped");
  }
  fields.Text("event", &record.event);
  fields.Texts("argv", &record.argv);
  fields.Number("exit_code", &record.exit_code);
  fields.Duration("took_ms", &record.took);
  fields.Map("evidence", &record.evidence);
  record.error = ReadError(fields);
  if (!fields.Bad().empty()) return Damaged("\"" + fields.Bad() + "\" is not what it must be");
  if (fields.HasUnknown()) return Newer("a field");
  bool is_known = false;
  for (const auto& [number, name] : kTypes) {
    if (name == type) {
      record.type = number;
      is_known = true;
    }
  }
  if (!is_known) return Newer("a record of type \"" + type + "\"");
  const auto format = record.evidence.find("format");
  if (record.type == RecordType::kRunStarted && format != record.evidence.end() &&
      format->second != std::to_string(kJournalFormat)) {
    return Newer("format " + format->second);
  }
  return record;
}

Result<JournalContents> ParseJournal(std::string_view bytes) {
  JournalContents contents;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t newline = bytes.find('\n', at);
    const bool is_last = newline == std::string_view::npos || newline + 1 == bytes.size();
    const std::string_view line =
        bytes.substr(at, newline == std::string_view::npos ? newline : newline - at);
    // One record is in flight at a time, so only the last line can be torn: cut short, or with
    // blocks that never came (zeros). A whole line that is wrong was damaged later.
    const bool can_be_torn =
        newline == std::string_view::npos || (is_last && line.find('\0') != std::string_view::npos);
    if (can_be_torn) {
      contents.has_torn_tail = true;
      return contents;
    }
    auto record = ParseRecord(line);
    if (!record) {
      Error error = std::move(record).error();
      error.message =
          fmt::format("line {} (byte {}): {}", contents.records.size() + 1, at, error.message);
      return Fail(std::move(error));
    }
    const std::uint64_t expected = contents.records.size() + 1;
    if (record->seq != expected) {
      return Damaged(
          fmt::format("line {} (byte {}): it has number {}: records are missing or twice", expected,
                      at, record->seq));
    }
    contents.records.push_back(*std::move(record));
    at = newline + 1;
    contents.good_bytes = at;
  }
  return contents;
}

}  // namespace mu::run
