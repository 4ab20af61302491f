#include "models/refit/query_refit.hpp"

#include <array>

#include "models/passes/window_pass.hpp"
#include "models/tensors/eigen_tensors.hpp"

namespace regroup::models {
namespace {

constexpr double kQueryRidge = 1e-3;
constexpr int kMostSteps = 40;
/// The residual that counts as solved, relative to the right-hand side, in every head. A tenth of
/// it took 20 steps in place of 12 and changed a measured loss by 0.0002 nats, where the refit
/// gains 0.0072 (docs/results.md).
constexpr double kTolerance = 1e-2;
/// Stands in for a divisor that is 0: a head without queries or keys, or one that is solved, has
/// nothing left to divide.
constexpr double kLeastDivisor = 1e-300;

/// Rᵀ Σ_i a_i (s_i − s̄) k_i for every query, s̄ the attention's mean, from a_i s_i:
/// [1, H, R, W].
at::Tensor pull(const QueryRefitWindow& window, const at::Tensor& attended_scores) {
  const at::Tensor mean = attended_scores.sum(-1, /*keepdim=*/true);
  return window.rotary.undo(at::matmul(attended_scores, window.keys) - mean * window.attended_keys);
}

/// Σ over queries of q vᵀ, [H, d, W], double on the CPU.
at::Tensor outer_products(const at::Tensor& queries, const at::Tensor& vectors) {
  return at::matmul(queries.transpose(2, 3).to(at::kDouble), vectors.to(at::kDouble))[0].cpu();
}

/// Inner product within each head, [H, 1, 1].
at::Tensor head_dot(const at::Tensor& a, const at::Tensor& b) {
  return (a * b).sum(at::IntArrayRef{1, 2}, /*keepdim=*/true);
}

/// The normal equations Σ q qᵀ ΔM H + ρ ΔM of all heads, as an operator.
class NormalEquations {
 public:
  NormalEquations(const std::vector<QueryRefitWindow>& windows, const Device& device,
                  std::stop_token stop)
      : windows_(windows), device_(device), stop_(std::move(stop)) {
    prepare();
  }

  /// Σ q bᵀ, b of what is missing.
  at::Tensor right_hand_side() const {
    return sum_over_windows([&](const QueryRefitWindow& window) {
      return outer_products(window.queries, pull(window, window.missing));
    });
  }

  /// Σ q qᵀ ΔM H + ρ ΔM.
  at::Tensor apply(const at::Tensor& matrix) const {
    const at::Tensor sum = sum_over_windows([&](const QueryRefitWindow& window) {
      const at::Tensor turned = at::matmul(window.queries, matrix.to(window.queries.options()));
      at::Tensor scores = at::matmul(window.rotary.apply(turned, 0), window.keys.transpose(2, 3));
      return outer_products(window.queries, pull(window, scores.mul_(window.attention)));
    });
    return sum + ridge_ * matrix;
  }

  /// Approximately the inverse: as if queries and keys were independent, and keys without
  /// covariances.
  at::Tensor precondition(const at::Tensor& matrix) const {
    const at::Tensor turned = at::matmul(query_axes_.transpose(1, 2), matrix);
    const at::Tensor scaled =
        turned / (query_energies_ * key_energies_ + ridge_).clamp_min(kLeastDivisor);
    return at::matmul(query_axes_, scaled);
  }

 private:
  template <class Task>
  at::Tensor sum_over_windows(const Task& task) const {
    std::array<at::Tensor, kWindowShares> shares;
    for_each_share(windows_.size(), device_, stop_, [&](std::size_t share, std::size_t window) {
      accumulate(shares[share], task(windows_[window]));
    });
    for (std::size_t share = 1; share < kWindowShares; ++share) {
      if (shares[share].defined()) accumulate(shares[0], shares[share]);
    }
    return shares[0];
  }

  /// Second moments of the queries and variances of the keys, for ridge and preconditioner.
  void prepare() {
    const at::Tensor queries = sum_over_windows([](const QueryRefitWindow& window) {
      return outer_products(window.queries, window.queries);
    });
    const at::Tensor keys =
        sum_over_windows([this](const QueryRefitWindow& window) { return key_variances(window); });
    // Of every query |q|² and the trace of H multiply; their means stand for the mean product.
    const at::Tensor diagonal = sum_over_windows([](const QueryRefitWindow& window) {
      const at::Tensor norms = window.queries.square().sum(-1);
      return (norms * key_variances_by_query(window).sum(-1)).to(at::kDouble).sum(2)[0].cpu();
    });
    const auto rows = static_cast<double>(queries.size(1) * keys.size(1));
    std::int64_t count = 0;
    for (const QueryRefitWindow& window : windows_) count += window.queries.size(2);
    ridge_ = (kQueryRidge / rows * diagonal).view({-1, 1, 1});
    const auto [energies, axes] = at::linalg_eigh(queries);
    query_axes_ = axes;
    query_energies_ = energies.clamp_min(0).unsqueeze(2);
    key_energies_ = (keys / static_cast<double>(count)).unsqueeze(1);
  }

  /// Σ_i a_i k_i² − (Σ_i a_i k_i)² of every query and row: [1, H, R, W].
  static at::Tensor key_variances_by_query(const QueryRefitWindow& window) {
    return at::matmul(window.attention, window.keys.square()) - window.attended_keys.square();
  }

  /// Summed over queries, the two rows of a half-split plane alike: [H, W].
  at::Tensor key_variances(const QueryRefitWindow& window) const {
    const at::Tensor sums = key_variances_by_query(window).to(at::kDouble).sum(2)[0].cpu();
    const std::int64_t turned = windows_.front().rotary.dimensions();
    const at::Tensor planes =
        (sums.slice(1, 0, turned / 2) + sums.slice(1, turned / 2, turned)) / 2;
    return at::cat({planes, planes, sums.slice(1, turned)}, 1);
  }

  const std::vector<QueryRefitWindow>& windows_;
  Device device_;
  std::stop_token stop_;
  at::Tensor ridge_;           // [H, 1, 1]
  at::Tensor query_axes_;      // eigenvectors of Σ q qᵀ, [H, d, d]
  at::Tensor query_energies_;  // its eigenvalues, [H, d, 1]
  at::Tensor key_energies_;    // mean variance of each row of the keys, [H, 1, W]
};

}  // namespace

at::Tensor refit_queries(const std::vector<QueryRefitWindow>& windows, const Device& device,
                         std::stop_token stop) {
  const NormalEquations equations(windows, device, std::move(stop));
  at::Tensor residual = equations.right_hand_side();
  const at::Tensor target = kTolerance * kTolerance * head_dot(residual, residual);
  at::Tensor change = at::zeros_like(residual);
  at::Tensor preconditioned = equations.precondition(residual);
  at::Tensor direction = preconditioned;
  at::Tensor energy = head_dot(residual, preconditioned);
  for (int step = 0; step < kMostSteps; ++step) {
    if ((head_dot(residual, residual) <= target).all().item<bool>()) break;
    const at::Tensor image = equations.apply(direction);
    const at::Tensor length = energy / head_dot(direction, image).clamp_min(kLeastDivisor);
    change = change + length * direction;
    residual = residual - length * image;
    preconditioned = equations.precondition(residual);
    const at::Tensor next = head_dot(residual, preconditioned);
    direction = preconditioned + next / energy.clamp_min(kLeastDivisor) * direction;
    energy = next;
  }
  return change;
}

}  // namespace regroup::models
