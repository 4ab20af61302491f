#include "models/text/pipeline/added_tokens.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/text/pipeline/unicode.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Whether a letter, a digit or the like stands beside `text.substr(begin, end - begin)`.
bool touches_word(std::string_view text, std::size_t begin, std::size_t end) {
  std::string_view behind = text.substr(end);
  if (!behind.empty() && is_word_character(take_character(behind))) return true;
  if (begin == 0) return false;
  std::size_t last = begin - 1;
  while (last > 0 && (text[last] & 0xc0) == 0x80) --last;
  std::string_view before = text.substr(last);
  return is_word_character(take_character(before));
}

}  // namespace

AddedToken read_added_token(const nlohmann::json& object, std::int32_t id,
                            const std::string& where) {
  AddedToken token;
  token.content = required_string(object, "content", where);
  token.id = id;
  token.single_word = optional_bool(object, "single_word", where).value_or(false);
  token.takes_space_before = optional_bool(object, "lstrip", where).value_or(false);
  token.takes_space_after = optional_bool(object, "rstrip", where).value_or(false);
  token.normalized = optional_bool(object, "normalized", where).value_or(true);
  token.special = optional_bool(object, "special", where).value_or(false);
  if (token.content.empty()) {
    throw InputError({.what = "added token of the tokenizer is empty", .where = where});
  }
  return token;
}

TokenFinder::TokenFinder(std::vector<AddedToken> tokens) {
  for (AddedToken& token : tokens) {
    if (token.content.empty()) continue;  // normalized away
    by_first_byte_[static_cast<unsigned char>(token.content[0])].push_back(std::move(token));
  }
  for (std::vector<AddedToken>& list : by_first_byte_) {
    std::stable_sort(list.begin(), list.end(), [](const AddedToken& a, const AddedToken& b) {
      return a.content.size() > b.content.size();
    });
  }
}

const AddedToken* TokenFinder::token_at(std::string_view text, std::size_t at) const {
  const auto& tokens = by_first_byte_[static_cast<unsigned char>(text[at])];
  const auto found = std::find_if(tokens.begin(), tokens.end(), [&](const AddedToken& token) {
    return text.substr(at, token.content.size()) == token.content;
  });
  return found == tokens.end() ? nullptr : &*found;
}

void TokenFinder::split(std::string_view text, const std::function<void(std::string_view)>& on_text,
                        const std::function<void(std::int32_t)>& on_token) const {
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    const AddedToken* token = token_at(text, at);
    if (token == nullptr) {
      ++at;
      continue;
    }
    const std::size_t end = at + token->content.size();
    if (token->single_word && touches_word(text, at, end)) {
      at = end;
      continue;
    }
    const std::string_view before = text.substr(done, at - done);
    const std::size_t kept = token->takes_space_before ? space_before(before) : before.size();
    if (kept > 0) on_text(before.substr(0, kept));
    on_token(token->id);
    at = end;
    if (token->takes_space_after) at += space_after(text.substr(at));
    done = at;
  }
  if (done < text.size()) on_text(text.substr(done));
}

}  // namespace regroup::models
