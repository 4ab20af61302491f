#include "models/passes/moment_pass.hpp"

#include <algorithm>
#include <array>

#include "models/passes/window_pass.hpp"
#include "models/tensors/eigen_tensors.hpp"

namespace regroup::models {
namespace {

/// Rows of a causal map that are multiplied together: few enough to leave most zeros out.
constexpr std::int64_t kBlockRows = 128;

/// Σ_h A_hᵀ A_h of maps [H, length, length]. Rows of causal maps see no later token.
at::Tensor map_products(const at::Tensor& attention, bool is_causal) {
  const std::int64_t length = attention.size(2);
  if (!is_causal || length <= kBlockRows) {
    const at::Tensor flat = attention.flatten(0, 1);
    return at::mm(flat.t(), flat);
  }
  at::Tensor sum = at::zeros({length, length}, attention.options());
  for (std::int64_t first = 0; first < length; first += kBlockRows) {
    const std::int64_t end = std::min(first + kBlockRows, length);
    const at::Tensor rows = attention.slice(1, first, end).slice(2, 0, end).flatten(0, 1);
    sum.slice(0, 0, end).slice(1, 0, end).add_(at::mm(rows.t(), rows));
  }
  return sum;
}

/// Σ_h Z_hᵀ Z_h, Z_h = A_h X the averaged inputs of one window by query head: attention A [H,
/// length, length], input X [length, D]. Through Σ_h A_hᵀ A_h where that is smaller than the Z_h.
at::Tensor averaged_products(const at::Tensor& attention, const at::Tensor& input, bool is_causal) {
  if (input.size(0) <= input.size(1)) {
    return at::mm(at::mm(map_products(attention, is_causal), input).t(), input);
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

  /// Adds one window: inputs [1, length, D], maps [H, length, key length].
  void add(const AttentionInput& x, const at::Tensor& maps, AttentionKind kind) {
    const at::Tensor rows = x.keys[0].to(at::kDouble);
    const at::Tensor attention = maps.to(at::kDouble);
    input.add(rows);
    if (kind == AttentionKind::kCross) queries.add(x.queries[0].to(at::kDouble));
    query_count += static_cast<double>(attention.size(1));
    const auto heads = static_cast<double>(attention.size(0));
    const at::Tensor by_head = attention.sum(1);
    const at::Tensor seen = by_head.sum(0) / heads;
    accumulate(attended, at::mm((rows * seen.unsqueeze(1)).t(), rows).cpu());
    const bool is_causal = kind == AttentionKind::kCausal;
    accumulate(averaged, (averaged_products(attention, rows, is_causal) / heads).cpu());
    accumulate(averaged_mean, at::mm(by_head, rows).cpu());
  }
};

}  // namespace

LayerMoments layer_moments(const Transformer& model, std::size_t layer,
                           const std::vector<Stream>& streams, std::stop_token stop) {
  const Attention& attention = model.attention(layer);
  std::array<MomentSums, kWindowShares> shares;
  for_each_share(
      streams.size(), model.options().device, stop,
      [&](std::size_t share, std::size_t window) {
        const AttentionInput input = model.attention_input(layer, streams[window]);
        shares[share].add(input, attention.trace(input).attention[0], attention.kind());
      },
      Gradients::kNone, window_shares(model.width()));
  for (std::size_t share = 1; share < kWindowShares; ++share) shares[0].add(shares[share]);
  const MomentSums& sums = shares[0];
  LayerMoments moments;
  moments.input = to_symmetric_matrix(sums.input.products / sums.input.count);
  moments.input_mean = to_vector(sums.input.rows / sums.input.count);
  moments.attended = to_symmetric_matrix(sums.attended / sums.query_count);
  moments.averaged = to_symmetric_matrix(sums.averaged / sums.query_count);
  moments.averaged_mean = to_matrix(sums.averaged_mean / sums.query_count);
  if (attention.kind() != AttentionKind::kCross) return moments;
  moments.query_input = to_symmetric_matrix(sums.queries.products / sums.queries.count);
  moments.query_input_mean = to_vector(sums.queries.rows / sums.queries.count);
  return moments;
}

}  // namespace regroup::models
