#include "runs/training/uptrain_request.hpp"

#include <algorithm>
#include <array>

#include "search/base/error.hpp"

namespace regroup::runs {

using search::NumberField;

std::vector<search::Option> UptrainRequest::options() {
  std::vector<search::Option> all = training.options();
  search::add_options(
      all, {{.flag = "--context",
             .key = "context",
             .unit = "N",
             .help = "Window, tokens (0: the model's context, at most 2048)",
             .field = NumberField<int>{&context, 0, search::kMany}},
            {.flag = "--validation-tokens",
             .key = "validation_tokens",
             .unit = "N",
             .help = "Measure on no more tokens of --validation than this, spread evenly (0: all)",
             .field = NumberField<std::int64_t>{&validation_tokens, 0, search::kLargestOption}},
            {.flag = "--validate-every",
             .key = "validate_every",
             .unit = "STEPS",
             .help = "Steps between two measurements on --validation, and between two states that "
                     "--resume goes on from (0: a twentieth of all steps)",
             .field = NumberField<int>{&validate_every, 0, search::kMany}},
            {.flag = "--patience",
             .key = "patience",
             .unit = "N",
             .help = "Stop after so many measurements without a better one (0: take all steps)",
             .field = NumberField<int>{&patience, 0, search::kMany}},
            models::join_option(join),
            {.flag = "--seed",
             .key = "seed",
             .unit = "N",
             .help = "Of every random draw",
             .field = NumberField<std::int64_t>{&seed, 0, search::kLargestOption}}});
  return all;
}

std::vector<search::Option> UptrainRequest::options_of_new() {
  constexpr std::array kOfMergedHeads = {"--loss", "--train",  "--weights", "--start",
                                         "--deal", "--window", "--noise",   "--noisy-validation"};
  std::vector<search::Option> all = options();
  std::erase_if(all, [&](const search::Option& option) {
    return std::ranges::find(kOfMergedHeads, option.flag) != kOfMergedHeads.end();
  });
  return all;
}

void require_valid(UptrainRequest request) {
  search::require_in_range(request.options());
  models::require_valid(request.training);
  const auto require_use = [](bool is_useless, const char* option, const char* needs) {
    if (!is_useless) return;
    throw InputError({.what = "option does nothing by itself", .where = option, .expected = needs});
  };
  const bool is_measured = !request.validation.empty();
  require_use(request.patience > 0 && !is_measured, "--patience", "--validation FILE");
  require_use(request.validation_tokens > 0 && !is_measured, "--validation-tokens",
              "--validation FILE");
  require_use(!request.teacher.empty() && !request.training.loss.needs_source(), "--teacher",
              "--loss kl, both or hidden");
}

}  // namespace regroup::runs
