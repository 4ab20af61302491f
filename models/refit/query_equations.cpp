#include "models/refit/query_equations.hpp"

#include <algorithm>
#include <array>

#include "models/passes/window_pass.hpp"
#include "models/tensors/eigen_tensors.hpp"

namespace regroup::models {
namespace {

constexpr double kQueryRidge = 1e-3;
/// Rows of an attention map that are looked at together: small enough to leave half of a causal map
/// out, large enough for products of matrices.
constexpr std::int64_t kBlockRows = 64;
/// Queries of all windows whose keys' covariances the preconditioner averages.
constexpr std::int64_t kSampledQueries = 512;
/// Stands in for a divisor that is 0: a head without queries or keys has nothing left to divide.
constexpr double kLeastDivisor = 1e-300;

/// Σ over queries of q vᵀ, [H, d, W], double on the CPU.
at::Tensor outer_products(const at::Tensor& queries, const at::Tensor& vectors) {
  return at::matmul(queries.transpose(2, 3).to(at::kDouble), vectors.to(at::kDouble))[0].cpu();
}

/// Σ over queries of |q|² times the trace of Cov(k), [H].
at::Tensor diagonal_sums(const QueryRefitWindow& window) {
  const at::Tensor variances =
      at::matmul(window.attention, window.keys.square().sum(-1, /*keepdim=*/true)).squeeze(-1) -
      window.attended_keys.square().sum(-1);
  const at::Tensor norms = window.queries.square().sum(-1);
  return (norms * variances).to(at::kDouble).sum(2)[0].cpu();
}

/// Rᵀ Cov(k) R of one query of a window, [H, W, W].
at::Tensor key_covariance(const QueryRefitWindow& window, std::int64_t row) {
  const at::Tensor attention = window.attention.select(2, row)[0].unsqueeze(2);  // [H, length, 1]
  const at::Tensor centred = window.keys[0] - window.attended_keys[0].slice(1, row, row + 1);
  // Every key at the query's position: [length, H, 1, W].
  const at::Tensor at_query = (centred * attention.sqrt()).transpose(0, 1).unsqueeze(2);
  const Rotary rotary = window.rotary.at_positions(row, 1, row + 1);
  const at::Tensor turned = rotary.undo(at_query).squeeze(2).transpose(0, 1);  // [H, length, W]
  return at::matmul(turned.transpose(1, 2), turned);
}

}  // namespace

QueryEquations::QueryEquations(const std::vector<QueryRefitWindow>& windows, const Device& device,
                               std::stop_token stop)
    : windows_(windows), blocks_(windows.size()), device_(device), stop_(std::move(stop)) {
  for_each_window(windows.size(), device_, stop_, [&](std::size_t window) {
    blocks_[window] = attended_blocks(windows_[window].attention, kBlockRows);
  });
  prepare();
}

at::Tensor QueryEquations::right_hand_side() const {
  return sum_over_windows([&](std::size_t window) {
    return pulled(
        window, [&](const AttendedBlock& block) { return block.of_map(windows_[window].missing); });
  });
}

at::Tensor QueryEquations::apply(const at::Tensor& matrix) const {
  const at::Tensor sum = sum_over_windows([&](std::size_t index) {
    const QueryRefitWindow& window = windows_[index];
    const at::Tensor mapped = at::matmul(window.queries, matrix.to(window.queries.options()));
    const at::Tensor turned = window.rotary.apply(mapped, 0);
    return pulled(index, [&](const AttendedBlock& block) {
      at::Tensor scores =
          at::matmul(block.of_rows(turned), block.of_keys(window.keys).transpose(2, 3));
      return scores.mul_(block.of_map(window.attention));
    });
  });
  return sum + ridge_ * matrix;
}

at::Tensor QueryEquations::precondition(const at::Tensor& matrix) const {
  const at::Tensor turned = at::matmul(at::matmul(query_axes_.transpose(1, 2), matrix), key_axes_);
  const at::Tensor scaled =
      turned / (query_energies_ * key_energies_ + ridge_).clamp_min(kLeastDivisor);
  return at::matmul(at::matmul(query_axes_, scaled), key_axes_.transpose(1, 2));
}

at::Tensor QueryEquations::sum_over_windows(const Task& task) const {
  std::array<at::Tensor, kWindowShares> shares;
  for_each_share(windows_.size(), device_, stop_, [&](std::size_t share, std::size_t window) {
    accumulate(shares[share], task(window));
  });
  for (std::size_t share = 1; share < kWindowShares; ++share) {
    if (shares[share].defined()) accumulate(shares[0], shares[share]);
  }
  return shares[0];
}

at::Tensor QueryEquations::pulled(
    std::size_t index,
    const std::function<at::Tensor(const AttendedBlock&)>& attended_scores) const {
  const QueryRefitWindow& window = windows_[index];
  std::vector<at::Tensor> rows;
  for (const AttendedBlock& block : blocks_[index]) {
    const at::Tensor scores = attended_scores(block);
    const at::Tensor mean = scores.sum(-1, /*keepdim=*/true);
    rows.push_back(at::matmul(scores, block.of_keys(window.keys)) -
                   mean * block.of_rows(window.attended_keys));
  }
  return outer_products(window.queries, window.rotary.undo(at::cat(rows, 2)));
}

void QueryEquations::prepare() {
  const at::Tensor queries = sum_over_windows([&](std::size_t window) {
    return outer_products(windows_[window].queries, windows_[window].queries);
  });
  // Of every query |q|² and the trace of H multiply; their means stand for the mean product.
  const at::Tensor diagonal =
      sum_over_windows([&](std::size_t window) { return diagonal_sums(windows_[window]); });
  const at::Tensor keys =
      sum_over_windows([&](std::size_t window) { return key_covariances(window); });
  const auto rows = static_cast<double>(queries.size(1) * keys.size(1));
  ridge_ = (kQueryRidge / rows * diagonal).view({-1, 1, 1});
  const auto [query_energies, query_axes] = at::linalg_eigh(queries);
  query_axes_ = query_axes;
  query_energies_ = query_energies.clamp_min(0).unsqueeze(2);
  double count = 0;
  for (const QueryRefitWindow& window : windows_) {
    count += static_cast<double>(window.queries.size(2));
  }
  const auto [key_energies, key_axes] = at::linalg_eigh(keys / count);
  key_axes_ = key_axes;
  key_energies_ = key_energies.clamp_min(0).unsqueeze(1);
}

at::Tensor QueryEquations::key_covariances(std::size_t index) const {
  const QueryRefitWindow& window = windows_[index];
  const std::int64_t rows = window.queries.size(2);
  const auto count = static_cast<std::int64_t>(windows_.size());
  const std::int64_t sampled = std::min(rows, (kSampledQueries + count - 1) / count);
  at::Tensor sum;
  for (std::int64_t k = 0; k < sampled; ++k) {
    accumulate(sum, key_covariance(window, k * rows / sampled).to(at::kDouble).cpu());
  }
  // As if all queries were sampled, so that windows count by their length.
  return sum * (static_cast<double>(rows) / static_cast<double>(sampled));
}

}  // namespace regroup::models
