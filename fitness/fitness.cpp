#include "fitness/fitness.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "fitness/wse.hpp"
#include "search/error.hpp"

namespace regroup::fitness {
namespace {

const Wse kWse;

/// Every fitness; a new one is one line here.
const std::array<const Fitness*, 1> kFitnesses = {&kWse};

}  // namespace

std::vector<std::string_view> fitness_names() {
  std::vector<std::string_view> names;
  for (const Fitness* fitness : kFitnesses) names.push_back(fitness->name());
  return names;
}

const Fitness& find_fitness(std::string_view name) {
  for (const Fitness* fitness : kFitnesses) {
    if (fitness->name() == name) return *fitness;
  }
  throw InputError({.what = "fitness is not known",
                    .expected = fmt::format("one of {}", fmt::join(fitness_names(), ", ")),
                    .found = std::string(name)});
}

}  // namespace regroup::fitness
