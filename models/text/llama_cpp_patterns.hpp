#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace regroup::models {

/// A way of cutting text into words before byte-level BPE that llama.cpp has a name for
/// (`tokenizer.ggml.pre`; llama.cpp, src/llama-vocab.cpp).
struct LlamaCppPattern {
  std::string_view name;
  /// Regular expressions as they stand in the tokenizer.json of such models. Each in turn cuts what
  /// the one before left into its matches and what lies between them.
  std::vector<std::string_view> expressions;
  bool whole_words = false;  ///< a word that is a token is not taken apart
  bool add_begin = false;    ///< where the file does not say otherwise
  /// Nothing lies between the matches of its one expression.
  bool covers_text = false;
  /// Digits that are neighbours stay together, so that merges may join them.
  bool keeps_digits = false;
};

/// Every way that is known. Of several names for one, the first is the one to write.
std::span<const LlamaCppPattern> llama_cpp_patterns();

/// The way that llama.cpp calls `name`, or null.
const LlamaCppPattern* find_llama_cpp_pattern(std::string_view name);

/// An expression in the one spelling that this table compares: line ends as escapes, contractions
/// as `(?i:'s|'t|'re|'ve|'m|'ll|'d)`.
std::string canonical_expression(std::string_view expression);

}  // namespace regroup::models
