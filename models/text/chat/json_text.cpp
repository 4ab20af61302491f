#include <cmath>
#include <nlohmann/json.hpp>

#include "models/text/chat/operations.hpp"

namespace regroup::models::chat {
namespace {

/// Writes values as Python's json.dumps(ensure_ascii=False) does.
class JsonWriter {
 public:
  explicit JsonWriter(std::int64_t indent) : indent_(indent) {}

  std::string written(const Value& value) {
    write(value, 0);
    return std::move(text_);
  }

 private:
  void break_line(std::int64_t depth) {
    if (indent_ < 0) return;
    text_ += '\n';
    text_.append(static_cast<std::size_t>(indent_ * depth), ' ');
  }
  void separate(bool first) {
    if (!first) text_ += indent_ < 0 ? ", " : ",";
  }

  void write_list(const List& list, std::int64_t depth) {
    text_ += '[';
    bool first = true;
    for (const Value& value : list) {
      separate(first);
      break_line(depth + 1);
      write(value, depth + 1);
      first = false;
    }
    if (!list.empty()) break_line(depth);
    text_ += ']';
  }

  void write_dict(const Dict& dict, std::int64_t depth) {
    text_ += '{';
    bool first = true;
    for (const auto& [key, value] : dict.entries) {
      separate(first);
      break_line(depth + 1);
      text_ += nlohmann::json(key).dump() + ": ";
      write(value, depth + 1);
      first = false;
    }
    if (!dict.entries.empty()) break_line(depth);
    text_ += '}';
  }

  void write(const Value& value, std::int64_t depth) {
    if (value.list() != nullptr) return write_list(*value.list(), depth);
    if (value.dict() != nullptr) return write_dict(*value.dict(), depth);
    if (value.text() != nullptr) {
      text_ += nlohmann::json(*value.text()).dump();
    } else if (value.boolean() != nullptr) {
      text_ += *value.boolean() ? "true" : "false";
    } else if (value.integer() != nullptr || value.real() != nullptr) {
      text_ += value.str();
    } else {
      text_ += "null";
    }
  }

  std::int64_t indent_;
  std::string text_;
};

}  // namespace

std::string json_of(const Value& value, std::int64_t indent) {
  constexpr std::int64_t kWidest = 100;
  return JsonWriter(indent > kWidest ? kWidest : indent).written(value);
}

}  // namespace regroup::models::chat
