#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "search/base/options.hpp"
#include "search/groupings/grouping_rules.hpp"

namespace regroup::runs {

/// How wide the groups of a search may be.
struct WidthChoice {
  std::vector<int> multiples = {1};  ///< in heads of the source, ascending and distinct
  bool may_mix = false;              ///< layers may differ, else all have the same
  bool is_free = false;              ///< any width, by layer, in place of the multiples

  bool is_head() const { return !is_free && multiples == std::vector<int>{1}; }
  bool operator==(const WidthChoice&) const = default;
};

/// The word for the widths that stock engines run.
inline constexpr std::string_view kStockWidths = "stock";

/// --width, bound to the words that it is given.
search::Option width_option(std::vector<std::string>& words);

/// What the words mean for a model of that config: "head", "stock", "free", or multiples; none:
/// "head". Throws InputError, naming the widths that are possible, for others, and for keys that
/// can have no other width.
WidthChoice read_widths(const std::vector<std::string>& words, const models::ModelConfig& config);
/// The words of a choice, for records.
std::vector<std::string> words_of(const WidthChoice& choice);

/// The widest head that engines' fused attention kernels take.
inline constexpr int kWidestFusedHead = 256;
/// The multiples that stock engines run with those kernels: 1, 2, 4, … up to that width.
std::vector<int> stock_multiples(const models::ModelConfig& config);

/// The widths of the choice as a problem's rules have them: keys that a norm follows keep theirs.
std::vector<search::GroupMultiples> group_multiples(const WidthChoice& choice,
                                                    const models::ModelConfig& config);

}  // namespace regroup::runs
