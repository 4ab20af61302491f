#pragma once

#include <string>
#include <vector>

#include "search/base/options.hpp"

namespace regroup::runs {

/// What a search does about the multiplications of a decoded token (METHODS §2.5).
struct ComputeChoice {
  bool is_objective = false;  ///< a third one, beside size and loss
  double most = 0;            ///< that a grouping may have, relative to the source; 0: any

  /// Whether compute decides anything.
  bool counts() const { return is_objective || most > 0; }
  bool operator==(const ComputeChoice&) const = default;
};

/// --objectives, bound to the words that it is given, and --max-compute, bound to `choice`.
std::vector<search::Option> compute_options(std::vector<std::string>& words, ComputeChoice& choice);

/// Whether the words ask for compute beside bytes and loss; none: they do not. Throws InputError
/// for others.
bool is_compute_asked(const std::vector<std::string>& words);
/// The words of a choice, for records.
std::vector<std::string> words_of(const ComputeChoice& choice);

}  // namespace regroup::runs
