#include "fitness/fitness.hpp"

#include <cmath>

#include "fitness/layer_grams.hpp"
#include "fitness/loss_estimate.hpp"
#include "models/language_model/language_model.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/problem/enumeration.hpp"
#include "search/qcqa/stage_one.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::fitness;
using namespace regroup::tests;

namespace {

/// Σ over a group of ‖(W^h − W̄) x‖² for one input x (all entries of the weights where x is absent),
/// by plain loops.
double naive_error(const std::vector<float>& weight, int heads, std::size_t width,
                   const search::Partition& partition,
                   const std::vector<std::vector<double>>& inputs) {
  const std::size_t size = weight.size() / static_cast<std::size_t>(heads);
  double error = 0;
  for (const std::vector<int>& group : partition.member_ids()) {
    std::vector<double> mean(size);
    for (const int h : group) {
      for (std::size_t i = 0; i < size; ++i) {
        mean[i] +=
            weight[static_cast<std::size_t>(h) * size + i] / static_cast<double>(group.size());
      }
    }
    for (const int h : group) {
      for (std::size_t row = 0; row < size; row += width) {
        for (const std::vector<double>& x : inputs) {
          double y = 0;
          for (std::size_t i = 0; i < width; ++i) {
            y += (weight[static_cast<std::size_t>(h) * size + row + i] - mean[row + i]) * x[i];
          }
          error += y * y;
        }
      }
    }
  }
  return error;
}

/// The axes of the input space: their error sums to the squared Frobenius norm.
std::vector<std::vector<double>> axes(std::size_t width) {
  std::vector<std::vector<double>> result(width, std::vector<double>(width));
  for (std::size_t i = 0; i < width; ++i) result[i][i] = 1;
  return result;
}

class Scene {
 public:
  explicit Scene(const TinyLlama& shape = {}) : shape_(shape) { shape_.write(scratch_.path()); }

  models::PretrainedModel model() const { return models::open_model(scratch_.path()); }
  std::vector<search::LayerCosts> costs(std::string_view name,
                                        const models::Calibration* calibration = nullptr) const {
    search::SilentProgress silent;
    return find_fitness(name).layer_costs(
        {model(), calibration, models::MergeRecipe(), {}, silent});
  }

 private:
  TinyLlama shape_;
  TemporaryDirectory scratch_;
};

}  // namespace

TEST_CASE("WSE equals its definition on every partition, keys, values and joint") {
  const TinyLlama shape;
  const auto tensors = shape.tensors();
  const auto costs = Scene(shape).costs("wse");
  REQUIRE(costs.size() == 2);
  const auto inputs = axes(static_cast<std::size_t>(shape.width));
  search::for_each_partition(4, [&](const search::Partition& partition) {
    const auto naive = [&](const char* module) {
      return naive_error(tensors.at(std::string("model.layers.1.self_attn.") + module + ".weight"),
                         4, static_cast<std::size_t>(shape.width), partition, inputs);
    };
    const double keys = naive("k_proj");
    const double values = naive("v_proj");
    CHECK(costs[1].keys->partition_cost(partition) == near(keys, 1e-9));
    CHECK(costs[1].values->partition_cost(partition) == near(values, 1e-9));
    CHECK(costs[1].joint->partition_cost(partition) == near(keys + values, 1e-9));
  });
}

TEST_CASE("activation error is the error of the heads' outputs on the data") {
  const TinyLlama shape;
  const auto tensors = shape.tensors();
  search::RandomStream random{search::RandomKey(6)};
  const auto width = static_cast<std::size_t>(shape.width);
  std::vector<std::vector<double>> inputs(30, std::vector<double>(width));
  models::LayerMoments none;
  none.input = Eigen::MatrixXd::Zero(shape.width, shape.width);
  models::Calibration calibration{{none, none}, {1, {0, 0}}, {}};
  for (auto& x : inputs) {
    for (double& value : x) value = 2 * random.unit() - 1;
    const Eigen::Map<const Eigen::VectorXd> v(x.data(), shape.width);
    for (models::LayerMoments& layer : calibration.layers) layer.input += v * v.transpose();
  }
  const auto costs = Scene(shape).costs("activation", &calibration);
  search::for_each_partition(4, [&](const search::Partition& partition) {
    const double keys = naive_error(tensors.at("model.layers.0.self_attn.k_proj.weight"), 4, width,
                                    partition, inputs);
    CHECK(costs[0].keys->partition_cost(partition) == near(keys, 1e-9));
  });
  CHECK_THROWS_AS(Scene(shape).costs("activation"), WorkError);
}

