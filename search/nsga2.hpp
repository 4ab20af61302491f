#pragma once

#include <functional>
#include <stop_token>

#include "search/archive.hpp"
#include "search/evaluator.hpp"
#include "search/random.hpp"
#include "search/variation.hpp"

namespace regroup::search {

/// Budget and rates of a search.
struct Nsga2Options {
  int population = 200;    ///< candidates kept per generation, ≥ 2
  int generations = 200;   ///< generations after the first, ≥ 0
  double crossover = 0.9;  ///< probability that a child has two parents
};

/// State of a search after one generation.
struct GenerationReport {
  int generation = 0;           ///< 0 is the first population
  std::size_t evaluations = 0;  ///< candidates evaluated so far
  const ParetoArchive& archive;
};

using GenerationObserver = std::function<void(const GenerationReport&)>;

/// What a search leaves.
struct Nsga2Result {
  ParetoArchive archive;
  std::size_t evaluations = 0;
};

/// NSGA-II (Deb et al., IEEE TEC 6(2), 2002) for two minimised objectives.
///
/// Departures from the paper: candidates are canonical and no two alike live in one population, so
/// a small space may fill less than a population; every non-dominated candidate ever met is kept in
/// an archive; all draws of a child come from the key of its generation and number. `seeds` join
/// the first population (the first `population` of them). A generation costs O(N log N) beside
/// the evaluations. Throws Interrupted when `stop` is requested.
Nsga2Result nsga2(const Variation& variation, const Evaluator& evaluator, const Genomes& seeds,
                  const Nsga2Options& options, RandomKey key, std::stop_token stop,
                  const GenerationObserver& observe);

}  // namespace regroup::search
