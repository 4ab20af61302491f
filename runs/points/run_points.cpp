#include "runs/points/run_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "search/methods/baseline_methods.hpp"
#include "search/problem/baselines.hpp"
#include "search/problem/front_selection.hpp"

namespace regroup::runs {
namespace {

/// Mean, not refitted.
const models::MergeRecipe& baseline_recipe() {
  static const models::MergeRecipe kMean;
  return kMean;
}

/// Points of a run that measures nothing.
constexpr std::size_t kProxyPoints = 24;

/// KV heads of the neighbour groupings, ascending and distinct.
std::vector<int> uniform_sizes(const search::GroupingProblem& problem) {
  std::set<int> sizes;
  for (int groups = 1; groups <= problem.heads(); ++groups) {
    sizes.insert(search::neighbour_grouping(problem, groups).kv_heads());
  }
  return {sizes.begin(), sizes.end()};
}

/// A size at which the baselines are placed, with the limit that asked for it.
struct Size {
  int kv_heads;
  std::optional<double> limit;
};

/// Makes the points of one run, one series after another.
class PointChooser {
 public:
  PointChooser(const OwnSeries& own, const std::vector<double>& kv_limits,
               const search::GroupingProblem& problem, search::RandomKey key)
      : own_(own), kv_limits_(kv_limits), problem_(problem), key_(key) {}

  std::vector<RunPoint> choose(const search::MethodResult& found,
                               const std::optional<ComparedFront>& paper) {
    std::vector<Size> sizes =
        kv_limits_.empty() ? add_spread(found.front) : add_limits(found.front);
    if (paper) add_compared(*paper, sizes);
    add_neighbours(sizes);
    add_mqa(sizes);
    add_random(sizes);
    return std::move(points_);
  }

 private:
  /// The largest size up to `kv_heads` that a grouping can have: keys and values that share their
  /// partitions come in pairs.
  int reachable(int kv_heads) const {
    return problem_.sharing() == search::PartitionSharing::kJoint ? kv_heads / 2 * 2 : kv_heads;
  }

  /// The point with its cost by the problem, which knows groups as wide as a head.
  search::ModelPoint priced(const search::ModelPoint& point) const {
    return point.grouping.has_widths() ? point : problem_.point(point.grouping);
  }

  std::vector<Size> add_spread(const std::vector<search::ModelPoint>& front) {
    const std::vector<int> uniform = uniform_sizes(problem_);
    std::set<int> baseline_sizes;
    for (const search::ModelPoint& point : shown_points(own_.measuring, problem_, front)) {
      add("search", own_.method, own_.recipe, priced(point), std::nullopt);
      const auto above = std::ranges::upper_bound(uniform, point.objectives.size);
      if (above != uniform.begin()) baseline_sizes.insert(*std::prev(above));
    }
    std::vector<Size> sizes;
    for (const int size : baseline_sizes) {
      // At the source's own size every grouping is the source.
      if (size < problem_.source_kv_heads()) sizes.push_back({size, std::nullopt});
    }
    return sizes;
  }

  std::vector<Size> add_limits(const std::vector<search::ModelPoint>& front) {
    std::vector<Size> sizes;
    for (const double limit : kv_limits_) {
      const int source = problem_.source_kv_heads();
      const search::ModelPoint* best =
          search::best_within(front, search::size_within(limit, source));
      if (best != nullptr) add("search", own_.method, own_.recipe, priced(*best), limit);
      sizes.push_back({reachable(search::kv_heads_within(limit, source)), limit});
    }
    return sizes;
  }

  void add_compared(const ComparedFront& compared, const std::vector<Size>& sizes) {
    for (const Size& size : sizes) {
      const search::ModelPoint* best = search::best_within(compared.front, size.kv_heads);
      if (best == nullptr) continue;
      add(compared.series, compared.method, compared.recipe, problem_.point(best->grouping),
          size.limit);
    }
  }

  void add_neighbours(const std::vector<Size>& sizes) {
    for (const Size& size : sizes) {
      add("neighbour", "neighbour", baseline_recipe(),
          problem_.point(search::neighbour_grouping_within(problem_, size.kv_heads)), size.limit);
    }
  }

