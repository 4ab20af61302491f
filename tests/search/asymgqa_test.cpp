#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "search/asymgqa/moves.hpp"
#include "search/asymgqa/nearest_heads.hpp"
#include "search/asymgqa/uniform_sizes.hpp"
#include "search/asymgqa/unit_search.hpp"
#include "search/baselines.hpp"
#include "search/enumeration.hpp"
#include "search/error.hpp"
#include "search/methods/asymgqa_method.hpp"
#include "search/parallel.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_tables.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

/// A random symmetric distance matrix without ties.
Eigen::MatrixXd random_distances(int heads, RandomKey key) {
  const Eigen::MatrixXd vectors = random_vectors(heads, 5, key);
  return cosine_distances(vectors * vectors.transpose());
}

using Labels = std::vector<int>;

Labels labels_of(const Partition& partition) {
  return {partition.labels().begin(), partition.labels().end()};
}

Partition partition_of(const Labels& labels) {
  return Partition::from_labels(std::vector<Label>(labels.begin(), labels.end()));
}

/// The up to three heads nearest to `a` outside its group, by looking at all triples' order.
std::vector<int> naive_partners(const Labels& labels, const Eigen::MatrixXd& distances, int a) {
  std::vector<std::pair<double, int>> others;
  for (int b = 0; b < static_cast<int>(labels.size()); ++b) {
    if (labels[static_cast<std::size_t>(b)] != labels[static_cast<std::size_t>(a)]) {
      others.emplace_back(distances(a, b), b);
    }
  }
  std::sort(others.begin(), others.end());
  std::vector<int> partners;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, others.size()); ++i) {
    partners.push_back(others[i].second);
  }
  return partners;
}

struct Neighbourhood {
  std::set<Partition> swapped;
  std::set<Partition> put;
};

/// Every partition that one move can make.
Neighbourhood one_move_from(const Partition& partition, const Eigen::MatrixXd& distances) {
  Neighbourhood result;
  const Labels labels = labels_of(partition);
  for (int a = 0; a < partition.heads(); ++a) {
    for (const int b : naive_partners(labels, distances, a)) {
      Labels swapped = labels;
      std::swap(swapped[static_cast<std::size_t>(a)], swapped[static_cast<std::size_t>(b)]);
      result.swapped.insert(partition_of(swapped));
      Labels put = labels;
      put[static_cast<std::size_t>(a)] = labels[static_cast<std::size_t>(b)];
      if (partition_of(put).groups() == partition.groups()) result.put.insert(partition_of(put));
    }
  }
  return result;
}

bool is_one_move(const Partition& from, const Partition& to, const Eigen::MatrixXd& distances) {
  const Neighbourhood around = one_move_from(from, distances);
  return around.swapped.contains(to) || around.put.contains(to);
}

std::multiset<std::size_t> group_sizes(const Partition& partition) {
  std::multiset<std::size_t> sizes;
  for (const auto& group : partition.member_ids()) sizes.insert(group.size());
  return sizes;
}

/// METHODS §3 once more, over plain vectors, with the draws that unit_search.hpp documents.
class NaiveSearch {
 public:
  NaiveSearch(const CostTable& table, const Eigen::MatrixXd& distances, int groups, bool swaps_only)
      : table_(table), distances_(distances), groups_(groups), swaps_only_(swaps_only) {}

  Partition run(const AsymGqaOptions& options, RandomKey key) const {
    RandomStream start(key.split(0));
    Labels current = random_labels(start);
    Labels best = current;
    for (int i = 1; i <= options.iterations; ++i) {
      RandomStream random(key.split(static_cast<std::uint64_t>(i)));
      if (random.unit() < options.reset) current = random_labels(random);
      const Labels next = moved(current, random);
      const bool better = cost(next) < cost(best);
      if (better) best = next;
      if (better || random.unit() < options.accept) current = next;
    }
    return partition_of(best);
  }

 private:
  double cost(const Labels& labels) const { return table_.partition_cost(partition_of(labels)); }

