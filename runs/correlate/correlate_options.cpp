#include "runs/correlate/correlate_options.hpp"

#include <fmt/format.h>

#include "models/training/training_options.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {

using search::NumberField;

std::vector<search::Option> CorrelateOptions::options() {
  std::vector<search::Option> all = {
      {.flag = "--tokens",
       .unit = "N",
       .help = "Use no more tokens of --data than this, spread evenly over it (0: all)",
       .field = NumberField<std::int64_t>{&tokens, 0, search::kLargestOption}},
      models::join_option(join)};
  search::add_options(all, models::merge_options(recipe));
  search::add_options(
      all,
      {{.flag = "--samples",
        .unit = "N",
        .help = "Random groupings of each KV size, and of each layer and number of groups, beside "
                "neighbour GQA and every proxy's best",
        .field = NumberField<int>{&samples, 0, search::kMany}},
       {.flag = "--exhaustive",
        .help = "Every grouping of each KV size, and of each layer and number of groups, in place "
                "of random ones: the true optimum, for models of few layers and heads",
        .field = &exhaustive},
       {.flag = "--kv",
        .unit = "RATIO,…",
        .help = "KV sizes to compare at, as parts of the source's (default: of 0.75, 0.5, 0.375, "
                "0.25, 0.125 those that the model reaches)",
        .field = &kv},
       models::uptrain_option(
           uptrain_tokens,
           "Train every grouping of the whole model on so many tokens of --data's calibrating "
           "part, "
           "as 200k, and say whether the order before it tells the order after it (0: none)"),
       {.flag = "--seed",
        .unit = "N",
        .help = "Of every random draw",
        .field = NumberField<std::int64_t>{&seed, 0, search::kLargestOption}}});
  return all;
}

void require_valid(CorrelateOptions options) {
  search::require_in_range(options.options());
  models::require_valid(options.recipe.recipe());
  for (const double ratio : options.kv) {
    if (ratio > 0 && ratio < 1) continue;
    throw InputError({.what = "KV size is out of range",
                      .where = "--kv",
                      .expected = "above 0 and below 1, the source's size",
                      .found = fmt::format("{}", ratio)});
  }
}

}  // namespace regroup::runs
