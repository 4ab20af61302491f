#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/pretrained/pretrained_model.hpp"
#include "models/text/continuation.hpp"
#include "models/text/tokenizer.hpp"

namespace regroup::models {

/// Turns texts into what a causal model is asked, as lm-evaluation-harness does (METHODS §9).
/// Texts are valid UTF-8. Immutable and thread-safe; `model` must outlive it.
class ContinuationEncoder {
 public:
  /// For inputs of at most `context` tokens. Throws InputError as `load_tokenizer`.
  ContinuationEncoder(const PretrainedModel& model, int context);

  /// `continuation` after `context`, special ids where the tokenizer adds them: the ids of both
  /// together, from where those of the context without its trailing white space end. Of what is too
  /// long the last context + 1 ids stay. Throws InputError, naming `where`, if nothing is left to
  /// score, for an id outside the model's vocabulary, and as `prefix`.
  Continuation continuation(std::string_view context, std::string_view continuation,
                            const std::string& where) const;

  /// A whole text in windows, every token of it scored once, the first one after `prefix`; the last
  /// window reaches back as far as it can. No special ids. Example, context 4, ids 1 … 6: prefix 1
  /// 2 3 asks for 1 2 3 4, then 2 3 4 5 for 5 6. Throws InputError, naming `where`, for an id
  /// outside the model's vocabulary, and as `prefix`.
  std::vector<Continuation> rolling(std::string_view text, const std::string& where) const;

 private:
  /// The id before a text that has nothing before it: the tokenizer's, else `bos_token_id` of
  /// config.json. Throws InputError if there is none.
  std::int32_t prefix() const;

  const PretrainedModel& model_;
  std::unique_ptr<const Tokenizer> tokenizer_;
  std::size_t context_;
};

}  // namespace regroup::models