  Labels random_labels(RandomStream& random) const {
    Labels order(static_cast<std::size_t>(table_.heads()));
    std::iota(order.begin(), order.end(), 0);
    random.shuffle(std::span(order));
    Labels labels(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      labels[static_cast<std::size_t>(order[i])] = static_cast<int>(i) % groups_;
    }
    return labels;
  }

  Labels moved(Labels labels, RandomStream& random) const {
    // Groups have no order, so canonical labels change nothing but the draws' meaning: none.
    const int a = random.below(static_cast<int>(labels.size()));
    const std::vector<int> partners = naive_partners(labels, distances_, a);
    const int b = partners[random.below(partners.size())];
    int& at_a = labels[static_cast<std::size_t>(a)];
    int& at_b = labels[static_cast<std::size_t>(b)];
    const bool alone = std::count(labels.begin(), labels.end(), at_a) == 1;
    const bool put = !swaps_only_ && random.unit() < 0.5;
    if (put && !alone) {
      at_a = at_b;
    } else {
      std::swap(at_a, at_b);
    }
    return labels;
  }

  const CostTable& table_;
  const Eigen::MatrixXd& distances_;
  int groups_;
  bool swaps_only_;
};

/// A search of one unit whose candidates are all seen.
struct Trace {
  std::vector<Partition> candidates;  ///< the start first
  std::vector<double> scores;
  Partition found;
};

Trace trace(const CostTable& table, const Eigen::MatrixXd& distances, int groups,
            const AsymGqaOptions& options, RandomKey key) {
  Trace result{{}, {}, Partition::one_group(table.heads())};
  const NearestHeads nearest(distances);
  AsymGqaUnitSearch search(groups, nearest, AsymGqaMoves::kSwapsAndMoves, options, key);
  while (const Partition* candidate = search.candidate()) {
    result.candidates.push_back(*candidate);
    result.scores.push_back(table.partition_cost(*candidate));
    search.take(result.scores.back());
  }
  CHECK(search.evaluations() == result.candidates.size());
  result.found = search.best();
  return result;
}

/// One unit of a random problem and distances that have to do with its costs.
struct Unit8 {
  GroupingProblem problem = random_problem(1, 8, GroupingRules{}, RandomKey(41));
  Eigen::MatrixXd distances = random_distances(8, RandomKey(42));

  const CostTable& table() const { return *problem.units()[0].costs; }
};

std::vector<Eigen::MatrixXd> distances_of(const GroupingProblem& problem) {
  std::vector<Eigen::MatrixXd> distances;
  for (const Unit& unit : problem.units()) {
    Eigen::MatrixXd d(unit.heads(), unit.heads());
    for (int i = 0; i < unit.heads(); ++i) {
      for (int j = 0; j < unit.heads(); ++j) {
        const Head pair[] = {Head(i), Head(j)};
        d(i, j) = i == j ? 0 : unit.costs->group_cost(pair);
      }
    }
    distances.push_back(d);
  }
  return distances;
}

MethodResult run_method(const GroupingProblem& problem, const AsymGqaOptions& options = {},
                        const GroupingScore* score = nullptr) {
  SilentProgress silent;
  NoStateStore store;
  const auto distances = distances_of(problem);
  MethodOptions method;
  method.asymgqa = options;
  return AsymGqaMethod().run(problem, method, {RandomKey(5), {}, silent, store, distances, score});
}

/// The least cost of every number of groups, by looking at all partitions.
std::map<int, double> exact_costs(const CostTable& table) {
  std::map<int, double> best;
  for_each_partition(table.heads(), [&](const Partition& partition) {
    const double cost = table.partition_cost(partition);
    const auto [entry, fresh] = best.emplace(partition.groups(), cost);
    if (!fresh) entry->second = std::min(entry->second, cost);
  });
  return best;
}

