#include "fitness/head_distances.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "search/base/random.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::fitness;
using namespace regroup::tests;

namespace {

using Vectors = std::vector<std::vector<double>>;

/// 1 − cos of heads i and j by plain loops; 1 where a head has no length.
double naive_distance(const Vectors& heads, std::size_t i, std::size_t j) {
  double dot = 0;
  double a = 0;
  double b = 0;
  for (std::size_t k = 0; k < heads[i].size(); ++k) {
    dot += heads[i][k] * heads[j][k];
    a += heads[i][k] * heads[i][k];
    b += heads[j][k] * heads[j][k];
  }
  if (i == j) return 0;
  return a > 0 && b > 0 ? 1 - dot / std::sqrt(a * b) : 1;
}

/// What each head of a projection [H·d, D] makes of the inputs, one after the other.
Vectors outputs(const std::vector<float>& weight, std::size_t heads, const Vectors& inputs) {
  const std::size_t width = inputs[0].size();
  const std::size_t rows = weight.size() / width / heads;
  Vectors result(heads);
  for (std::size_t h = 0; h < heads; ++h) {
    for (const std::vector<double>& x : inputs) {
      for (std::size_t row = h * rows; row < (h + 1) * rows; ++row) {
        double y = 0;
        for (std::size_t k = 0; k < width; ++k) y += weight[row * width + k] * x[k];
        result[h].push_back(y);
      }
    }
  }
  return result;
}

Vectors joined(Vectors keys, const Vectors& values) {
  for (std::size_t h = 0; h < keys.size(); ++h) {
    keys[h].insert(keys[h].end(), values[h].begin(), values[h].end());
  }
  return keys;
}

void check(const Eigen::MatrixXd& distances, const Vectors& heads) {
  REQUIRE(distances.rows() == static_cast<Eigen::Index>(heads.size()));
  for (std::size_t i = 0; i < heads.size(); ++i) {
    for (std::size_t j = 0; j < heads.size(); ++j) {
      CHECK(distances(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) ==
            near(naive_distance(heads, i, j), 1e-9));
    }
  }
}

/// A tiny model one of whose key heads is 0, and 30 random inputs of its layers.
struct Scene {
  Scene() {
    tensors = shape.tensors();
    std::vector<float>& keys = tensors.at("model.layers.1.self_attn.k_proj.weight");
    std::fill(keys.begin(), keys.begin() + shape.head_dim * shape.width, 0.0F);
    shape.write(scratch.path(), tensors);
    search::RandomStream random{search::RandomKey(31)};
    inputs.assign(30, std::vector<double>(static_cast<std::size_t>(shape.width)));
    calibration.layers.resize(2);
    for (models::LayerMoments& layer : calibration.layers) {
      layer.input = Eigen::MatrixXd::Zero(shape.width, shape.width);
    }
    for (std::vector<double>& x : inputs) {
      for (double& value : x) value = 2 * random.unit() - 1;
      const Eigen::Map<const Eigen::VectorXd> v(x.data(), shape.width);
      for (models::LayerMoments& layer : calibration.layers) {
        layer.input += v * v.transpose() / 30;
      }
    }
  }

  Vectors heads(const char* module, const Vectors& of) const {
    return outputs(tensors.at(std::string("model.layers.1.self_attn.") + module + ".weight"), 4,
                   of);
  }

  TinyLlama shape;
  TemporaryDirectory scratch;
  std::map<std::string, std::vector<float>> tensors;
  Vectors inputs;
  models::Calibration calibration{{}, {1, {0, 0}}, {}};
};

Vectors axes(std::size_t width) {
  Vectors result(width, std::vector<double>(width));
  for (std::size_t i = 0; i < width; ++i) result[i][i] = 1;
  return result;
}

}  // namespace

TEST_CASE("head distances are cosines of weights, or of what the heads make of the data") {
  const Scene scene;
  const auto model = models::open_model(scene.scratch.path());
  search::SilentProgress silent;
  const auto by_weight = weight_grams(model, {}, silent);
  const auto by_activation = activation_grams(model, scene.calibration, {}, silent);
  for (const bool activation : {false, true}) {
    const auto& grams = activation ? by_activation : by_weight;
    const Vectors of = activation ? scene.inputs : axes(12);
    const Vectors keys = scene.heads("k_proj", of);
    const Vectors values = scene.heads("v_proj", of);
    const auto apart = head_distances(grams, search::PartitionSharing::kIndependent);
    REQUIRE(apart.size() == 4);
    check(apart[2], keys);
    check(apart[3], values);
    const auto together = head_distances(grams, search::PartitionSharing::kJoint);
    REQUIRE(together.size() == 2);
    check(together[1], joined(keys, values));
  }
}
