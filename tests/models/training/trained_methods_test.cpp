// The trained methods against reference values in float64, outputs and gradients.

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "models/attention/key_mixture.hpp"
#include "models/attention/perturbed_attention.hpp"
#include "models/files/json_file.hpp"
#include "models/training/learned_mean.hpp"
#include "search/key_norm/deal.hpp"
#include "tests/models/training/training_goldens.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

double largest(const at::Tensor& difference) {
  return difference.abs().max().item<double>();
}

std::vector<std::string> golden_files(const std::string& prefix) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(training_goldens())) {
    const std::string name = entry.path().filename();
    if (name.starts_with(prefix) && name.ends_with(".safetensors")) files.push_back(name);
  }
  std::ranges::sort(files);
  return files;
}

at::Tensor seen_keys(const std::string& file, std::int64_t length) {
  const at::Tensor all = at::ones({length, length}, at::kBool);
  return file.find("causal") != std::string::npos ? all.tril() : all;
}

MixtureStep step_of(const std::string& file) {
  if (file.find("-hard-") != std::string::npos) return MixtureStep::kHard;
  return file.find("-soft-e-") != std::string::npos ? MixtureStep::kSoft : MixtureStep::kGradient;
}

}  // namespace

TEST_CASE("training_goldens: mixtures of Gaussian keys, shifted or not, of every step") {
  REGROUP_NEEDS_TRAINING_GOLDENS;
  const at::AutoGradMode with_gradients(true);
  const auto files = golden_files("mgk-");
  REQUIRE(files.size() >= 18);
  for (const std::string& file : files) {
    CAPTURE(file);
    TrainingGolden golden(file);
    const at::Tensor queries = golden.leaf("q");
    const at::Tensor keys = golden.leaf("k");
    const at::Tensor values = golden.leaf("v");
    const bool is_shifted = golden.has("b");
    const at::Tensor other = is_shifted ? keys + golden.leaf("b").unsqueeze(1) : golden.leaf("k2");
    const MixtureStep step = step_of(file);
    const at::Tensor prior = step == MixtureStep::kGradient ? golden.leaf("pi") : golden["pi"];
    const at::Tensor widths = golden["inv_var"];
    const KeyMixture mixture{
        {keys, other}, prior, {widths[0].item<double>(), widths[1].item<double>()}, step};
    const at::Tensor seen = seen_keys(file, queries.size(2));
    const at::Tensor attention =
        mixture_logits(queries, mixture)
            .masked_fill(seen.logical_not(), -std::numeric_limits<double>::infinity())
            .softmax(-1);
    CHECK(largest(attention.detach() - golden["attention"]) < 1e-10);
    golden.check(at::matmul(attention, values));
    if (step != MixtureStep::kSoft) continue;
    KeyMixture fixed = mixture;
    for (at::Tensor& key : fixed.keys) key = key.detach();
    const at::Tensor counts = (seen.sum(0) * queries.size(0)).to(at::kDouble);
    const at::Tensor next = soft_prior(responsibilities(queries.detach(), fixed, seen), counts,
                                       golden["pi_next"].dim() == 2);
    CHECK(largest(next[0] - golden["pi_next"]) < 1e-10);
  }
}

TEST_CASE("training_goldens: linear mixtures of keys") {
  REGROUP_NEEDS_TRAINING_GOLDENS;
  const at::AutoGradMode with_gradients(true);
  const auto files = golden_files("mlk-");
  REQUIRE(files.size() >= 2);
  for (const std::string& file : files) {
    CAPTURE(file);
    TrainingGolden golden(file);
    const at::Tensor queries = golden.leaf("q");
    const at::Tensor keys = golden.leaf("k");
    const at::Tensor other = golden.leaf("k2");
    const KeyMixture mixture{{keys, other}, golden.leaf("pi"), {}, MixtureStep::kGradient};
    const at::Tensor shares =
        linear_shares(linear_scores(queries, mixture), seen_keys(file, queries.size(2)));
    golden.check(at::matmul(shares, golden.leaf("v")));
  }
}