/// Sums prices as a score, and remembers what it was asked.
class RecordedScore : public GroupingScore {
 public:
  explicit RecordedScore(const GroupingProblem& problem) : problem_(problem) {}
  std::vector<double> scores(std::span<const Grouping> groupings) const override {
    std::vector<double> errors;
    for (const Grouping& grouping : groupings) {
      asked_.push_back(grouping);
      errors.push_back(problem_.objectives(grouping).error);
    }
    return errors;
  }
  std::size_t asked() const { return asked_.size(); }
  /// Those asked for one size, which shows in the groups of the first layer's keys, in order.
  std::vector<Grouping> asked_for(int groups) const {
    std::vector<Grouping> result;
    std::ranges::copy_if(asked_, std::back_inserter(result), [=](const Grouping& grouping) {
      return grouping.layers.front().keys.groups() == groups;
    });
    return result;
  }

 private:
  const GroupingProblem& problem_;
  mutable std::vector<Grouping> asked_;
};

std::vector<Partition> partitions_of(const Grouping& grouping, PartitionSharing sharing) {
  std::vector<Partition> partitions;
  for (const LayerGrouping& layer : grouping.layers) {
    partitions.push_back(layer.keys);
    if (sharing == PartitionSharing::kIndependent) partitions.push_back(layer.values);
  }
  return partitions;
}

}  // namespace

TEST_CASE(
    "AsymGQA: cosine distances are those of the vectors, and a vector of norm 0 is orthogonal") {
  Eigen::MatrixXd vectors = random_vectors(6, 4, RandomKey(40));
  vectors.row(3).setZero();
  vectors.row(5) = -2 * vectors.row(1);
  vectors.row(4) = 3 * vectors.row(0);
  const Eigen::MatrixXd distances = cosine_distances(vectors * vectors.transpose());
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) {
      double expected = 1;
      if (i == j) {
        expected = 0;
      } else if (i != 3 && j != 3) {
        double dot = 0, a = 0, b = 0;
        for (int k = 0; k < 4; ++k) {
          dot += vectors(i, k) * vectors(j, k);
          a += vectors(i, k) * vectors(i, k);
          b += vectors(j, k) * vectors(j, k);
        }
        expected = 1 - dot / std::sqrt(a * b);
      }
      CHECK(distances(i, j) == Approx(expected).margin(1e-12));
      CHECK(distances(i, j) == distances(j, i));
    }
  }
  CHECK(distances(0, 4) >= 0);
  CHECK(distances(1, 5) <= 2);
  CHECK_THROWS_AS(cosine_distances(Eigen::MatrixXd::Zero(2, 3)), InputError);
  CHECK_THROWS_AS(
      cosine_distances(Eigen::MatrixXd::Constant(2, 2, std::numeric_limits<double>::quiet_NaN())),
      InputError);
}

TEST_CASE("AsymGQA: partners are the nearest heads outside the group, low heads first on ties") {
  const Eigen::MatrixXd distances = random_distances(7, RandomKey(43));
  const NearestHeads nearest(distances);
  for_each_partition(7, [&](const Partition& partition) {
    for (int a = 0; a < 7; ++a) {
      std::vector<int> ours;
      for (const Head b : nearest.outside_group(partition, Head(a), 3)) ours.push_back(b.value());
      REQUIRE(ours == naive_partners(labels_of(partition), distances, a));
    }
  });
  const NearestHeads ties(Eigen::MatrixXd::Zero(4, 4));
  CHECK(ties.outside_group(Partition::parse("0 2 | 1 3"), Head(2), 3) ==
        std::vector<Head>{Head(1), Head(3)});
}

TEST_CASE("AsymGQA: random equal groups differ by at most one head, and are not all alike") {
  for (int heads = 1; heads <= 9; ++heads) {
    for (int groups = 1; groups <= heads; ++groups) {
      std::set<Partition> seen;
      for (std::uint64_t draw = 0; draw < 20; ++draw) {
        RandomStream random(RandomKey(44).split(draw));
        const Partition partition = random_partition(heads, groups, GroupSizes::kEqual, random);
        seen.insert(partition);
        REQUIRE(partition.groups() == groups);
        const auto sizes = group_sizes(partition);
        CHECK(*sizes.rbegin() - *sizes.begin() <= 1);
      }
      CHECK((seen.size() > 1) == (groups > 1 && groups < heads));
    }
  }
}

