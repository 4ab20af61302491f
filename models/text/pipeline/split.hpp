#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "models/text/pipeline/pre_tokenizer.hpp"
#include "models/text/pipeline/regex.hpp"

namespace regroup::models {

/// What becomes of the matches at which text is cut; Hugging Face's names.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

/// The behaviour of that name. Throws InputError, naming `where`, for another one.
SplitBehavior split_behavior(const std::string& name, const std::string& where);

/// Stretches of a text, one after another, matches and what lies between them.
using OnStretch = std::function<void(std::string_view text, bool match)>;
using FindStretches = std::function<void(std::string_view text, const OnStretch& on_stretch)>;

/// The matches of an expression; with `invert` what lies between them counts as matches.
FindStretches stretches_of(Regex regex, bool invert);

/// Characters by themselves that have a property.
FindStretches stretches_of(std::function<bool(char32_t)> is_match);

/// Cuts at matches. Example, digits, of "a12b": removed "a", "b"; isolated "a", "1", "2", "b";
/// contiguous "a", "12", "b"; merged with previous "a1", "2", "b"; merged with next "a", "1", "2b".
PreTokenizer::Step split_step(FindStretches find, SplitBehavior behavior);

}  // namespace regroup::models
