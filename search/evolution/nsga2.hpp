#pragma once

#include <functional>
#include <limits>
#include <stop_token>

#include "search/base/random.hpp"
#include "search/evolution/archive.hpp"
#include "search/evolution/evaluator.hpp"
#include "search/evolution/nsga2_state.hpp"
#include "search/evolution/variation.hpp"

namespace regroup::search {

/// Budget, rates and constraint of a search.
struct Nsga2Options {
  int population = 200;         ///< candidates kept per generation, ≥ 2
  int generations = 200;        ///< generations after the first, ≥ 0
  std::size_t evaluations = 0;  ///< candidates looked at before it ends; 0: no limit
  int patience = 0;        ///< generations without a better archive before it ends; 0: no limit
  double crossover = 0.9;  ///< probability that a child has two parents
  /// Candidates with a larger size are infeasible: any feasible one precedes them, among themselves
  /// the smaller, and none enters the archive (Deb et al. 2002, section VI).
  double size_limit = std::numeric_limits<double>::infinity();
};

/// NSGA-II (Deb et al., IEEE TEC 6(2), 2002) for three minimised objectives, or two where compute
/// is the same for all, one generation at a time.
///
/// Departures from the paper: candidates are canonical and no two alike live in one population, so
/// a small space may fill less than a population; every non-dominated feasible candidate ever met
/// is kept in an archive; all draws of a child come from the key of its generation and number. A
/// generation costs O(N log N) beside the evaluations, O(N log² N) and the archive's offers where
/// compute differs. Not thread-safe.
class Nsga2 {
 public:
  /// `variation` and `evaluator` must outlive the search. `seeds` join the first population (the
  /// first `population` of them). Throws InputError for a population < 2 or generations < 0.
  Nsga2(const Variation& variation, const Evaluator& evaluator, Genomes seeds,
        const Nsga2Options& options, RandomKey key);

  /// Goes on from what `state()` said of a search with the same arguments.
  void restore(const Nsga2State& state);
  Nsga2State state() const;

  /// True once a limit of the options is reached, or a generation found nothing new.
  bool is_done() const;
  /// Makes the next generation, the first population to begin with.
  void step();

  int generation() const { return state_.generation; }
  std::size_t evaluations() const { return state_.evaluations; }
  const ParetoArchive& archive() const { return archive_; }

 private:
  class Offspring;

  std::size_t capacity() const;
  void make_first_population();
  void make_next_generation();
  void breed(RandomStream& random, std::span<Gene> child) const;
  std::size_t tournament(RandomStream& random) const;
  bool precedes(std::size_t a, std::size_t b) const;
  void absorb(const Genomes& candidates);
  void rank();
  void select();

  const Variation& variation_;
  const Evaluator& evaluator_;
  Genomes seeds_;
  Nsga2Options options_;
  RandomKey key_;
  Nsga2State state_;  // but for the archive, which stands here
  ParetoArchive archive_;
};

using GenerationObserver = std::function<void(const Nsga2&)>;

/// Runs a search to its end and returns its archive; `observe` is called after every generation.
/// Throws Interrupted when `stop` is requested.
ParetoArchive run_to_end(Nsga2& search, std::stop_token stop, const GenerationObserver& observe);

/// Ranks under a limit of the size: those of `non_dominated_ranks` for the points within it, then
/// one rank for each larger size, ascending. Takes what `non_dominated_ranks` takes.
std::vector<int> constrained_ranks(std::span<const Objectives> points, double size_limit);

}  // namespace regroup::search