  void add_mqa(const std::vector<Size>& sizes) {
    const search::Grouping mqa = search::mqa_grouping(problem_);
    if (kv_limits_.empty()) add("mqa", "mqa", baseline_recipe(), problem_.point(mqa), std::nullopt);
    for (const Size& size : sizes) {
      if (size.limit) add("mqa", "mqa", baseline_recipe(), problem_.point(mqa), size.limit);
    }
  }

  void add_random(const std::vector<Size>& sizes) {
    for (const Size& size : sizes) {
      const search::RandomKey size_key = key_.split(static_cast<std::uint64_t>(size.kv_heads));
      for (int draw = 0; draw < search::kRandomDraws; ++draw) {
        const search::Grouping grouping = search::random_grouping(
            problem_, size.kv_heads, size_key.split(static_cast<std::uint64_t>(draw)));
        add("random", "random", baseline_recipe(), problem_.point(grouping), size.limit,
            fmt::format("-{}", draw + 1));
      }
    }
  }

  /// Enough digits to tell any two sizes of this model apart.
  int size_digits(const search::Grouping& grouping) const {
    int parts = problem_.source_kv_heads();
    for (const search::LayerGrouping& layer : grouping.layers) {
      const bool is_free = layer.widths && layer.widths->has_free_frequencies();
      if (is_free) parts = problem_.source_kv_heads() * layer.widths->head_dim;
    }
    return std::max<int>(4, static_cast<int>(std::to_string(parts).size()));
  }

  /// The name, with a number where another grouping of the same size has it.
  std::string unlike_others(const std::string& name, const search::ModelPoint& point) const {
    const auto is_taken = [&](const std::string& candidate) {
      return std::ranges::any_of(points_, [&](const RunPoint& other) {
        return other.name == candidate && !(other.point.grouping == point.grouping);
      });
    };
    std::string own = name;
    for (int number = 2; is_taken(own); ++number) own = fmt::format("{}-{}", name, number);
    return own;
  }

  void add(const std::string& series, const std::string& method, const models::MergeRecipe& recipe,
           const search::ModelPoint& point, std::optional<double> limit,
           const std::string& suffix = "") {
    const int digits = size_digits(point.grouping);
    const double ratio = point.objectives.size / problem_.source_kv_heads();
    const bool is_baseline = series != "search" && series != "paper";
    const std::string name = fmt::format("{}-{}-kv{:.{}f}{}", is_baseline ? "baseline" : series,
                                         method, ratio, digits, suffix);
    points_.push_back(
        {series, method, recipe, point, {}, limit, {}, {}, false, unlike_others(name, point)});
  }

  const OwnSeries& own_;
  const std::vector<double>& kv_limits_;
  const search::GroupingProblem& problem_;
  search::RandomKey key_;
  std::vector<RunPoint> points_;
};

}  // namespace

std::vector<search::ModelPoint> shown_points(const Measuring& measuring,
                                             const search::GroupingProblem& problem,
                                             const std::vector<search::ModelPoint>& front) {
  const std::size_t most =
      measuring.points > 0 ? static_cast<std::size_t>(measuring.points) : kProxyPoints;
  return search::spread_over_sizes(front, uniform_sizes(problem), most);
}

std::vector<RunPoint> choose_points(const OwnSeries& own, const std::vector<double>& kv_limits,
                                    const search::GroupingProblem& problem,
                                    const search::MethodResult& found,
                                    const std::optional<ComparedFront>& paper,
                                    search::RandomKey key) {
  return PointChooser(own, kv_limits, problem, key).choose(found, paper);
}

void fill_compute(std::vector<RunPoint>& points, const models::GroupingCompute& compute,
                  bool is_asked) {
  const bool has_widths = std::ranges::any_of(
      points, [](const RunPoint& point) { return point.point.grouping.has_widths(); });
  if (!has_widths && !is_asked) return;
  for (RunPoint& point : points) point.compute = compute(point.point.grouping);
}

void mark_front(std::vector<RunPoint>& points, bool by_compute) {
  std::vector<search::Objectives> objectives;
  for (const RunPoint& point : points) {
    const double error = point.loss ? point.loss->mean : point.point.objectives.error;
    objectives.push_back(
        {point.point.objectives.size, error, by_compute ? point.compute.value_or(0) : 0.0});
  }
  const std::vector<int> ranks = search::non_dominated_ranks(objectives);
  for (std::size_t i = 0; i < points.size(); ++i) points[i].on_front = ranks[i] == 0;
}

}  // namespace regroup::runs