TEST_CASE("AsymGQA: a move keeps the number of groups, a swap their sizes, both draw neighbours") {
  const Eigen::MatrixXd distances = random_distances(6, RandomKey(45));
  const NearestHeads nearest(distances);
  int swaps = 0;
  int puts = 0;
  std::uint64_t draw = 0;
  for_each_partition(6, [&](const Partition& partition) {
    if (partition.groups() == 1) return;
    const Neighbourhood around = one_move_from(partition, distances);
    std::set<Partition> reached;
    for (int repeat = 0; repeat < 300; ++repeat) {
      RandomStream random(RandomKey(46).split(draw++));
      const Partition next = random_move(partition, nearest, AsymGqaMoves::kSwapsAndMoves, random);
      REQUIRE(next.groups() == partition.groups());
      swaps += around.swapped.contains(next) ? 1 : 0;
      puts += around.put.contains(next) ? 1 : 0;
      REQUIRE((around.swapped.contains(next) || around.put.contains(next)));
      reached.insert(next);
      RandomStream again(RandomKey(47).split(draw));
      const Partition swapped = random_move(partition, nearest, AsymGqaMoves::kSwaps, again);
      REQUIRE(group_sizes(swapped) == group_sizes(partition));
      REQUIRE(around.swapped.contains(swapped));
    }
    std::set<Partition> all = around.swapped;
    all.insert(around.put.begin(), around.put.end());
    CHECK(reached == all);
  });
  CHECK(swaps > 10000);
  CHECK(puts > 10000);
}

TEST_CASE("AsymGQA: a unit's search is the one that METHODS describes, draw by draw") {
  const Unit8 unit;
  for (const bool swaps_only : {false, true}) {
    for (int groups = 2; groups <= 7; ++groups) {
      for (const AsymGqaOptions& options :
           {AsymGqaOptions{30, 0.1, 0.1}, AsymGqaOptions{30, 0.7, 0.5}, AsymGqaOptions{0}}) {
        const RandomKey key = RandomKey(48).split(static_cast<std::uint64_t>(groups));
        const NearestHeads nearest(unit.distances);
        AsymGqaUnitSearch search(groups, nearest,
                                 swaps_only ? AsymGqaMoves::kSwaps : AsymGqaMoves::kSwapsAndMoves,
                                 options, key);
        while (const Partition* candidate = search.candidate()) {
          search.take(unit.table().partition_cost(*candidate));
        }
        CHECK(search.best() ==
              NaiveSearch(unit.table(), unit.distances, groups, swaps_only).run(options, key));
        CHECK(search.evaluations() == 1 + static_cast<std::size_t>(options.iterations));
        CHECK(search.evaluations() == asymgqa_candidates(8, groups, options));
      }
    }
  }
}

TEST_CASE("AsymGQA: the best candidate is kept, and acceptance and reset decide what comes next") {
  const Unit8 unit;
  const auto check_best = [&](const Trace& run) {
    const auto least = std::min_element(run.scores.begin(), run.scores.end());
    CHECK(run.candidates[static_cast<std::size_t>(least - run.scores.begin())] == run.found);
  };
  SECTION("acceptance 0: every candidate is one move from the best so far") {
    const Trace run = trace(unit.table(), unit.distances, 3, {200, 0, 0}, RandomKey(49));
    check_best(run);
    std::size_t best = 0;
    for (std::size_t i = 1; i < run.candidates.size(); ++i) {
      CHECK(is_one_move(run.candidates[best], run.candidates[i], unit.distances));
      if (run.scores[i] < run.scores[best]) best = i;
    }
    CHECK(best > 0);
  }
  SECTION("acceptance 1: every candidate is one move from the last") {
    const Trace run = trace(unit.table(), unit.distances, 3, {200, 1, 0}, RandomKey(50));
    check_best(run);
    for (std::size_t i = 1; i < run.candidates.size(); ++i) {
      CHECK(is_one_move(run.candidates[i - 1], run.candidates[i], unit.distances));
    }
  }
  SECTION("reset 1: every candidate is one move from new random groups") {
    const Trace run = trace(unit.table(), unit.distances, 3, {200, 0.5, 1}, RandomKey(51));
    check_best(run);
    for (std::size_t i = 1; i < run.candidates.size(); ++i) {
      RandomStream random(RandomKey(51).split(i));
      REQUIRE(random.chance(1));
      const Partition fresh = random_partition(8, 3, GroupSizes::kEqual, random);
      CHECK(is_one_move(fresh, run.candidates[i], unit.distances));
    }
  }
}

