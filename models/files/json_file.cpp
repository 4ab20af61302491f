#include "models/files/json_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "models/files/mapped_file.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Json = nlohmann::json;

/// Watches the parser's events for what the JSON grammar allows and we do not.
class Guard {
 public:
  Guard(const std::string& where, DuplicateKeys duplicates)
      : where_(where), refuse_duplicates_(duplicates == DuplicateKeys::kRefuse) {}

  void see(int depth, Json::parse_event_t event, const Json& parsed) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      require_depth(depth);
    }
    if (!refuse_duplicates_) return;
    if (event == Json::parse_event_t::object_start) keys_.emplace_back();
    if (event == Json::parse_event_t::object_end) keys_.pop_back();
    if (event == Json::parse_event_t::key) add_key(parsed.get_ref<const std::string&>());
  }

 private:
  void require_depth(int depth) const {
    if (depth < kMaxJsonDepth) return;
    throw InputError({.what = "JSON is nested too deeply",
                      .where = where_,
                      .expected = fmt::format("at most {} levels", kMaxJsonDepth),
                      .found = "more levels"});
  }

  void add_key(const std::string& key) {
    if (keys_.back().insert(key).second) return;
    throw InputError({.what = "JSON object names a key twice",
                      .where = where_,
                      .expected = "every key once",
                      .found = "\"" + printable(key) + "\" again"});
  }

  const std::string& where_;
  bool refuse_duplicates_;
  std::vector<std::set<std::string>> keys_;
};

std::string position_in(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("line {}, column {}, byte {}", line, before.size() - line_start + 1,
                     before.size());
}

std::string column_in(std::string_view text, std::size_t byte) {
  return fmt::format("column {}", std::min(byte, text.size()) + 1);
}

/// How a place in a text is named.
using Position = std::string (*)(std::string_view text, std::size_t byte);

/// The parser's reason without its prefix and without the text it last read, which may be as long
/// as the file and need not be UTF-8.
ErrorParts syntax_error(const std::string& where, const Json::parse_error& error) {
  std::string_view reason = error.what();
  constexpr std::string_view kExpected = "; expected ";
  std::string_view expected;
  if (const auto at = reason.rfind(kExpected); at != std::string_view::npos) {
    expected = reason.substr(at + kExpected.size());
  }
  reason = reason.substr(0, reason.find("; last read"));
  if (const auto at = reason.find(": "); at != std::string_view::npos) {
    reason = reason.substr(at + 2);
  }
  return {.what = "not valid JSON",
          .where = where,
          .expected = expected.empty() ? "valid JSON" : printable(expected),
          .found = printable(reason)};
}

std::string plural(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

Json parse(std::string_view text, const std::string& where, DuplicateKeys duplicates,
           Position position) {
  Guard guard(where, duplicates);
  try {
    return Json::parse(text, [&guard](int depth, Json::parse_event_t event, Json& parsed) {
      guard.see(depth, event, parsed);
      return true;
    });
  } catch (const Json::parse_error& error) {
    const std::size_t byte = error.byte == 0 ? 0 : error.byte - 1;  // the parser counts from 1
    throw InputError(syntax_error(where + ", " + position(text, byte), error));
  } catch (const Json::exception& error) {
    throw InputError({.what = "not usable JSON",
                      .where = where,
                      .expected = "numbers within the range of a double",
                      .found = printable(error.what())});
  }
}

}  // namespace

Json parse_json(std::string_view text, const std::string& where, DuplicateKeys duplicates) {
  return parse(text, where, duplicates, position_in);
}

Json parse_json_line(std::string_view text, const std::string& where) {
  return parse(text, where, DuplicateKeys::kLastWins, column_in);
}

Json read_json_file(const std::filesystem::path& path, DuplicateKeys duplicates) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  if (bytes.size() > kMaxJsonBytes) {
    throw InputError({.what = "JSON file is too large",
                      .where = path.string(),
                      .expected = fmt::format("at most {} bytes", kMaxJsonBytes),
                      .found = fmt::format("{} bytes", bytes.size())});
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return parse_json(text, path.string(), duplicates);
}

std::string json_text(const nlohmann::ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string describe_json(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::string:
      return "\"" + printable(value.get_ref<const std::string&>()) + "\"";
    case Json::value_t::array:
      return "an array of " + plural(value.size(), "value");
    case Json::value_t::object:
      return "an object of " + plural(value.size(), "field");
    default:
      return value.dump();  // a boolean or a number: short
  }
}

void require_object(const Json& value, const std::string& where) {
  if (value.is_object()) return;
  throw InputError({.what = "JSON value has the wrong type",
                    .where = where,
                    .expected = "an object",
                    .found = describe_json(value)});
}

}  // namespace regroup::models
