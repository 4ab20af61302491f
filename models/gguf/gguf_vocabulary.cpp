#include "models/gguf/gguf_vocabulary.hpp"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>
#include <utility>

#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Below every score of a tokenizer, as llama.cpp's own converter writes it.
constexpr float kUnusedScore = -10000;

}  // namespace

GgufVocabulary::GgufVocabulary(int size) {
  for (int id = 0; id < size; ++id) {
    texts_.push_back(fmt::format("[PAD{}]", id));
    scores_.push_back(kUnusedScore);
    types_.push_back(static_cast<std::int32_t>(PieceType::kUnused));
  }
}

void GgufVocabulary::set(std::int32_t id, std::string text, float score, PieceType type) {
  const auto at = static_cast<std::size_t>(id);
  texts_[at] = std::move(text);
  scores_[at] = score;
  types_[at] = static_cast<std::int32_t>(type);
}

void GgufVocabulary::append_to(GgufMetadata& metadata, bool scores,
                               const std::string& where) const {
  std::unordered_map<std::string_view, std::size_t> ids;
  for (std::size_t id = 0; id < texts_.size(); ++id) {
    const auto [first, is_new] = ids.emplace(texts_[id], id);
    if (is_new && !texts_[id].empty()) continue;
    throw InputError(
        {.what = "tokens of the tokenizer cannot be told apart in a GGUF file",
         .where = where,
         .expected = "a text of its own for every id",
         .found = fmt::format("\"{}\" for {} and {}", printable(texts_[id]), first->second, id)});
  }
  metadata.push_back({"tokenizer.ggml.tokens", texts_});
  if (scores) metadata.push_back({"tokenizer.ggml.scores", scores_});
  metadata.push_back({"tokenizer.ggml.token_type", types_});
}

void require_rows(std::size_t tokens, int rows, const std::string& where) {
  if (tokens <= static_cast<std::size_t>(rows)) return;
  throw InputError({.what = "tokenizer has more tokens than the model has rows",
                    .where = where,
                    .expected = fmt::format("at most {}", rows),
                    .found = std::to_string(tokens)});
}

}  // namespace regroup::models
