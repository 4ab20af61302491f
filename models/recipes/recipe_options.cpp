#include "models/recipes/recipe_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "models/merge/operators/merge_table.hpp"

namespace regroup::models {
namespace {

using search::Named;

constexpr std::array kRefits = {
    Named<Refit>{"none", Refit::kNone}, Named<Refit>{"output", Refit::kOutput},
    Named<Refit>{"query", Refit::kQuery}, Named<Refit>{"both", Refit::kBoth}};

search::NameField merge_field(const MergeOperator*& merge) {
  return {merge_names(), [&merge](std::size_t i) { merge = &find_merge(merge_names()[i]); },
          [&merge]() -> std::optional<std::size_t> {
            if (merge == nullptr) return std::nullopt;
            const std::vector<std::string_view> names = merge_names();
            const auto place = std::ranges::find(names, merge->name());
            return static_cast<std::size_t>(place - names.begin());
          }};
}

std::string with_default(std::string help, std::string_view text) {
  return text.empty() ? help : fmt::format("{} (default: {})", help, text);
}

}  // namespace

std::vector<search::Option> merge_options(RecipeRequest& request, const RecipeDefaults& defaults) {
  return {{.flag = "--merge",
           .key = "merge",
           .unit = "MERGE",
           .help = with_default(search::help_with_names("Merge operator", merge_names()),
                                defaults.merge),
           .field = merge_field(request.merge),
           .refusal = "merge operator is not known"},
          {.flag = "--renorm",
           .key = "renorm",
           .help = "Give a shared head the mean norm of its members (mean, weighted, aligned)",
           .field = &request.renorm},
          {.flag = "--refit",
           .key = "refit",
           .unit = "WHAT",
           .help = with_default("Fit output and query projections anew on the calibration text: "
                                "none, output, query, both",
                                defaults.refit),
           .field = search::names_of(request.refit, kRefits),
           .refusal = "refit is not known"}};
}

search::Option reconstruction_option(RecipeRequest& request) {
  return {
      .flag = "--reconstruct",
      .key = "reconstruct",
      .unit = "N",
      .help =
          "Gradient steps that then fit each layer's attention on the calibration text, as "
          "60 or 120 (0: none, closed form only)",
      .field = search::NumberField<int>{&request.reconstruction_steps, 0, kMostReconstructionSteps},
      .refusal = "number of reconstruction steps is out of range"};
}

}  // namespace regroup::models
