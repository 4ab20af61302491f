#include "search/evolution/nsga2.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/evolution/genome_index.hpp"

namespace regroup::search {
namespace {

/// How often a child that exists already is mutated again before its place is left empty.
constexpr int kDuplicateRetries = 8;

void require_number(const Objectives& objectives) {
  if (std::isnan(objectives.size) || std::isnan(objectives.error) ||
      std::isnan(objectives.compute)) {
    throw WorkError({.what = "a candidate's objective is not a number"});
  }
}

}  // namespace

/// New candidates of one generation, none of them alike and none in the population.
class Nsga2::Offspring {
 public:
  Offspring(const Variation& variation, const Genomes& population)
      : variation_(variation), seen_(variation.genes()), genomes_(variation.genes()) {
    for (std::size_t i = 0; i < population.size(); ++i) seen_.insert(population[i]);
  }

  bool add_if_new(std::span<Gene> genome) {
    variation_.canonicalise(genome);
    const bool is_new = seen_.insert(genome).is_new;
    if (is_new) genomes_.append(genome);
    return is_new;
  }

  /// Adds the candidate, mutated until it is new; gives up on it when the space looks exhausted.
  void settle(std::span<Gene> genome, RandomStream& random) {
    for (int attempt = 0; attempt <= kDuplicateRetries && !add_if_new(genome); ++attempt) {
      variation_.mutate(genome, random);
    }
  }

  const Genomes& genomes() const { return genomes_; }

 private:
  const Variation& variation_;
  GenomeIndex seen_;
  Genomes genomes_;
};

Nsga2::Nsga2(const Variation& variation, const Evaluator& evaluator, Genomes seeds,
             const Nsga2Options& options, RandomKey key)
    : variation_(variation),
      evaluator_(evaluator),
      seeds_(std::move(seeds)),
      options_(options),
      key_(key) {
  if (options.population < 2 || options.generations < 0) {
    throw InputError({.what = "population or generations out of range",
                      .expected = "population ≥ 2, generations ≥ 0"});
  }
  state_.population = Genomes(variation.genes());
}

void Nsga2::restore(const Nsga2State& state) {
  state_ = state;
  archive_ = ParetoArchive(std::exchange(state_.archive, {}));
}

Nsga2State Nsga2::state() const {
  Nsga2State state = state_;
  state.archive = archive_.entries();
  return state;
}

bool Nsga2::is_done() const {
  if (state_.generation < 0) return false;
  return state_.exhausted || state_.generation >= options_.generations ||
         (options_.evaluations > 0 && state_.evaluations >= options_.evaluations) ||
         (options_.patience > 0 && state_.stalled >= options_.patience);
}

void Nsga2::step() {
  ++state_.generation;
  if (state_.generation == 0) {
    make_first_population();
  } else {
    make_next_generation();
  }
}

/// Candidates of a generation: the population's size, or what the budget has left.
std::size_t Nsga2::capacity() const {
  const auto population = static_cast<std::size_t>(options_.population);
  if (options_.evaluations == 0) return population;
  return std::min(population, options_.evaluations - state_.evaluations);
}

void Nsga2::make_first_population() {
  Offspring first(variation_, state_.population);
  std::vector<Gene> genome(variation_.genes());
  for (std::size_t i = 0; i < std::min(seeds_.size(), capacity()); ++i) {
    std::ranges::copy(std::as_const(seeds_)[i], genome.begin());
    first.add_if_new(genome);
  }
  for (std::size_t slot = first.genomes().size(); slot < capacity(); ++slot) {
    RandomStream random(key_.split(0).split(slot));
    variation_.sample(random, genome);
    first.settle(genome, random);
  }
  absorb(first.genomes());
}

void Nsga2::make_next_generation() {
  // Children are bred side by side, each from its own key; then they are settled in order.
  const RandomKey generation_key = key_.split(static_cast<std::uint64_t>(state_.generation));
  Genomes bred(variation_.genes());
  std::vector<RandomStream> streams;
  for (std::size_t slot = 0; slot < capacity(); ++slot) {
    bred.append_blank();
    streams.emplace_back(generation_key.split(slot));
  }
  for_each_chunk(bred.size(), [&](std::size_t slot) { breed(streams[slot], bred[slot]); });
  Offspring children(variation_, state_.population);
  for (std::size_t slot = 0; slot < bred.size(); ++slot) {
    children.settle(bred[slot], streams[slot]);
  }
  state_.exhausted = children.genomes().empty();
  absorb(children.genomes());
  select();
}

void Nsga2::breed(RandomStream& random, std::span<Gene> child) const {
  const auto mother = state_.population[tournament(random)];
  if (random.chance(options_.crossover)) {
    variation_.cross(mother, state_.population[tournament(random)], random, child);
  } else {
    std::ranges::copy(mother, child.begin());
  }
  variation_.mutate(child, random);
}

std::size_t Nsga2::tournament(RandomStream& random) const {
  const std::size_t a = random.below(state_.population.size());
  const std::size_t b = random.below(state_.population.size());
  return precedes(a, b) ? a : b;
}

/// Lower rank first, then the less crowded, then the earlier.
bool Nsga2::precedes(std::size_t a, std::size_t b) const {
  if (state_.ranks[a] != state_.ranks[b]) return state_.ranks[a] < state_.ranks[b];
  if (state_.crowding[a] != state_.crowding[b]) return state_.crowding[a] > state_.crowding[b];
  return a < b;
}

void Nsga2::absorb(const Genomes& candidates) {
  std::vector<Objectives> objectives(candidates.size());
  evaluator_.evaluate(candidates, objectives);
  state_.evaluations += candidates.size();
  bool is_better = false;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    require_number(objectives[i]);
    if (objectives[i].size <= options_.size_limit) {
      is_better |= archive_.offer(candidates[i], objectives[i]);
    }
    state_.population.append(candidates[i]);
    state_.objectives.push_back(objectives[i]);
  }
  state_.stalled = is_better ? 0 : state_.stalled + 1;
  rank();
}

