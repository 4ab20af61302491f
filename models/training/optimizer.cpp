#include "models/training/optimizer.hpp"

#include <torch/optim/adamw.h>

#include <cmath>
#include <utility>

namespace regroup::models {
namespace {

torch::optim::OptimizerParamGroup group_of(std::vector<at::Tensor> tensors, double decay) {
  auto options = std::make_unique<torch::optim::AdamWOptions>();
  options->betas({0.9, 0.95}).eps(1e-8).weight_decay(decay);
  return {std::move(tensors), std::move(options)};
}

}  // namespace

Optimizer::Optimizer(const std::vector<TrainedTensor>& tensors, double decay) {
  std::vector<at::Tensor> decaying;
  std::vector<at::Tensor> others;
  for (const TrainedTensor& tensor : tensors) {
    (tensor.decays ? decaying : others).push_back(tensor.tensor);
    tensors_.push_back(tensor.tensor);
  }
  std::vector<torch::optim::OptimizerParamGroup> groups;
  if (!decaying.empty()) groups.push_back(group_of(std::move(decaying), decay));
  if (!others.empty()) groups.push_back(group_of(std::move(others), 0));
  adam_ = std::make_unique<torch::optim::AdamW>(std::move(groups));
}

Optimizer::~Optimizer() = default;

void Optimizer::step(const std::vector<at::Tensor>& gradients, double rate) {
  for (auto& group : adam_->param_groups()) group.options().set_lr(rate);
  for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_[i].mutable_grad() = gradients[i];
  adam_->step();
  for (at::Tensor& tensor : tensors_) tensor.mutable_grad() = at::Tensor();
}

std::vector<Optimizer::Moments> Optimizer::moments() const {
  std::vector<Moments> result(tensors_.size());
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const auto found = adam_->state().find(tensors_[i].unsafeGetTensorImpl());
    if (found == adam_->state().end()) continue;
    const auto& state = static_cast<const torch::optim::AdamWParamState&>(*found->second);
    result[i] = {state.exp_avg(), state.exp_avg_sq()};
  }
  return result;
}

void Optimizer::restore(const std::vector<Moments>& moments, std::int64_t steps) {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (!moments[i].first.defined()) continue;
    auto state = std::make_unique<torch::optim::AdamWParamState>();
    state->step(steps).exp_avg(moments[i].first.clone()).exp_avg_sq(moments[i].second.clone());
    adam_->state()[tensors_[i].unsafeGetTensorImpl()] = std::move(state);
  }
}

double gradient_norm(const std::vector<at::Tensor>& gradients) {
  double squares = 0;
  for (const at::Tensor& gradient : gradients) {
    if (gradient.defined()) squares += gradient.to(at::kDouble).square().sum().item<double>();
  }
  return std::sqrt(squares);
}

void clip_gradients(std::vector<at::Tensor>& gradients, double norm, double most) {
  const double factor = most / (norm + 1e-6);
  if (most == 0 || !(factor < 1)) return;
  for (at::Tensor& gradient : gradients) {
    if (gradient.defined()) gradient = gradient * factor;
  }
}

}  // namespace regroup::models
