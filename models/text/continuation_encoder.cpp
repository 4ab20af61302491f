#include "models/text/continuation_encoder.hpp"

#include <algorithm>

#include "models/files/printable.hpp"
#include "models/text/text_counts.hpp"
#include "models/text/token_data.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

ContinuationEncoder::ContinuationEncoder(const PretrainedModel& model, int context)
    : model_(model),
      tokenizer_(load_tokenizer(model.checkpoint.directory())),
      context_(static_cast<std::size_t>(context)) {}

Continuation ContinuationEncoder::continuation(std::string_view context,
                                               std::string_view continuation,
                                               const std::string& where) const {
  std::vector<std::int32_t> ids =
      tokenizer_->encode(std::string(context).append(continuation), /*special=*/true);
  context.remove_suffix(trailing_white_space(context));
  std::size_t before = tokenizer_->encode(context, /*special=*/true).size();
  require_vocabulary(ids, model_.config.vocabulary, where);
  if (before >= ids.size()) {
    throw InputError({.what = "continuation adds no tokens to its context",
                      .where = where,
                      .expected = "at least one token to score",
                      .found = printable(continuation)});
  }
  if (before == 0) {
    ids.insert(ids.begin(), prefix());
    before = 1;
  }
  const std::size_t kept = std::min(ids.size(), context_ + 1);
  const std::size_t left_out = ids.size() - kept;
  const std::size_t scored = std::min(ids.size() - before, context_);
  ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(left_out));
  return {std::move(ids), scored, left_out};
}

std::vector<Continuation> ContinuationEncoder::rolling(std::string_view text,
                                                       const std::string& where) const {
  std::vector<std::int32_t> ids = tokenizer_->encode(text, /*special=*/false);
  require_vocabulary(ids, model_.config.vocabulary, where);
  const std::size_t tokens = ids.size();
  std::vector<Continuation> windows;
  if (tokens == 0) return windows;
  ids.insert(ids.begin(), prefix());
  for (std::size_t scored = 0; scored < tokens;) {
    const std::size_t count = std::min(context_, tokens - scored);
    const std::size_t last = scored + count;
    const std::size_t first = last - std::min(last, context_);
    const auto window = std::span(ids).subspan(first, last - first + 1);
    windows.push_back({{window.begin(), window.end()}, count, 0});
    scored = last;
  }
  return windows;
}

std::int32_t ContinuationEncoder::prefix() const {
  if (const auto id = tokenizer_->prefix()) return *id;
  if (model_.config.bos) return *model_.config.bos;
  throw InputError({.what = "the model has no token to begin a text with",
                    .where = model_.checkpoint.config_where(),
                    .expected = "a bos_token or eos_token of the tokenizer, or bos_token_id"});
}

}  // namespace regroup::models
