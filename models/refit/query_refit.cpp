#include "models/refit/query_refit.hpp"

#include "models/refit/query_equations.hpp"

namespace regroup::models {
namespace {

constexpr int kMostSteps = 40;
/// Stands in for a step's divisor that is 0: a head that is solved has nothing left to divide.
constexpr double kLeastCurvature = 1e-300;

/// Inner product within each head, [H, 1, 1].
at::Tensor head_dot(const at::Tensor& a, const at::Tensor& b) {
  return (a * b).sum(at::IntArrayRef{1, 2}, /*keepdim=*/true);
}

}  // namespace

at::Tensor refit_queries(const std::vector<QueryRefitWindow>& windows, const Device& device,
                         std::stop_token stop, double tolerance) {
  const QueryEquations equations(windows, device, std::move(stop));
  at::Tensor residual = equations.right_hand_side();
  const at::Tensor target = tolerance * tolerance * head_dot(residual, residual);
  at::Tensor change = at::zeros_like(residual);
  at::Tensor preconditioned = equations.precondition(residual);
  at::Tensor direction = preconditioned;
  at::Tensor energy = head_dot(residual, preconditioned);
  for (int step = 0; step < kMostSteps; ++step) {
    if ((head_dot(residual, residual) <= target).all().item<bool>()) break;
    const at::Tensor image = equations.apply(direction);
    const at::Tensor length = energy / head_dot(direction, image).clamp_min(kLeastCurvature);
    change = change + length * direction;
    residual = residual - length * image;
    preconditioned = equations.precondition(residual);
    const at::Tensor next = head_dot(residual, preconditioned);
    direction = preconditioned + next / energy.clamp_min(kLeastCurvature) * direction;
    energy = next;
  }
  return change;
}

}  // namespace regroup::models