TEST_CASE("AsymGQA: where there is nothing to choose nothing is scored") {
  const Unit8 unit;
  CHECK(trace(unit.table(), unit.distances, 1, {}, RandomKey(1)).found == Partition::one_group(8));
  CHECK(trace(unit.table(), unit.distances, 8, {}, RandomKey(1)).found == Partition::singletons(8));
  CHECK(trace(unit.table(), unit.distances, 8, {}, RandomKey(1)).candidates.empty());
}

TEST_CASE(
    "AsymGQA comes within a few percent of the best partition of every unit by its own price") {
  for (const PartitionSharing sharing :
       {PartitionSharing::kJoint, PartitionSharing::kIndependent}) {
    const GroupingProblem problem = random_problem(3, 8, GroupingRules{sharing}, RandomKey(52));
    const MethodResult found = run_method(problem);
    REQUIRE(found.front.size() == 8);
    bool differ = false;
    for (int groups = 1; groups <= 8; ++groups) {
      const ModelPoint& point = found.front[static_cast<std::size_t>(groups - 1)];
      CHECK(point.objectives.size == 6 * groups);
      CHECK(point.objectives == problem.objectives(point.grouping));
      const auto partitions = partitions_of(point.grouping, sharing);
      for (std::size_t u = 0; u < partitions.size(); ++u) {
        const CostTable& table = *problem.units()[u].costs;
        CHECK(partitions[u].groups() == groups);
        CHECK(table.partition_cost(partitions[u]) <= 1.03 * exact_costs(table).at(groups) + 1e-12);
      }
      for (const LayerGrouping& layer : point.grouping.layers) {
        differ = differ || layer.keys != layer.values;
      }
    }
    CHECK(differ == (sharing == PartitionSharing::kIndependent));
    CHECK(found.evaluations == AsymGqaMethod().candidates(problem, {}));
  }
}

TEST_CASE("AsymGQA searches every unit with its own distances, prices and draws") {
  const GroupingProblem problem =
      random_problem(2, 7, GroupingRules{PartitionSharing::kIndependent}, RandomKey(57));
  const auto distances = distances_of(problem);
  const AsymGqaOptions options{15};
  const MethodResult found = run_method(problem, options);
  for (int groups = 2; groups < 7; ++groups) {
    const auto partitions = partitions_of(
        found.front[static_cast<std::size_t>(groups - 1)].grouping, PartitionSharing::kIndependent);
    for (std::size_t u = 0; u < 4; ++u) {
      const RandomKey key = RandomKey(5).split(static_cast<std::uint64_t>(groups)).split(u);
      CHECK(partitions[u] ==
            NaiveSearch(*problem.units()[u].costs, distances[u], groups, false).run(options, key));
    }
  }
}

