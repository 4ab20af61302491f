#include "search/exact/mixed_widths.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "search/evolution/memo_evaluator.hpp"
#include "search/evolution/nsga2.hpp"
#include "search/evolution/variations/bounded_integers.hpp"
#include "search/exact/budget_split.hpp"

namespace regroup::search {
namespace {

/// One way to group one unit.
struct MixedOption {
  std::size_t width;
  Partition partition;
};

/// What is left to choose for one unit.
struct MixedUnit {
  std::vector<MixedOption> options;
  std::vector<SplitOption> sizes;
  std::vector<double> compute;  // empty where it does not count
};

std::vector<MixedUnit> mixed_units(std::span<const WidthUnits> widths) {
  std::vector<MixedUnit> units(widths.front().problem->units().size());
  for (std::size_t w = 0; w < widths.size(); ++w) {
    for (std::size_t u = 0; u < units.size(); ++u) {
      const int per_group = widths[w].problem->units()[u].kv_heads_per_group;
      for (const FrontMember& member : widths[w].found->units[u]) {
        units[u].options.push_back({w, member.partition});
        units[u].sizes.push_back({per_group * member.partition.groups(), member.cost});
      }
      if (widths[w].compute.empty()) continue;
      const std::vector<double>& own = widths[w].compute[u];
      units[u].compute.insert(units[u].compute.end(), own.begin(), own.end());
    }
  }
  return units;
}

std::vector<Split> splits_of(const std::vector<MixedUnit>& units, int limit) {
  std::vector<std::vector<SplitOption>> sizes;
  for (const MixedUnit& unit : units) sizes.push_back(unit.sizes);
  return budget_split(sizes, limit);
}

/// Layer by layer from the problem of the width that was chosen there.
Grouping grouping_of(std::span<const WidthUnits> widths, const std::vector<MixedUnit>& units,
                     const std::vector<int>& choice) {
  std::vector<std::vector<Partition>> partitions(widths.size());
  std::vector<std::size_t> chosen;
  for (std::size_t u = 0; u < units.size(); ++u) {
    const MixedOption& option = units[u].options[static_cast<std::size_t>(choice[u])];
    chosen.push_back(option.width);
    for (std::vector<Partition>& all : partitions) all.push_back(option.partition);
  }
  std::vector<Grouping> by_width;
  for (std::size_t w = 0; w < widths.size(); ++w) {
    by_width.push_back(widths[w].problem->grouping(partitions[w]));
  }
  Grouping result = by_width.front();
  const std::size_t per_layer = units.size() / result.layers.size();
  for (std::size_t l = 0; l < result.layers.size(); ++l) {
    const std::size_t keys = chosen[l * per_layer];
    const std::size_t values = chosen[(l + 1) * per_layer - 1];
    result.layers[l] = by_width[keys].layers[l];
    if (values == keys) continue;
    // Keys and values that choose apart: the widths of each.
    const LayerGrouping& other = by_width[values].layers[l];
    const LayerGrouping& own = result.layers[l];
    const int d = own.widths ? own.widths->head_dim : other.widths->head_dim;
    const auto as_heads = [&](const Partition& partition) {
      return std::vector<int>(static_cast<std::size_t>(partition.groups()), d);
    };
    result.layers[l].widths =
        GroupWidths{d, own.widths ? own.widths->keys : as_heads(own.keys),
                    other.widths ? other.widths->values : as_heads(other.values)};
  }
  return result;
}

/// Sums sizes, costs and compute of the chosen options. Thread-safe: reads only.
class MixedEvaluator : public Evaluator {
 public:
  explicit MixedEvaluator(const std::vector<MixedUnit>& units) : units_(units) {}

  void evaluate(const Genomes& candidates, std::span<Objectives> objectives) const override {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      Objectives sum;
      for (std::size_t u = 0; u < units_.size(); ++u) {
        const auto option = static_cast<std::size_t>(candidates[i][u]);
        sum.size += units_[u].sizes[option].size;
        sum.error += units_[u].sizes[option].cost;
        sum.compute += units_[u].compute[option];
      }
      objectives[i] = sum;
    }
  }

 private:
  const std::vector<MixedUnit>& units_;
};

std::vector<Gene> bounds_of(const std::vector<MixedUnit>& units) {
  std::vector<Gene> bounds;
  for (const MixedUnit& unit : units) bounds.push_back(static_cast<Gene>(unit.options.size()));
  return bounds;
}

/// At most `most` of the exact splits, spread over them.
Genomes seeds_of(const std::vector<Split>& splits, std::size_t units, std::size_t most) {
  Genomes seeds(units);
  const std::size_t count = std::min(most, splits.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<int>& choice = splits[i * splits.size() / count].choice;
    const std::vector<Gene> genome(choice.begin(), choice.end());
    seeds.append(genome);
  }
  return seeds;
}

}  // namespace

std::vector<ModelPoint> mixed_compute_front(std::span<const WidthUnits> widths,
                                            const MethodContext& context) {
  const std::vector<MixedUnit> units = mixed_units(widths);
  const int limit = widths.front().problem->kv_heads_limit();
  const BoundedIntegers variation(bounds_of(units));
  const MixedEvaluator evaluator(units);
  const MemoEvaluator memo(evaluator, variation.genes());
  Nsga2Options options;
  options.size_limit = limit;
  const Genomes seeds = seeds_of(splits_of(units, limit), units.size(),
                                 static_cast<std::size_t>(options.population) / 2);
  Nsga2 search(variation, memo, seeds, options, context.key);
  context.progress.begin("widths by size, loss and compute",
                         static_cast<std::size_t>(options.generations) + 1, "generations");
  const ParetoArchive archive =
      run_to_end(search, context.stop, [&](const Nsga2&) { context.progress.advance(1); });
  context.progress.end();
  std::vector<ModelPoint> front;
  for (const ParetoArchive::Entry& entry : archive.entries()) {
    const std::vector<int> choice(entry.genome.begin(), entry.genome.end());
    front.push_back({grouping_of(widths, units, choice), entry.objectives});
  }
  return front;
}

std::vector<ModelPoint> mixed_front(std::span<const WidthUnits> widths) {
  const std::vector<MixedUnit> units = mixed_units(widths);
  std::vector<ModelPoint> front;
  const int limit = widths.front().problem->kv_heads_limit();
  for (const Split& split : improving_splits(splits_of(units, limit))) {
    front.push_back(
        {grouping_of(widths, units, split.choice), {static_cast<double>(split.size), split.cost}});
  }
  return front;
}

FrontBounds mixed_bounds(std::span<const WidthUnits> widths) {
  std::vector<MixedUnit> units(widths.front().problem->units().size());
  FrontBounds result{{}, true};
  for (const WidthUnits& width : widths) {
    auto proof = width.found->proofs.begin();
    for (std::size_t u = 0; u < units.size(); ++u) {
      const int per_group = width.problem->units()[u].kv_heads_per_group;
      for (std::size_t i = 0; i < width.found->units[u].size(); ++i, ++proof) {
        units[u].sizes.push_back({per_group * proof->groups, proof->bound});
        result.is_exact = result.is_exact && proof->is_optimal;
      }
    }
  }
  result.bounds = least_costs(splits_of(units, widths.front().problem->kv_heads_limit()));
  return result;
}

}  // namespace regroup::search
