#include "models/transformer/moment_pass.hpp"

#include <array>

#include "models/transformer/eigen_tensors.hpp"
#include "models/transformer/window_pass.hpp"

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

/// Running sums over tokens, in double on the CPU.
struct MomentSums {
  at::Tensor input;          // Σ x xᵀ
  at::Tensor input_mean;     // Σ x
  at::Tensor attended;       // Σ_i (Σ_hq a_hqi / H) x_i x_iᵀ
  at::Tensor averaged;       // Σ_h z z ᵀ / H
  at::Tensor averaged_mean;  // Σ z, a row per query head

  void add(const MomentSums& other) {
    if (!other.input.defined()) return;
    accumulate(input, other.input);
    accumulate(input_mean, other.input_mean);
    accumulate(attended, other.attended);
    accumulate(averaged, other.averaged);
    accumulate(averaged_mean, other.averaged_mean);
  }

  /// Adds one window: input [length, D], attention [H, length, length].
  void add(const at::Tensor& x, const at::Tensor& attention) {
    const at::Tensor rows = x.to(at::kDouble);
    accumulate(input, at::mm(rows.t(), rows).cpu());
    accumulate(input_mean, rows.sum(0).cpu());
    const auto heads = static_cast<double>(attention.size(0));
    const at::Tensor seen = attention.to(at::kDouble).sum(at::IntArrayRef{0, 1}) / heads;
    accumulate(attended, at::mm((rows * seen.unsqueeze(1)).t(), rows).cpu());
    const at::Tensor wide = attention.to(at::kDouble);
    accumulate(averaged, (averaged_products(wide, rows) / heads).cpu());
    accumulate(averaged_mean, at::mm(wide.sum(1), rows).cpu());
  }
};

}  // namespace

LayerMoments layer_moments(const Decoder& decoder, std::size_t layer,
                           const std::vector<at::Tensor>& states, std::stop_token stop) {
  std::array<MomentSums, kWindowShares> shares;
  for_each_share(
      states.size(), decoder.options().device, stop, [&](std::size_t share, std::size_t window) {
        const at::Tensor input = decoder.attention_input(layer, states[window]);
        const AttentionTrace trace = decoder.attention(layer).trace(input, decoder.rotary());
        shares[share].add(input[0], trace.attention[0]);
      });
  const at::NoGradGuard no_gradients;
  for (std::size_t share = 1; share < kWindowShares; ++share) shares[0].add(shares[share]);
  const MomentSums& sums = shares[0];
  const auto tokens = static_cast<double>(states.size()) * static_cast<double>(states[0].size(1));
  return {to_symmetric_matrix(sums.input / tokens),    to_vector(sums.input_mean / tokens),
          to_symmetric_matrix(sums.attended / tokens), to_symmetric_matrix(sums.averaged / tokens),
          to_matrix(sums.averaged_mean / tokens),      {}};
}

}  // namespace regroup::models
