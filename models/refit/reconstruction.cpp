#include "models/refit/reconstruction.hpp"

#include <torch/csrc/autograd/autograd.h>
#include <torch/optim/adam.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "models/passes/window_pass.hpp"
#include "models/tensors/eigen_tensors.hpp"

namespace regroup::models {
namespace {

/// A first step's change of a weight, relative to the root mean square of its tensor. With half
/// of it and with double books-llama loses more after as many steps.
constexpr double kStepSize = 2.4e-2;

/// The weights and biases that are there.
std::vector<at::Tensor*> parts_of(AttentionWeights& weights) {
  std::vector<at::Tensor*> parts;
  for (const AttentionPart& part : kAttentionParts) {
    if ((weights.*part.member).defined()) parts.push_back(&(weights.*part.member));
  }
  return parts;
}

/// The tensors of an attention that stand for them, in the same order.
std::vector<at::Tensor> projections_of(const Attention& attention,
                                       const AttentionWeights& weights) {
  const std::vector<NamedTensor> tensors = attention.tensors();
  std::vector<at::Tensor> parts;
  for (const AttentionPart& part : kAttentionParts) {
    if (!(weights.*part.member).defined()) continue;
    const auto found = std::ranges::find(tensors, part.name, &NamedTensor::name);
    if (found != tensors.end()) parts.push_back(found->tensor);
  }
  return parts;
}

/// The same layer in float32, for optimisers.
MergedAttention in_float32(const MergedAttention& layer) {
  MergedAttention result = layer;
  for (at::Tensor* part : parts_of(result.weights)) {
    *part = part->to(at::kFloat, /*non_blocking=*/false, /*copy=*/true).requires_grad_(true);
  }
  return result;
}

/// The layer in the element types of another one.
MergedAttention in_types_of(const MergedAttention& types, const MergedAttention& layer) {
  MergedAttention result = types;
  AttentionWeights weights = layer.weights;
  const std::vector<at::Tensor*> from = parts_of(weights);
  const std::vector<at::Tensor*> to = parts_of(result.weights);
  for (std::size_t i = 0; i < to.size(); ++i) {
    *to[i] = from[i]->detach().to(to[i]->scalar_type());
  }
  return result;
}

/// Adam with a step size of its own for every tensor.
torch::optim::Adam optimizer_of(const std::vector<at::Tensor*>& parts) {
  std::vector<torch::optim::OptimizerParamGroup> groups;
  for (const at::Tensor* part : parts) {
    const double size = kStepSize * part->detach().square().mean().sqrt().item<double>();
    groups.emplace_back(std::vector<at::Tensor>{*part},
                        std::make_unique<torch::optim::AdamOptions>(size));
  }
  return torch::optim::Adam(groups);
}

/// Visits windows in an order that spreads over the text and returns to each equally often.
class WindowOrder {
 public:
  explicit WindowOrder(std::size_t windows) : windows_(windows) {
    stride_ = static_cast<std::size_t>(static_cast<double>(windows) * (std::numbers::phi - 1));
    while (stride_ > 1 && std::gcd(stride_, windows) != 1) --stride_;
    stride_ = std::max<std::size_t>(1, stride_);
  }

  std::size_t next() { return (turn_++ * stride_) % windows_; }

 private:
  std::size_t windows_;
  std::size_t stride_;
  std::size_t turn_ = 0;
};

class Reconstruction {
 public:
  Reconstruction(const Attention& source, const ReconstructionWindows& windows,
                 const ComputeOptions& options, std::stop_token stop)
      : source_(source), windows_(windows), options_(options), stop_(std::move(stop)) {}

  /// Squared distance over all windows.
  double distance(const MergedAttention& layer) const {
    const auto attention = source_.with(layer, options_);
    std::vector<double> distances(windows_.wanted.size());
    for_each_window(distances.size(), options_.device, stop_, [&](std::size_t window) {
      distances[window] = error(*attention, window).to(at::kDouble).item<double>();
    });
    return std::accumulate(distances.begin(), distances.end(), 0.0);
  }

  /// Takes the steps, ever smaller ones; weights in float32.
  void fit(MergedAttention& layer, int steps) const {
    const std::vector<at::Tensor*> parts = parts_of(layer.weights);
    torch::optim::Adam optimizer = optimizer_of(parts);
    std::vector<double> sizes;
    for (auto& group : optimizer.param_groups()) sizes.push_back(group.options().get_lr());
    WindowOrder order(windows_.wanted.size());
    for (int step = 0; step < steps; ++step) {
      const double part_done = static_cast<double>(step) / steps;
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        optimizer.param_groups()[i].options().set_lr(sizes[i] * 0.5 *
                                                     (1 + std::cos(std::numbers::pi * part_done)));
      }
      const std::vector<at::Tensor> gradients = this->gradients(layer, order);
      for (std::size_t i = 0; i < parts.size(); ++i) parts[i]->mutable_grad() = gradients[i];
      optimizer.step();
    }
  }

 private:
  at::Tensor error(const Attention& attention, std::size_t window) const {
    const at::Tensor difference = attention(windows_.input(window)) - windows_.wanted[window];
    return difference.to(at::kFloat).square().sum();
  }

  /// Of the next windows of the order, float32 on the CPU, in the order of the parts.
  std::vector<at::Tensor> gradients(const MergedAttention& layer, WindowOrder& order) const {
    const std::int64_t length = windows_.wanted.front().size(1);
    const auto most =
        static_cast<std::size_t>(std::max<std::int64_t>(1, kReconstructionTokens / length));
    std::vector<std::size_t> chosen(std::min(windows_.wanted.size(), most));
    std::ranges::generate(chosen, [&] { return order.next(); });
    const auto attention = source_.with(layer, options_);
    std::array<std::vector<at::Tensor>, kWindowShares> shares;
    const auto add = [&](std::size_t share, std::size_t i) {
      const auto own = attention->with_own_weights();
      const auto found =
          torch::autograd::grad({error(*own, chosen[i])}, projections_of(*own, layer.weights));
      shares[share].resize(found.size());
      for (std::size_t p = 0; p < found.size(); ++p) {
        accumulate(shares[share][p], found[p].to(at::kCPU, at::kFloat));
      }
    };
    for_each_share(chosen.size(), options_.device, stop_, add, Gradients::kRecorded);
    for (std::size_t share = 1; share < kWindowShares; ++share) {
      for (std::size_t p = 0; p < shares[share].size(); ++p) shares[0][p] += shares[share][p];
    }
    return shares[0];
  }

  const Attention& source_;
  const ReconstructionWindows& windows_;
  const ComputeOptions& options_;
  std::stop_token stop_;
};

}  // namespace

MergedAttention reconstruct(const MergedAttention& start, const Attention& source,
                            const ReconstructionWindows& windows, int steps,
                            const ComputeOptions& options, std::stop_token stop) {
  const Reconstruction reconstruction(source, windows, options, std::move(stop));
  MergedAttention fitted = in_float32(start);
  reconstruction.fit(fitted, steps);
  const MergedAttention result = in_types_of(start, fitted);
  return reconstruction.distance(result) < reconstruction.distance(start) ? result : start;
}

}  // namespace regroup::models
