#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "models/text/pipeline/regex.hpp"

namespace regroup::models {

/// Cuts text at the matches of an expression.
struct Splitter {
  Regex regex;
  bool keeps_matches = true;  ///< matches are words
  bool keeps_gaps = true;     ///< what lies between them is
};

/// How text is cut into words, which the model of the tokenizer then takes one by one.
struct PreTokenizer {
  std::vector<Splitter> splitters;  ///< each cuts the words of the one before
  bool byte_level = false;          ///< words go to the model as bytes, every byte a symbol
  bool prefix_blank = false;        ///< text that does not begin with a blank gets one before it

  /// The words of valid UTF-8 text, parts of it in its order; none is empty.
  std::vector<std::string_view> words(std::string_view text) const;
};

/// GPT-2's own: words with the blank before them, as bytes.
PreTokenizer gpt2_pre_tokenizer(bool prefix_blank);

/// The `pre_tokenizer` of a tokenizer.json: ByteLevel, BertPreTokenizer, Split, Digits or a
/// Sequence of these in which ByteLevel stands last. Throws InputError for another one and for
/// broken fields; `where` names the object.
PreTokenizer read_pre_tokenizer(const nlohmann::json& node, const std::string& where);

}  // namespace regroup::models