TEST_CASE("moments are those of the first layer's normalised embeddings, for any threads") {
  const TinyLlama shape;
  const TemporaryDirectory scratch;
  shape.write(scratch.path());
  const models::LanguageModel model(
      std::make_shared<const models::PretrainedModel>(models::open_model(scratch.path())),
      models::ComputeOptions{});
  std::vector<std::int32_t> stream;
  search::RandomStream random{search::RandomKey(7)};
  for (int i = 0; i < 4001; ++i) stream.push_back(random.below(shape.vocabulary));
  const auto windows = models::Windows::of_stream(stream, 8, "stream");
  search::SilentProgress silent;
  search::set_threads(1);
  const auto one = model.calibrate(windows, {}, {}, silent);
  search::set_threads(3);
  const auto many = model.calibrate(windows, {}, {}, silent);
  search::set_threads(1);
  REQUIRE(one.layers.size() == 2);
  CHECK(one.windows.tokens() == 4000);
  for (std::size_t i = 0; i < 2; ++i) CHECK(one.layers[i].input == many.layers[i].input);

  const auto tensors = shape.tensors();
  const std::vector<float>& embedding = tensors.at("model.embed_tokens.weight");
  const std::vector<float>& norm = tensors.at("model.layers.0.input_layernorm.weight");
  Eigen::MatrixXd expected = Eigen::MatrixXd::Zero(shape.width, shape.width);
  for (int t = 0; t < 4000; ++t) {
    Eigen::VectorXd x(shape.width);
    for (int i = 0; i < shape.width; ++i) {
      x[i] = embedding[static_cast<std::size_t>(stream[static_cast<std::size_t>(t)] * shape.width +
                                                i)];
    }
    x /= std::sqrt(x.squaredNorm() / shape.width + 1e-5);
    for (int i = 0; i < shape.width; ++i) x[i] *= norm[static_cast<std::size_t>(i)];
    expected += x * x.transpose() / 4000;
  }
  CHECK((one.layers[0].input - expected).cwiseAbs().maxCoeff() < 1e-5);
}

TEST_CASE("estimates: mean, standard error over windows, paired difference") {
  const std::vector<double> a = {1, 2, 3, 6};
  const LossEstimate estimated = estimate(a);
  CHECK(estimated.mean == 3);
  // Squares 4 + 1 + 0 + 9 = 14; √(14 / 3 / 4).
  CHECK(estimated.standard_error.value() == Approx(std::sqrt(14.0 / 12)));
  const std::vector<double> b = {2, 3, 4, 7};
  CHECK(paired_difference(b, a).mean == 1);
  CHECK(paired_difference(b, a).standard_error == 0.0);
  CHECK_FALSE(estimate(std::vector<double>{5}).standard_error);
  CHECK_THROWS_AS(paired_difference(a, std::vector<double>{5}), WorkError);
}

TEST_CASE("an unknown fitness lists the known ones") {
  CHECK_THROWS_AS(find_fitness("guess"), InputError);
  CHECK(fitness_names() ==
        std::vector<std::string_view>{"wse", "activation", "residual", "fisher"});
}

TEST_CASE("stage 1 finds the exact front of every layer of books-llama") {
  REGROUP_NEEDS_SHARED_DATA("checkpoints/books-llama");
  const auto model = models::open_model(shared_data("checkpoints/books-llama"));
  search::SilentProgress silent;
  const search::GroupingProblem problem(
      find_fitness("wse").layer_costs({model, nullptr, models::MergeRecipe(), {}, silent}),
      search::GroupingRules{});
  search::QcqaState state;
  const auto fronts = search::qcqa_stage_one(problem, search::GroupSizes::kArbitrary, {},
                                             *tests::QuietContext(1), state);
  for (std::size_t u = 0; u < problem.units().size(); ++u) {
    std::vector<double> exact(9, 1e300);
    search::for_each_partition(8, [&](const search::Partition& partition) {
      double& best = exact[static_cast<std::size_t>(partition.groups())];
      best = std::min(best, problem.units()[u].costs->partition_cost(partition));
    });
    REQUIRE(fronts[u].size() == 8);
    for (const search::FrontMember& member : fronts[u]) {
      CHECK(member.cost == near(exact[static_cast<std::size_t>(member.partition.groups())], 1e-9));
    }
  }
}
