#include "models/passes/moment_pass.hpp"

#include <array>

#include "models/passes/window_pass.hpp"
#include "models/tensors/eigen_tensors.hpp"

namespace regroup::models {
namespace {

/// Σ_h Z_hᵀ Z_h, Z_h = A_h X the averaged inputs of one window by query head: attention A [H,
/// length, length], input X [length, D]. Through Σ_h A_hᵀ A_h where that is smaller than the Z_h.
at::Tensor averaged_products(const at::Tensor& attention, const at::Tensor& input) {
  if (input.size(0) <= input.size(1)) {
    const at::Tensor flat = attention.flatten(0, 1);
    return at::mm(at::mm(at::mm(flat.t(), flat), input).t(), input);
  }
  const at::Tensor means = at::matmul(attention, input).flatten(0, 1);
  return at::mm(means.t(), means);
}

/// A sum of outer products of rows and the sum of the rows, in double on the CPU.
struct RowSums {
  at::Tensor products;  // Σ x xᵀ
  at::Tensor rows;      // Σ x
  double count = 0;

  void add(const at::Tensor& x) {
    accumulate(products, at::mm(x.t(), x).cpu());
    accumulate(rows, x.sum(0).cpu());
    count += static_cast<double>(x.size(0));
  }
  void add(const RowSums& other) {
    if (!other.products.defined()) return;
    accumulate(products, other.products);
    accumulate(rows, other.rows);
    count += other.count;
  }
};

/// Running sums over tokens, in double on the CPU.
struct MomentSums {
  RowSums input;    // of keys and values
  RowSums queries;  // in cross-attention, which reads other tokens
  double query_count = 0;
  at::Tensor attended;       // Σ_i (Σ_hq a_hqi / H) x_i x_iᵀ
  at::Tensor averaged;       // Σ_h z z ᵀ / H
  at::Tensor averaged_mean;  // Σ z, a row per query head

  void add(const MomentSums& other) {
    if (!other.attended.defined()) return;
    input.add(other.input);
    queries.add(other.queries);
    query_count += other.query_count;
    accumulate(attended, other.attended);
    accumulate(averaged, other.averaged);
    accumulate(averaged_mean, other.averaged_mean);
  }

  /// Adds one window: inputs [1, length, D], attention [H, length, key length].
  void add(const AttentionInput& x, const at::Tensor& attention, bool is_cross) {
    const at::Tensor rows = x.keys[0].to(at::kDouble);
    input.add(rows);
    if (is_cross) queries.add(x.queries[0].to(at::kDouble));
    query_count += static_cast<double>(attention.size(1));
    const auto heads = static_cast<double>(attention.size(0));
    const at::Tensor seen = attention.to(at::kDouble).sum(at::IntArrayRef{0, 1}) / heads;
    accumulate(attended, at::mm((rows * seen.unsqueeze(1)).t(), rows).cpu());
    const at::Tensor wide = attention.to(at::kDouble);
    accumulate(averaged, (averaged_products(wide, rows) / heads).cpu());
    accumulate(averaged_mean, at::mm(wide.sum(1), rows).cpu());
  }
};

}  // namespace

LayerMoments layer_moments(const Transformer& model, std::size_t layer,
                           const std::vector<Stream>& streams, std::stop_token stop) {
  const Attention& attention = model.attention(layer);
  const bool is_cross = attention.kind() == AttentionKind::kCross;
  std::array<MomentSums, kWindowShares> shares;
  for_each_share(streams.size(), model.options().device, stop,
                 [&](std::size_t share, std::size_t window) {
                   const AttentionInput input = model.attention_input(layer, streams[window]);
                   shares[share].add(input, attention.trace(input).attention[0], is_cross);
                 });
  for (std::size_t share = 1; share < kWindowShares; ++share) shares[0].add(shares[share]);
  const MomentSums& sums = shares[0];
  LayerMoments moments;
  moments.input = to_symmetric_matrix(sums.input.products / sums.input.count);
  moments.input_mean = to_vector(sums.input.rows / sums.input.count);
  moments.attended = to_symmetric_matrix(sums.attended / sums.query_count);
  moments.averaged = to_symmetric_matrix(sums.averaged / sums.query_count);
  moments.averaged_mean = to_matrix(sums.averaged_mean / sums.query_count);
  if (!is_cross) return moments;
  moments.query_input = to_symmetric_matrix(sums.queries.products / sums.queries.count);
  moments.query_input_mean = to_vector(sums.queries.rows / sums.queries.count);
  return moments;
}

}  // namespace regroup::models
