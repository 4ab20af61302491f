#include "tests/models/training/training_goldens.hpp"

#include <torch/csrc/autograd/autograd.h>

#include <cstdlib>
#include <vector>

#include "models/checkpoint/safetensors.hpp"
#include "models/tensors/tensors.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/shared_data.hpp"

namespace regroup::tests {
namespace {

constexpr const char* kFolder = "goldens/training";

double distance(const at::Tensor& a, const at::Tensor& b) {
  REQUIRE(a.sizes() == b.sizes());
  return (a - b).abs().max().item<double>();
}

}  // namespace

std::filesystem::path training_goldens() {
  const char* named = std::getenv("REGROUP_TRAINING_GOLDENS");
  return named != nullptr ? std::filesystem::path(named) : shared_data(kFolder);
}

bool training_goldens_or_skip() {
  if (std::filesystem::exists(training_goldens())) return true;
  return shared_data_or_skip(kFolder);
}

TrainingGolden::TrainingGolden(const std::string& file) {
  const models::SafetensorsFile source(training_goldens() / file);
  for (const models::TensorView& view : source.tensors()) {
    tensors_[view.name] = models::to_tensor(view);
  }
}

at::Tensor TrainingGolden::leaf(const std::string& name) {
  const at::Tensor leaf = tensors_.at(name).clone().requires_grad_(true);
  leaves_[name] = leaf;
  return leaf;
}

void TrainingGolden::check(const at::Tensor& out) const {
  CHECK(distance(out.detach(), tensors_.at("out")) < 1e-10);
  std::vector<at::Tensor> causes;
  for (const auto& [name, leaf] : leaves_) causes.push_back(leaf);
  const auto gradients = torch::autograd::grad({(out * tensors_.at("cotangent")).sum()}, causes);
  std::size_t i = 0;
  for (const auto& [name, leaf] : leaves_) {
    CAPTURE(name);
    CHECK(distance(gradients[i++], tensors_.at("grad." + name)) < 1e-9);
  }
}

}  // namespace regroup::tests
