#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// Debian has no Jinja interpreter for C++; this folder is the part of the language that published
// chat templates use, with Python's meaning of its values.
namespace regroup::models::chat {

class Value;
using List = std::vector<Value>;

/// Keys and values in the order in which they came.
struct Dict {
  std::vector<std::pair<std::string, Value>> entries;
  bool is_namespace = false;  ///< may be changed by `set ns.x = …`

  const Value* find(std::string_view key) const;
  void set(const std::string& key, Value value);
};

/// What stands in the parentheses of a call or a filter.
struct Arguments {
  List values;
  std::vector<std::pair<std::string, Value>> named;

  /// The i-th argument, else the one of that name, else undefined.
  Value get(std::size_t i, std::string_view name) const;
};

struct Callable {
  std::string name;
  std::function<Value(const Arguments&)> call;
};

/// A value of a template. Cheap to copy: lists and dictionaries are shared, and only namespaces
/// change.
class Value {
 public:
  struct Undefined {
    std::string name;  ///< what was asked for, for messages
  };
  struct None {};
  using Data =
      std::variant<Undefined, None, bool, std::int64_t, double, std::string,
                   std::shared_ptr<const List>, std::shared_ptr<Dict>, std::shared_ptr<Callable>>;

  Value() : data_(Undefined{}) {}
  Value(Undefined undefined) : data_(std::move(undefined)) {}
  Value(None none) : data_(none) {}
  Value(bool value) : data_(value) {}
  Value(std::int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(List list) : data_(std::make_shared<const List>(std::move(list))) {}
  Value(std::shared_ptr<Dict> dict) : data_(std::move(dict)) {}
  Value(Dict dict) : data_(std::make_shared<Dict>(std::move(dict))) {}
  Value(Callable callable) : data_(std::make_shared<Callable>(std::move(callable))) {}

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  /// Null unless the value is of that type; likewise below.
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data_); }
  const double* real() const { return std::get_if<double>(&data_); }
  const std::string* text() const { return std::get_if<std::string>(&data_); }
  const List* list() const;
  Dict* dict() const;
  const Callable* callable() const;
  const Data& data() const { return data_; }

  /// Python's truth.
  bool truth() const;
  /// What `{{ value }}` prints: Python's `str`.
  std::string str() const;
  /// Python's `repr`.
  std::string repr() const;
  /// What kind of thing it is, for messages.
  std::string type() const;

 private:
  Data data_;
};

bool operator==(const Value& a, const Value& b);

/// The value of a JSON document.
Value value_of(const nlohmann::ordered_json& json);

/// The characters of valid UTF-8 text.
std::vector<std::string_view> characters_of(std::string_view text);

}  // namespace regroup::models::chat