/// Fills ranks and crowding distances of the whole population.
void Nsga2::rank() {
  const std::size_t size = state_.population.size();
  state_.ranks = constrained_ranks(state_.objectives, options_.size_limit);
  state_.crowding.assign(size, 0.0);
  if (size == 0) return;
  const int fronts = 1 + *std::ranges::max_element(state_.ranks);
  std::vector<std::vector<std::size_t>> members(static_cast<std::size_t>(fronts));
  for (std::size_t i = 0; i < size; ++i) {
    members[static_cast<std::size_t>(state_.ranks[i])].push_back(i);
  }
  std::vector<Objectives> points;
  for (const std::vector<std::size_t>& front : members) {
    points.clear();
    for (const std::size_t i : front) points.push_back(state_.objectives[i]);
    const std::vector<double> distances = crowding_distances(points);
    for (std::size_t i = 0; i < front.size(); ++i) state_.crowding[front[i]] = distances[i];
  }
}

void Nsga2::select() {
  std::vector<std::size_t> order(state_.population.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return precedes(a, b); });
  order.resize(std::min(order.size(), static_cast<std::size_t>(options_.population)));
  Nsga2State kept;
  kept.population = Genomes(variation_.genes());
  for (const std::size_t i : order) {
    kept.population.append(std::as_const(state_.population)[i]);
    kept.objectives.push_back(state_.objectives[i]);
    kept.ranks.push_back(state_.ranks[i]);
    kept.crowding.push_back(state_.crowding[i]);
  }
  state_.population = std::move(kept.population);
  state_.objectives = std::move(kept.objectives);
  state_.ranks = std::move(kept.ranks);
  state_.crowding = std::move(kept.crowding);
}

ParetoArchive run_to_end(Nsga2& search, std::stop_token stop, const GenerationObserver& observe) {
  while (!search.is_done()) {
    if (stop.stop_requested()) throw Interrupted();
    search.step();
    if (observe) observe(search);
  }
  return search.archive();
}

std::vector<int> constrained_ranks(std::span<const Objectives> points, double size_limit) {
  std::vector<Objectives> feasible;
  std::vector<double> excesses;
  for (const Objectives& point : points) {
    if (point.size <= size_limit) {
      feasible.push_back(point);
    } else {
      excesses.push_back(point.size);
    }
  }
  const std::vector<int> feasible_ranks = non_dominated_ranks(feasible);
  if (excesses.empty()) return feasible_ranks;
  const int first = feasible.empty() ? 0 : 1 + *std::ranges::max_element(feasible_ranks);
  std::ranges::sort(excesses);
  excesses.erase(std::unique(excesses.begin(), excesses.end()), excesses.end());
  std::vector<int> ranks;
  for (auto next = feasible_ranks.begin(); const Objectives& point : points) {
    if (point.size <= size_limit) {
      ranks.push_back(*next++);
    } else {
      const auto place = std::ranges::lower_bound(excesses, point.size) - excesses.begin();
      ranks.push_back(first + static_cast<int>(place));
    }
  }
  return ranks;
}

}  // namespace regroup::search
