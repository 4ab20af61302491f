// What the measuring service asks of its workers, recalls and remembers, with workers that make
// figures up. Needs no LibTorch.

#include "fitness/measuring/measuring_service.hpp"

#include <algorithm>
#include <map>

#include "models/merge/operators/merge_table.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::fitness;
using namespace regroup::tests;
using models::CacheType;
using models::RefitScope;

namespace {

using Values = std::vector<double>;

/// Everything that tells one candidate from another, by plain text; of the source nothing.
std::string description(const Candidate& candidate) {
  std::string text;
  bool is_source = true;
  for (const search::LayerGrouping& layer : candidate.grouping.layers) {
    is_source = is_source && layer.keys.groups() == 4 && layer.values.groups() == 4;
    text += layer.keys.to_string() + "/" + layer.values.to_string() + "\n";
  }
  if (is_source) text = "source";
  if (!is_source) {
    text += std::string(candidate.conversion.recipe.merge->name());
    text += candidate.conversion.scope == RefitScope::kAllFollowing ? " all" : " alone";
  }
  return text + " cache " + std::string(models::cache_type_name(candidate.conversion.cache));
}

/// Three windows' values, of the candidate alone.
Values made_up(const Candidate& candidate) {
  const auto hash = static_cast<double>(std::hash<std::string>()(description(candidate)) % 1000);
  return {hash, hash / 3, 1 / (1 + hash)};
}

/// Keeps values in memory and writes down what happens.
class NaiveMemory : public Measurements<double> {
 public:
  explicit NaiveMemory(std::vector<std::string>& events) : events_(events) {}
  std::optional<Values> recall(const Candidate& candidate) const override {
    const auto found = kept.find(description(candidate));
    return found == kept.end() ? std::nullopt : std::optional(found->second);
  }
  void remember(const Candidate& candidate, const Values& values) const override {
    events_.push_back("kept " + description(candidate));
    kept[description(candidate)] = values;
  }

  mutable std::map<std::string, Values> kept;

 private:
  std::vector<std::string>& events_;
};

/// Makes figures up, one candidate after the other, and is stopped after some.
class FakeWorkers : public Workers<double> {
 public:
  explicit FakeWorkers(std::vector<std::string>& events) : events_(events) {}
  void prepare(std::stop_token, search::Progress&) const override { events_.push_back("prepared"); }
  void measure(std::span<const Candidate> candidates, std::stop_token, search::Progress& progress,
               const Sink& sink) const override {
    // Backwards: the service must not rely on an order.
    for (std::size_t i = candidates.size(); i-- > 0;) {
      if (asked.size() == stop_after) throw Interrupted();
      asked.push_back(description(candidates[i]));
      events_.push_back("asked " + asked.back());
      progress.advance(1);
      sink(i, made_up(candidates[i]));
    }
  }

  mutable std::vector<std::string> asked;
  std::size_t stop_after = 1000;

 private:
  std::vector<std::string>& events_;
};

/// Measures on all threads and hands over as each is done; the sink is called by the caller's.
class ThreadedWorkers : public Workers<double> {
 public:
  void prepare(std::stop_token, search::Progress&) const override {}
  void measure(std::span<const Candidate> candidates, std::stop_token, search::Progress&,
               const Sink& sink) const override {
    std::vector<Values> measured(candidates.size());
    search::parallel_for(candidates.size(),
                         [&](std::size_t i) { measured[i] = made_up(candidates[i]); });
    for (std::size_t i = 0; i < measured.size(); ++i) sink(i, std::move(measured[i]));
  }
};

class CountingProgress : public search::SilentProgress {
 public:
  void advance(std::size_t steps) override { count += steps; }
  std::size_t count = 0;
};

search::Partition partition(const char* text) {
  return search::Partition::parse(text);
}

/// Models that differ in one thing each, with repetitions, and the source in several guises.
std::vector<Candidate> candidates() {
  const auto alone = search::Partition::singletons(4);
  const search::Grouping source{{{alone, alone}, {alone, alone}}};
  const search::Grouping pair{{{partition("0 2 | 1 | 3"), alone}, {alone, alone}}};
  const search::Grouping values{{{alone, partition("0 2 | 1 | 3")}, {alone, alone}}};
  const models::MergeRecipe first(models::find_merge("first"));
  return {{source},
          {pair},
          {pair, {first}},
          {pair, {{}, RefitScope::kGroupedLayers}},
          {pair, {{}, RefitScope::kAllFollowing, CacheType::kQ8_0}},
          {values},
          {pair},
          {source, {first}},
          {source, {first, RefitScope::kAllFollowing, CacheType::kQ8_0}},
          {source, {{}, RefitScope::kGroupedLayers, CacheType::kQ8_0}},
          {pair, {first}}};
}

struct Scene {
  std::vector<std::string> events;
  NaiveMemory memory{events};
  FakeWorkers workers{events};
  MeasuringService<double> service{workers, memory, {}};
};

std::vector<Values> expected(const std::vector<Candidate>& candidates) {
  std::vector<Values> all;
  for (const Candidate& candidate : candidates) all.push_back(made_up(candidate));
  return all;
}

}  // namespace

