#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace regroup::models {

/// A part of a text on its way to the model of a tokenizer, never empty.
struct TextPart {
  std::string_view text;
  bool begins_text = false;  ///< nothing stands before it
};

/// How text is cut into words, which the model of the tokenizer then takes one by one. Immutable
/// once it is filled, and then thread-safe.
class PreTokenizer {
 public:
  using OnPart = std::function<void(const TextPart&)>;
  /// Gives the parts of a part in their order; they need not outlive the call.
  using Step = std::function<void(const TextPart&, const OnPart&)>;

  /// Each step cuts what the one before gives.
  void add(Step step) { steps_.push_back(std::move(step)); }
  /// The words of valid UTF-8 text, which is not empty. Memory does not grow with their number.
  void for_each_word(const TextPart& text, const OnPart& on_word) const;
  std::size_t size() const { return steps_.size(); }

 private:
  void run(std::size_t step, const TextPart& part, const OnPart& on_word) const;

  std::vector<Step> steps_;
};

/// A pre-tokenizer, and whether its last step writes words in `byte_alphabet()`, which it then
/// leaves to the model.
struct ByteAwarePreTokenizer {
  PreTokenizer steps;
  bool byte_level = false;
};

/// GPT-2's own: words with the blank before them, as bytes.
ByteAwarePreTokenizer gpt2_pre_tokenizer(bool prefix_blank);

/// The `pre_tokenizer` of a tokenizer.json, null for none: ByteLevel, Metaspace, Split, Digits,
/// Punctuation, Whitespace, WhitespaceSplit, CharDelimiterSplit, BertPreTokenizer or a Sequence of
/// these. With `model_takes_bytes` a last ByteLevel is left to the model. Throws InputError for
/// another one and for broken fields; `where` names the object.
ByteAwarePreTokenizer read_pre_tokenizer(const nlohmann::json& node, bool model_takes_bytes,
                                         const std::string& where);

}  // namespace regroup::models
