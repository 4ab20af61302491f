#include "models/text/pipeline/vocabulary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"

namespace regroup::models {

void Vocabulary::set(const std::string& token, std::int32_t id) {
  ids_[token] = id;
  size_ = std::max(size_, id + 1);
  longest_ = std::max(longest_, token.size());
}

std::optional<std::int32_t> Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

void Vocabulary::for_each(
    const std::function<void(const std::string&, std::int32_t)>& visit) const {
  for (const auto& [token, id] : ids_) visit(token, id);
}

Vocabulary read_vocabulary(const nlohmann::json& object, const std::string& where) {
  require_object(object, where);
  Vocabulary vocabulary;
  for (const auto& [token, id] : object.items()) {
    vocabulary.set(token, checked_id(id, fmt::format("{}, token {}", where, printable(token))));
  }
  return vocabulary;
}

std::int32_t checked_id(const nlohmann::json& value, const std::string& where) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max() - 1;
  return static_cast<std::int32_t>(checked_int(value, where, 0, kLargest));
}

}  // namespace regroup::models
