// Families whose layers with a sliding window turn otherwise than the others: Gemma 3.

#include <cmath>

#include "models/attention/rotary.hpp"
#include "models/language_model/language_model.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/distance.hpp"
#include "tests/support/near.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;

namespace {

constexpr double kTheta = 1000;
constexpr double kLocalTheta = 100;
constexpr double kFactor = 8;

/// The dialect of the first checkpoints: a base for each kind of layer, scaling for the full ones.
json older_dialect(double factor = kFactor) {
  json config = tiny_config("Gemma3ForCausalLM");
  config["rope_theta"] = kTheta;
  config["rope_local_base_freq"] = kLocalTheta;
  config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", factor}};
  return config;
}

LanguageModel opened(const json& config, const TemporaryDirectory& scratch) {
  write_checkpoint(scratch.path(), config, random_values(config, 4));
  return {std::make_shared<const PretrainedModel>(open_model(scratch.path())), ComputeOptions{}};
}

/// Radians from one position to the next of pair c: θ^(−2c/d) / factor.
void check_frequencies(const RotaryConfig& rotary, double theta, double factor) {
  const at::Tensor found = rotary_frequencies(rotary);
  REQUIRE(found.numel() == 4);
  for (int c = 0; c < 4; ++c) {
    CHECK(found[c].item<double>() == near(std::pow(theta, -2.0 * c / 8) / factor, 1e-6));
  }
}

}  // namespace

TEST_CASE("layers with a window turn by the local base, the others by the scaled one") {
  const TemporaryDirectory scratch;
  const LanguageModel model = opened(older_dialect(), scratch);
  const ModelConfig& config = model.config();
  REQUIRE(config.rotary_by_layer.size() == 2);
  REQUIRE(config.sliding_window(0) == 5);
  REQUIRE(config.sliding_window(1) == 0);
  check_frequencies(config.rotary_by_layer[0], kLocalTheta, 1);
  check_frequencies(config.rotary_by_layer[1], kTheta, kFactor);
}

TEST_CASE("both dialects of rotary settings by kind of layer give the same logits") {
  const std::vector<std::int32_t> ids = {1, 5, 7, 3, 9, 2, 11, 4, 6, 13};
  const auto logits = [&](const json& config) {
    const TemporaryDirectory scratch;
    return opened(config, scratch).logits(ids);
  };
  json newer = tiny_config("Gemma3ForCausalLM");
  newer["rope_parameters"] = {
      {"full_attention", {{"rope_type", "linear"}, {"factor", kFactor}, {"rope_theta", kTheta}}},
      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", kLocalTheta}}}};
  const std::vector<float> older = logits(older_dialect());
  CHECK(older == logits(newer));
  CHECK(distance(older, logits(older_dialect(1))) > 1e-4);
  json other_base = older_dialect();
  other_base["rope_local_base_freq"] = 2 * kLocalTheta;
  CHECK(distance(older, logits(other_base)) > 1e-4);
}