TEST_CASE("the measuring service asks for each model once and for nothing that is remembered") {
  Scene scene;
  CountingProgress progress;
  const std::vector<Candidate> all = candidates();
  CHECK(scene.service.missing(all).size() == 7);
  CHECK(scene.workers.asked.empty());
  CHECK(scene.service.measure(all, progress) == expected(all));
  CHECK(scene.workers.asked.size() == 7);
  CHECK(scene.memory.kept.size() == 7);
  CHECK(progress.count == 7);
  CHECK(scene.service.measure(all, progress) == expected(all));
  CHECK(scene.workers.asked.size() == 7);
  CHECK(scene.service.missing(all).empty());
  // What is recalled is what is said, not what workers would say.
  scene.memory.kept[description(all[1])] = {7, 8, 9};
  CHECK(scene.service.measure(all[6], progress) == Values{7, 8, 9});
  CHECK(progress.count == 7);
  scene.service.prepare(progress);
  CHECK(scene.events.back() == "prepared");
}

TEST_CASE("the measuring service says the same in any order, and nothing of nothing") {
  search::SilentProgress silent;
  std::vector<Candidate> all = candidates();
  for (int rotation = 0; rotation < 11; ++rotation) {
    std::ranges::rotate(all, all.begin() + 1);
    Scene scene;
    CHECK(scene.service.measure(all, silent) == expected(all));
  }
  Scene scene;
  CHECK(scene.service.measure(std::span<const Candidate>(), silent).empty());
  CHECK(scene.events.empty());
}

TEST_CASE("the measuring service says the same of workers on several threads") {
  std::vector<std::string> events;
  const NaiveMemory memory(events);
  const ThreadedWorkers workers;
  search::SilentProgress silent;
  const std::vector<Candidate> all = candidates();
  search::set_threads(4);
  const auto found = MeasuringService<double>(workers, memory, {}).measure(all, silent);
  search::set_threads(1);
  CHECK(found == expected(all));
  CHECK(memory.kept.size() == 7);
}

TEST_CASE("each measurement is remembered before the next, so that a stop loses none") {
  search::SilentProgress silent;
  const std::vector<Candidate> all = candidates();
  for (std::size_t stop_after = 0; stop_after < 7; ++stop_after) {
    Scene scene;
    scene.workers.stop_after = stop_after;
    CHECK_THROWS_AS(scene.service.measure(all, silent), Interrupted);
    REQUIRE(scene.events.size() == 2 * stop_after);
    for (std::size_t i = 0; i < stop_after; ++i) {
      CHECK(scene.events[2 * i] == "asked " + scene.workers.asked[i]);
      CHECK(scene.events[2 * i + 1] == "kept " + scene.workers.asked[i]);
    }
    // Gone on from, only the rest is asked for.
    scene.workers.stop_after = 1000;
    CHECK(scene.service.measure(all, silent) == expected(all));
    CHECK(scene.workers.asked.size() == 7);
  }
}
