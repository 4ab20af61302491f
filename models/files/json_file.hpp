#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace regroup::models {

/// Largest JSON text that is read, in bytes; also the limit of a safetensors header.
inline constexpr std::uint64_t kMaxJsonBytes = 100'000'000;

/// Deepest nesting of arrays and objects that is read; deeper values would exhaust the stack of
/// code that walks them recursively.
inline constexpr int kMaxJsonDepth = 128;

/// What to do with an object that names a key twice. Python's reader lets the last one win, so
/// files that other programs read may hold duplicates.
enum class DuplicateKeys { kLastWins, kRefuse };

/// Parses UTF-8 JSON text. `where` names the source in messages. Every failure is an InputError
/// with the line, column and byte: invalid syntax or UTF-8, nesting beyond kMaxJsonDepth, a number
/// beyond the range of double, a duplicate key where refused.
nlohmann::json parse_json(std::string_view text, const std::string& where,
                          DuplicateKeys duplicates = DuplicateKeys::kLastWins);

/// The same for a text that is one line of something, which `where` names: "docs.jsonl, line 3".
/// Messages say the column alone.
nlohmann::json parse_json_line(std::string_view text, const std::string& where);

/// Reads and parses a JSON file of at most kMaxJsonBytes. Throws InputError as parse_json does and
/// when the file is absent, not a regular file, unreadable or too large.
nlohmann::json read_json_file(const std::filesystem::path& path,
                              DuplicateKeys duplicates = DuplicateKeys::kLastWins);

/// JSON text of a value; bytes that are not UTF-8 (a path may hold any) become U+FFFD. `indent` <
/// 0: on one line.
std::string json_text(const nlohmann::ordered_json& value, int indent = -1);

/// A JSON value in a few words for a message: `"llama"`, `3.5`, `null`, `an array of 3 values`.
std::string describe_json(const nlohmann::json& value);

/// Throws InputError unless the value is an object; `where` names it in the message.
void require_object(const nlohmann::json& value, const std::string& where);

}  // namespace regroup::models
