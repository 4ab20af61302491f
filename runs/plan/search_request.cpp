#include "runs/plan/search_request.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "models/training/training_options.hpp"
#include "runs/plan/width_choice.hpp"
#include "search/groupings/rule_options.hpp"

namespace regroup::runs {
namespace {

using search::Named;
using search::NumberField;
using search::Option;

constexpr std::array kAllocations = {Named<Allocation>{"proxy", Allocation::kProxy},
                                     Named<Allocation>{"measured", Allocation::kMeasured}};

Option method_option(SearchRequest& request) {
  const std::vector<std::string_view> names = search::method_names();
  return {.flag = "--method",
          .key = "method",
          .unit = "METHOD",
          .help = search::help_with_names("Search", names) +
                  " (default: exact where it is proven in minutes, up to 16 KV heads, else qcqa)",
          .field = search::NameField{names, [&request](std::size_t i) { request.method = i; },
                                     [&request] { return request.method; }},
          .refusal = "method is not known"};
}

std::string price_help() {
  std::vector<std::string_view> measured, measuring;
  for (const fitness::MeasuredFitness& fitness : fitness::measured_fitnesses()) {
    measured.push_back(fitness.name);
  }
  for (const auto& method : search::make_methods()) {
    if (method->takes_score()) measuring.push_back(method->name());
  }
  return fmt::format("{}; {}: measured on --selection ({}) (default: fisher)",
                     search::help_with_names("Price of a grouping", fitness::fitness_names()),
                     fmt::join(measured, ", "), fmt::join(measuring, ", "));
}

Option price_option(std::optional<fitness::Price>& price) {
  const auto chosen = [&price]() -> std::optional<std::size_t> {
    if (!price) return std::nullopt;
    const std::vector<fitness::Price> all = fitness::all_prices();
    return static_cast<std::size_t>(std::ranges::find(all, *price) - all.begin());
  };
  return {.flag = "--fitness",
          .key = "fitness",
          .unit = "FITNESS",
          .help = price_help(),
          .field = search::NameField{fitness::price_names(),
                                     [&price](std::size_t i) { price = fitness::all_prices()[i]; },
                                     chosen},
          .refusal = "fitness is not known"};
}

std::vector<Option> size_options(SearchRequest& request) {
  return {{.flag = "--allocation",
           .key = "allocation",
           .unit = "HOW",
           .help = "Split of the KV heads over layers by the price (proxy), or by KL(source ‖ "
                   "converted) of single layers on --selection (measured)",
           .field = search::names_of(request.allocation, kAllocations)},
          {.flag = "--kv",
           .key = "kv",
           .unit = "RATIO,…",
           .help = "Limits of the KV size as parts of the source's, in (0, 1]: the best grouping "
                   "within each (default: the whole front)",
           .field = &request.kv}};
}

std::vector<Option> data_options(DataRoles& data) {
  return {{.flag = "--seed-grouping",
           .unit = "FILE",
           .help = "Grouping JSON that the search begins with; may be given several times",
           .field = &data.seed_groupings},
          {.flag = "--calibration",
           .unit = "FILE",
           .help = "Text or token ids for statistics of activations; the fitness activation, the "
                   "methods kdgqa and dgqa and asymgqa's distances need them (default: sampled "
                   "from the model where needed)",
           .field = &data.calibration},
          {.flag = "--selection",
           .unit = "FILE",
           .help = "Text or token ids that --fitness loss or accuracy and --allocation measured "
                   "measure on (default: the last quarter of --calibration, which is then left "
                   "out there; else sampled from the model)",
           .field = &data.selection},
          {.flag = "--eval",
           .unit = "FILE",
           .help = "Text or token ids to report losses on (default: sampled from the model)",
           .field = &data.eval},
          {.flag = "--eval-tokens",
           .key = "eval_tokens",
           .unit = "N",
           .help = "Score no more tokens of --eval than this, spread evenly over it (0: all)",
           .field = NumberField<std::int64_t>{&data.eval_tokens, 0, search::kLargestOption}},
          models::join_option(data.join)};
}

std::vector<Option> measuring_options(SearchRequest& request) {
  return {{.flag = "--measure",
           .key = "measure",
           .unit = "N",
           .help = "Front points whose loss is measured (0: proxy only)",
           .field = NumberField<int>{&request.measured_points, 0, search::kMany}},
          {.flag = "--cache-dtype",
           .key = "cache_dtypes",
           .unit = "TYPE,…",
           .help = "Measure source and points of the search also with KV caches of these types of "
                   "llama.cpp: f16, q8_0, q4_0; or none (default: q8_0,q4_0 for causal models "
                   "whose heads are whole blocks of 32)",
           .field = &request.cache_dtypes},
          models::uptrain_option(request.uptrain_tokens,
                                 "Train every measured point on so many tokens, as 200k, with the "
                                 "defaults of uptrain, and "
                                 "measure it again beside what it loses without (0: none)"),
          {.flag = "--uptrain-data",
           .unit = "FILE",
           .help = "Text or token ids for --uptrain (default: the data of --calibration, else "
                   "sampled from the model)",
           .field = &request.data.uptrain}};
}

Option seed_option(std::int64_t& seed) {
  return {.flag = "--seed",
          .unit = "N",
          .help = "Of every random draw",
          .field = NumberField<std::int64_t>{&seed, 0, search::kLargestOption}};
}

}  // namespace

std::vector<Option> SearchRequest::options() {
  std::vector<Option> all = {method_option(*this), price_option(price)};
  search::add_options(
      all, models::merge_options(
               recipe, {.merge = "optimal",
                        .refit = "both; none where --merge or a measured fitness is given"}));
  search::add_options(all, {models::reconstruction_option(recipe)});
  search::add_options(all, search::options(rules));
  search::add_options(all, {width_option(widths)});
  search::add_options(all, compute_options(objectives, compute_choice));
  search::add_options(all, size_options(*this));
  search::add_options(all, runs::options(cache));
  search::add_options(all, search::method_options(methods));
  search::add_options(all, data_options(data));
  search::add_options(all, measuring_options(*this));
  search::add_options(all, {seed_option(seed)});
  return all;
}

}  // namespace regroup::runs
