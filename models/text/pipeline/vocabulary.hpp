#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace regroup::models {

/// Tokens and their ids.
class Vocabulary {
 public:
  /// A later id of the same token takes the place of the one before.
  void set(const std::string& token, std::int32_t id);
  std::optional<std::int32_t> find(std::string_view token) const;
  /// Calls `visit` for every token and its id, in no particular order.
  void for_each(const std::function<void(const std::string&, std::int32_t)>& visit) const;
  /// One more than the largest id; 0 where there is none.
  int size() const { return size_; }
  /// Of the longest token, in bytes.
  std::size_t longest() const { return longest_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> ids_;
  int size_ = 0;
  std::size_t longest_ = 0;
};

/// A JSON object of tokens and their ids; `where` names it. Throws InputError unless every id is an
/// integer from 0 to 2,147,483,646.
Vocabulary read_vocabulary(const nlohmann::json& object, const std::string& where);

/// Any id of a file. Throws InputError unless it is an integer from 0 to 2,147,483,646.
std::int32_t checked_id(const nlohmann::json& value, const std::string& where);

}  // namespace regroup::models
