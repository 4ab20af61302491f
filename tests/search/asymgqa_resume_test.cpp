// AsymGQA by prices that goes on from what an earlier run found: to the same end, without searching
// any of it again.

#include <atomic>
#include <map>
#include <mutex>

#include "search/asymgqa/asymgqa_method.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/base/record.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

/// Random prices that count how often a partition is asked for.
class CountedCost : public RandomAdditive {
 public:
  CountedCost(std::atomic<std::size_t>& count, RandomKey key)
      : RandomAdditive(6, false, key), count_(count) {}
  double group_cost(std::span<const Head> group) const override {
    ++count_;
    return RandomAdditive::group_cost(group);
  }

 private:
  std::atomic<std::size_t>& count_;
};

/// Keeps records in memory; ends the run, as a kill would, with a save.
class MemoryStore : public StateStore {
 public:
  std::optional<std::string> load(std::string_view name) const override {
    const std::lock_guard lock(mutex_);
    const auto found = records.find(std::string(name));
    return found == records.end() ? std::nullopt : std::optional(found->second);
  }
  void save(std::string_view name, std::string record) override {
    const std::lock_guard lock(mutex_);
    records[std::string(name)] = std::move(record);
    ++saves;
    if (saves == stop_after) throw Interrupted();
  }

  std::map<std::string, std::string> records;
  std::size_t saves = 0;
  std::size_t stop_after = 0;

 private:
  mutable std::mutex mutex_;
};

/// Two layers of six heads, priced by tables that count.
class Scene {
 public:
  Scene() {
    for (std::size_t u = 0; u < 2; ++u) {
      distances_.push_back(Eigen::MatrixXd::Ones(6, 6) - Eigen::MatrixXd::Identity(6, 6));
    }
  }
  MethodResult run(StateStore& store) const {
    SilentProgress silent;
    const AsymGqaMethod method({.iterations = 60});
    return method.run(problem_, {RandomKey(5), {}, silent, store, distances_});
  }
  /// Prices asked for since the last call.
  std::size_t priced() { return count_.exchange(0); }

 private:
  LayerCosts costs(std::uint64_t layer) {
    const auto table = std::make_shared<CountedCost>(count_, RandomKey(layer));
    return {table, table, table};
  }

  std::atomic<std::size_t> count_{0};
  GroupingProblem problem_{{costs(1), costs(2)}, {}};
  std::vector<Eigen::MatrixXd> distances_;
};

}  // namespace

TEST_CASE("AsymGQA goes on from every unit and size that it has found, and repeats none") {
  Scene scene;
  MemoryStore unbroken;
  const MethodResult expected = scene.run(unbroken);
  const std::size_t all = scene.priced();
  REQUIRE(unbroken.saves == 12);  // two layers, six sizes
  std::size_t before = 0;
  for (std::size_t stop_after = 1; stop_after <= 12; ++stop_after) {
    MemoryStore store;
    store.stop_after = stop_after;
    CHECK_THROWS_AS(scene.run(store), Interrupted);
    const std::size_t spent = scene.priced();
    check_equal(scene.run(store), expected);
    // What the broken run priced is not priced again.
    CHECK(spent + scene.priced() == all);
    CHECK(spent >= before);
    before = spent;
  }
  CHECK(before > all / 2);
}

TEST_CASE("AsymGQA that is broken off with many threads ends as one that is not") {
  Scene scene;
  NoStateStore nothing_kept;
  const MethodResult expected = scene.run(nothing_kept);
  const std::size_t all = scene.priced();
  set_threads(4);
  for (const std::size_t stop_after : {6U, 11U}) {
    MemoryStore store;
    store.stop_after = stop_after;
    CHECK_THROWS_AS(scene.run(store), Interrupted);
    scene.priced();
    check_equal(scene.run(store), expected);
    CHECK(scene.priced() < all);
  }
  set_threads(1);
}

TEST_CASE("AsymGQA begins anew where a record is of another number of units and sizes") {
  Scene scene;
  MemoryStore store;
  const MethodResult expected = scene.run(store);
  RecordWriter other;
  other.number(std::size_t{13});
  store.records["asymgqa"] = std::move(other).bytes();
  check_equal(scene.run(store), expected);
}
