#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace regroup::models {

/// A token that is found in the text itself, before anything is cut into words.
struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool single_word = false;         ///< only where no letter or digit stands beside it
  bool takes_space_before = false;  ///< white space before it belongs to it (`lstrip`)
  bool takes_space_after = false;   ///< likewise after it (`rstrip`)
  bool normalized = false;          ///< is looked for in normalized text
  bool special = false;             ///< leaves no text when ids are decoded
};

/// The fields of an added token that stand beside its id in tokenizer.json and
/// tokenizer_config.json. Throws InputError for broken fields and empty content; `where` names the
/// object.
AddedToken read_added_token(const nlohmann::json& object, std::int32_t id,
                            const std::string& where);

/// Finds added tokens in text: the leftmost, of several there the longest. Immutable and
/// thread-safe.
class TokenFinder {
 public:
  TokenFinder() = default;
  explicit TokenFinder(std::vector<AddedToken> tokens);

  /// Calls, from left to right, `on_text` for what lies between tokens, never empty, and `on_token`
  /// for the tokens' ids.
  void split(std::string_view text, const std::function<void(std::string_view)>& on_text,
             const std::function<void(std::int32_t)>& on_token) const;

 private:
  const AddedToken* token_at(std::string_view text, std::size_t at) const;

  static constexpr std::size_t kBytes = 256;
  std::array<std::vector<AddedToken>, kBytes> by_first_byte_;  // longest first
};

}  // namespace regroup::models
