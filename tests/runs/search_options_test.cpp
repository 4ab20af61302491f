// What a search takes where nothing is said, by the shape of the model.

#include "runs/plan/search_options.hpp"

#include "fitness/fitness.hpp"
#include "models/merge/merge_operator.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;

namespace {

/// Layers of so many heads whose rows are all rotary.
models::ModelConfig shape(int heads, int head_dim) {
  models::ModelConfig config;
  config.query_heads = config.kv_heads = heads;
  config.head_dim = head_dim;
  config.rotary.dimensions = head_dim;
  return config;
}

std::string method_for(const models::ModelConfig& config, runs::SearchOptions options = {}) {
  options.complete(config);
  return options.method;
}

double fisher_work(const models::ModelConfig& config, std::string_view merge, int members) {
  return fitness::find_fitness("fisher").group_work(config, models::find_merge(merge), members);
}

}  // namespace

TEST_CASE("the default method is exact where every layer is proven in minutes") {
  CHECK(method_for(shape(8, 32)) == "exact");
  CHECK(method_for(shape(8, 128)) == "exact");
  CHECK(method_for(shape(16, 8)) == "exact");
  CHECK(method_for(shape(16, 64)) == "qcqa");
  CHECK(method_for(shape(17, 8)) == "qcqa");
  runs::SearchOptions by_weights;
  by_weights.fitness = "wse";
  CHECK(method_for(shape(16, 128), by_weights) == "exact");
  runs::SearchOptions averaging;
  averaging.merge = "mean";
  CHECK(method_for(shape(12, 64), averaging) == "exact");
  runs::SearchOptions given;
  given.method = "exact";
  CHECK(method_for(shape(32, 128), given) == "exact");
}

TEST_CASE("a residual takes work in the cube of a group's rows, keys without rotary as values do") {
  const models::ModelConfig rotary = shape(16, 64);
  models::ModelConfig plain = rotary;
  plain.rotary.dimensions = 0;
  CHECK(fisher_work(rotary, "optimal", 8) / fisher_work(rotary, "optimal", 4) == Approx(8));
  CHECK(fisher_work(plain, "optimal", 4) / fisher_work(rotary, "optimal", 4) ==
        Approx(2).epsilon(0.01));
  CHECK(fisher_work(rotary, "mean", 8) < fisher_work(rotary, "optimal", 8) / 8);
  const auto& by_weights = fitness::find_fitness("wse");
  CHECK(by_weights.group_work(rotary, models::find_merge("optimal"), 8) == 0);
}