TEST_CASE("training_goldens: learned means, folded, and what they give") {
  REGROUP_NEEDS_TRAINING_GOLDENS;
  const at::AutoGradMode with_gradients(true);
  for (const auto& [name, form] :
       {std::pair("scalar", LearnedMean::kScalar), std::pair("row", LearnedMean::kRow),
        std::pair("column", LearnedMean::kColumn)}) {
    CAPTURE(name);
    TrainingGolden golden(fmt::format("wgqa-{}.safetensors", name));
    const at::Tensor heads = golden.leaf("W");
    const auto groups = static_cast<int>(golden["folded"].size(0));
    const auto partition = search::Partition::neighbours(static_cast<int>(heads.size(0)), groups);
    const at::Tensor folded = learned_mean(heads.flatten(0, 1), golden.leaf("w"), form, partition)
                                  .view(golden["folded"].sizes());
    CHECK(largest(folded.detach() - golden["folded"]) < 1e-12);
    golden.check(at::einsum("btD,gdD->bgtd", {golden["x"], folded}));
  }
}

TEST_CASE("training_goldens: noise taken from what a group attends to") {
  REGROUP_NEEDS_TRAINING_GOLDENS;
  const at::AutoGradMode with_gradients(true);
  TrainingGolden golden("pgqa-output.safetensors");
  golden.check(less_output_noise(golden.leaf("attended"), golden["uniform"]));
}

TEST_CASE("training_goldens: deals by key norms") {
  REGROUP_NEEDS_TRAINING_GOLDENS;
  const nlohmann::json cases = read_json_file(training_goldens() / "allocations.json").at("cases");
  REQUIRE(cases.size() >= 30);
  int exact = 0;
  for (const nlohmann::json& one : cases) {
    const auto norms = one.at("norms").get<std::vector<double>>();
    const auto cache = one.at("cache").get<std::vector<double>>();
    const int queries = one.at("query_heads");
    CHECK(search::deal_kdgqa(norms, queries) == one.at("kdgqa").get<std::vector<int>>());
    for (const auto& [key, kind] : {std::pair("dgqa_diff_rounded", search::DgqaKind::kDiff),
                                    std::pair("dgqa_ema_rounded", search::DgqaKind::kEma)}) {
      const auto rounded = one.at(key).get<std::vector<int>>();
      int sum = 0;
      for (const int count : rounded) sum += count;
      const auto deal = search::deal_dgqa(norms, cache, queries, kind, search::RandomKey(3));
      int dealt = 0;
      int moved = 0;
      for (std::size_t g = 0; g < deal.size(); ++g) {
        dealt += deal[g];
        moved += std::abs(deal[g] - rounded[g]);
      }
      CHECK(dealt == queries);
      // One at a time until they fit: no more moves than are missing.
      CHECK(moved == std::abs(queries - sum));
      exact += sum == queries ? 1 : 0;
    }
  }
  CHECK(exact > 20);
}

TEST_CASE("scores of any size give finite attention and gradients") {
  const at::AutoGradMode with_gradients(true);
  at::Tensor queries = at::arange(24, at::kFloat).sin().view({1, 2, 3, 4}).mul(200);
  queries.requires_grad_(true);
  at::Tensor keys = at::arange(24, at::kFloat).cos().view({1, 2, 3, 4}).mul(-200);
  keys.requires_grad_(true);
  at::Tensor prior = at::tensor({0.5F, 1.0F, 0.0F, 0.3F}).view({2, 2});
  prior.requires_grad_(true);
  const KeyMixture mixture{{keys, keys * 0.5}, prior, {0.5, 1.5}, MixtureStep::kGradient};
  const at::Tensor logits = mixture_logits(queries, mixture);
  CHECK(logits.abs().max().item<double>() > 1e4);
  logits.softmax(-1).square().sum().backward();
  for (const at::Tensor& cause : {queries, keys, prior}) {
    CHECK(at::isfinite(cause.grad()).all().item<bool>());
  }
}

TEST_CASE("components that are the same are one, and one is the Gaussian softmax") {
  const at::Tensor queries = at::arange(24, at::kDouble).sin().view({1, 2, 3, 4});
  const at::Tensor keys = at::arange(24, at::kDouble).cos().view({1, 2, 3, 4});
  const KeyMixture one{{keys}, at::ones({1, 2}, at::kDouble), {0.5}, MixtureStep::kGradient};
  const KeyMixture two{
      {keys, keys}, at::full({2, 2}, 0.5, at::kDouble), {0.5, 0.5}, MixtureStep::kGradient};
  const at::Tensor distances = (queries.unsqueeze(3) - keys.unsqueeze(2)).square().sum(-1);
  const at::Tensor plain = (-0.25 * distances).softmax(-1);
  CHECK(largest(mixture_logits(queries, one).softmax(-1) - plain) < 1e-12);
  CHECK(largest(mixture_logits(queries, two).softmax(-1) - plain) < 1e-12);
}
