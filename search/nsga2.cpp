#include "search/nsga2.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "search/error.hpp"

namespace regroup::search {
namespace {

/// How often a child that exists already is mutated again before its place is left empty.
constexpr int kDuplicateRetries = 8;

/// Distinct genomes of one population, looked up by content.
class GenomeSet {
 public:
  bool insert(std::span<const Gene> genome) {
    return seen_.emplace(reinterpret_cast<const char*>(genome.data()), genome.size() * sizeof(Gene))
        .second;
  }

 private:
  std::unordered_set<std::string> seen_;
};

struct Population {
  Genomes genomes;
  std::vector<Objectives> objectives;
  std::vector<int> ranks;
  std::vector<double> crowding;

  explicit Population(std::size_t genes) : genomes(genes) {}
  std::size_t size() const { return genomes.size(); }
};

/// Fills ranks and crowding distances of the whole population.
void rank(Population& population) {
  population.ranks = non_dominated_ranks(population.objectives);
  population.crowding.assign(population.size(), 0.0);
  if (population.size() == 0) return;
  const int fronts = 1 + *std::max_element(population.ranks.begin(), population.ranks.end());
  std::vector<std::vector<std::size_t>> members(static_cast<std::size_t>(fronts));
  for (std::size_t i = 0; i < population.size(); ++i) {
    members[static_cast<std::size_t>(population.ranks[i])].push_back(i);
  }
  for (const std::vector<std::size_t>& front : members) {
    std::vector<Objectives> points;
    for (const std::size_t i : front) points.push_back(population.objectives[i]);
    const std::vector<double> distances = crowding_distances(points);
    for (std::size_t i = 0; i < front.size(); ++i) population.crowding[front[i]] = distances[i];
  }
}

/// Lower rank first, then the less crowded, then the earlier.
bool precedes(const Population& population, std::size_t a, std::size_t b) {
  if (population.ranks[a] != population.ranks[b]) return population.ranks[a] < population.ranks[b];
  if (population.crowding[a] != population.crowding[b]) {
    return population.crowding[a] > population.crowding[b];
  }
  return a < b;
}

std::size_t tournament(const Population& population, RandomStream& random) {
  const std::size_t a = random.below(population.size());
  const std::size_t b = random.below(population.size());
  return precedes(population, a, b) ? a : b;
}

/// One run of the algorithm; `Population::genomes` of parents and children stay distinct together.
class Run {
 public:
  Run(const Variation& variation, const Evaluator& evaluator, const Nsga2Options& options,
      RandomKey key)
      : variation_(variation),
        evaluator_(evaluator),
        options_(options),
        key_(key),
        population_(variation.genes()) {}

  void begin(const Genomes& seeds) {
    GenomeSet seen;
    Genomes first(variation_.genes());
    for (std::size_t i = 0; i < std::min(seeds.size(), capacity()); ++i) {
      add_if_new(seeds[i], seen, first);
    }
    std::vector<Gene> genome(variation_.genes());
    for (std::size_t slot = first.size(); slot < capacity(); ++slot) {
      RandomStream random(key_.split(0).split(slot));
      variation_.sample(random, genome);
      settle(genome, random, seen, first);
    }
    absorb(first);
  }

  void next_generation(int generation) {
    GenomeSet seen;
    for (std::size_t i = 0; i < population_.size(); ++i) seen.insert(population_.genomes[i]);
    Genomes children(variation_.genes());
    std::vector<Gene> child(variation_.genes());
    const RandomKey generation_key = key_.split(static_cast<std::uint64_t>(generation));
    for (std::size_t slot = 0; slot < capacity(); ++slot) {
      RandomStream random(generation_key.split(slot));
      breed(random, child);
      settle(child, random, seen, children);
    }
    absorb(children);
    select();
  }

  const ParetoArchive& archive() const { return archive_; }
  std::size_t evaluations() const { return evaluations_; }

 private:
  std::size_t capacity() const { return static_cast<std::size_t>(options_.population); }

  void add_if_new(std::span<const Gene> genome, GenomeSet& seen, Genomes& out) const {
    std::vector<Gene> canonical(genome.begin(), genome.end());
    variation_.canonicalise(canonical);
    if (seen.insert(canonical)) out.append(canonical);
  }

  void breed(RandomStream& random, std::span<Gene> child) const {
    const auto mother = std::as_const(population_).genomes[tournament(population_, random)];
    if (random.chance(options_.crossover)) {
      const auto father = std::as_const(population_).genomes[tournament(population_, random)];
      variation_.cross(mother, father, random, child);
    } else {
      std::copy(mother.begin(), mother.end(), child.begin());
    }
    variation_.mutate(child, random);
  }

  /// Adds the candidate, mutated until it is new; gives up on it when the space looks exhausted.
  void settle(std::span<Gene> genome, RandomStream& random, GenomeSet& seen, Genomes& out) const {
    for (int attempt = 0; attempt <= kDuplicateRetries; ++attempt) {
      variation_.canonicalise(genome);
      if (seen.insert(genome)) {
        out.append(genome);
        return;
      }
      variation_.mutate(genome, random);
    }
  }

  void absorb(const Genomes& candidates) {
    std::vector<Objectives> objectives(candidates.size());
    evaluator_.evaluate(candidates, objectives);
    evaluations_ += candidates.size();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      require_numbers(objectives[i]);
      archive_.offer(candidates[i], objectives[i]);
      population_.genomes.append(candidates[i]);
      population_.objectives.push_back(objectives[i]);
    }
    rank(population_);
  }

  static void require_numbers(const Objectives& objectives) {
    if (std::isnan(objectives.size) || std::isnan(objectives.error)) {
      throw WorkError({.what = "a candidate's objective is not a number"});
    }
  }

  void select() {
    std::vector<std::size_t> order(population_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return precedes(population_, a, b); });
    order.resize(std::min(order.size(), capacity()));
    Population kept(variation_.genes());
    for (const std::size_t i : order) {
      kept.genomes.append(population_.genomes[i]);
      kept.objectives.push_back(population_.objectives[i]);
      kept.ranks.push_back(population_.ranks[i]);
      kept.crowding.push_back(population_.crowding[i]);
    }
    population_ = std::move(kept);
  }

  const Variation& variation_;
  const Evaluator& evaluator_;
  const Nsga2Options& options_;
  RandomKey key_;
  Population population_;
  ParetoArchive archive_;
  std::size_t evaluations_ = 0;
};

}  // namespace

Nsga2Result nsga2(const Variation& variation, const Evaluator& evaluator, const Genomes& seeds,
                  const Nsga2Options& options, RandomKey key, std::stop_token stop,
                  const GenerationObserver& observe) {
  if (options.population < 2 || options.generations < 0) {
    throw InputError({.what = "population or generations out of range",
                      .expected = "population ≥ 2, generations ≥ 0"});
  }
  Run run(variation, evaluator, options, key);
  for (int generation = 0; generation <= options.generations; ++generation) {
    if (stop.stop_requested()) throw Interrupted();
    if (generation == 0) {
      run.begin(seeds);
    } else {
      run.next_generation(generation);
    }
    if (observe) observe({generation, run.evaluations(), run.archive()});
  }
  return {run.archive(), run.evaluations()};
}

}  // namespace regroup::search