TEST_CASE("AsymGQA with a score converts the units before and leaves those after whole") {
  for (const PartitionSharing sharing :
       {PartitionSharing::kJoint, PartitionSharing::kIndependent}) {
    const GroupingProblem problem = random_problem(2, 5, GroupingRules{sharing}, RandomKey(53));
    const RecordedScore score(problem);
    const MethodResult found = run_method(problem, {6, 0.1, 0.1}, &score);
    const std::size_t units = problem.units().size();
    const Partition whole = Partition::singletons(5);
    for (const ModelPoint& point : found.front) {
      const auto best = partitions_of(point.grouping, sharing);
      const std::vector<Grouping> all = score.asked_for(best[0].groups());
      auto asked = all.begin();
      const bool has_choice = best[0].groups() > 1 && best[0].groups() < 5;
      for (std::size_t u = 0; has_choice && u < units; ++u) {
        for (int candidate = 0; candidate < 7; ++candidate, ++asked) {
          const auto partitions = partitions_of(*asked, sharing);
          for (std::size_t v = 0; v < units; ++v) {
            if (v == u) CHECK(partitions[v].groups() == best[v].groups());
            if (v < u) CHECK(partitions[v] == best[v]);
            if (v > u) CHECK(partitions[v] == whole);
          }
        }
      }
      CHECK(*asked == point.grouping);
      CHECK(++asked == all.end());
      CHECK(point.objectives.error == problem.objectives(point.grouping).error);
    }
    CHECK(found.evaluations == score.asked());
    // A score that is the sum of the prices finds what the prices find.
    const MethodResult priced = run_method(problem, {6, 0.1, 0.1});
    for (std::size_t i = 0; i < priced.front.size(); ++i) {
      CHECK(priced.front[i].grouping == found.front[i].grouping);
    }
  }
}

TEST_CASE("AsymGQA keeps to the rules: limit, equal sizes, frozen layers, numbers of groups") {
  const RandomKey key(54);
  const auto sizes = [](const MethodResult& found) {
    std::vector<int> result;
    for (const ModelPoint& point : found.front) result.push_back(point.grouping.kv_heads());
    return result;
  };
  CHECK(sizes(run_method(random_problem(2, 8, {.kv_heads_limit = 15}, key), {20})) ==
        std::vector<int>{4, 8, 12});
  CHECK(sizes(run_method(random_problem(2, 8, {.frozen_layers = {1}}, key), {20})) ==
        std::vector<int>{18, 20, 22, 24, 26, 28, 30, 32});
  CHECK(sizes(run_method(random_problem(2, 8, {.min_groups = 3, .max_groups = 5}, key), {20})) ==
        std::vector<int>{12, 16, 20});
  const MethodResult equal =
      run_method(random_problem(2, 8, {.shape = GroupShape::kPerLayer}, key), {50});
  CHECK(sizes(equal) == std::vector<int>{4, 8, 16, 32});
  for (const ModelPoint& point : equal.front) {
    for (const LayerGrouping& layer : point.grouping.layers) CHECK(layer.keys.has_equal_sizes());
  }
  const MethodResult frozen = run_method(random_problem(2, 8, {.frozen_layers = {1}}, key), {20});
  for (const ModelPoint& point : frozen.front) {
    CHECK(point.grouping.layers[1].keys == Partition::singletons(8));
  }
}

TEST_CASE("AsymGQA finds the same with one thread and many") {
  const GroupingProblem problem =
      random_problem(4, 7, GroupingRules{PartitionSharing::kIndependent}, RandomKey(55));
  const MethodResult one = run_method(problem, {40});
  set_threads(4);
  const MethodResult many = run_method(problem, {40});
  set_threads(1);
  REQUIRE(one.front.size() == many.front.size());
  for (std::size_t i = 0; i < one.front.size(); ++i) {
    CHECK(one.front[i].grouping == many.front[i].grouping);
    CHECK(one.front[i].objectives == many.front[i].objectives);
  }
  CHECK(one.evaluations == many.evaluations);
}

TEST_CASE("AsymGQA stops when asked, and needs distances of every unit") {
  const GroupingProblem problem = random_problem(2, 6, GroupingRules{}, RandomKey(56));
  SilentProgress silent;
  NoStateStore store;
  CHECK_THROWS_AS(AsymGqaMethod().run(problem, {}, {RandomKey(1), {}, silent, store}), WorkError);
  std::stop_source stop;
  stop.request_stop();
  const auto distances = distances_of(problem);
  CHECK_THROWS_AS(
      AsymGqaMethod().run(problem, {}, {RandomKey(1), stop.get_token(), silent, store, distances}),
      Interrupted);
}
