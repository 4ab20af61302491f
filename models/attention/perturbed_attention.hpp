#pragma once

#include <memory>
#include <string_view>

#include "models/attention/wrapped_attention.hpp"

namespace regroup::models {

/// What training takes noise from (PGQA, arXiv 2408.08454; METHODS §4).
enum class NoiseForm {
  kPaper,  ///< the attention maps, Gaussian noise
  kCode,   ///< as the authors' code does, what each group attends to, uniform noise
};

/// Dot products that lose noise in training. Gradients flow through the attention, not through the
/// draws; the noise follows its mean and deviation, through which they do flow.
class PerturbedAttention final : public WrappedAttention {
 public:
  /// `always`: an evaluation loses noise, too.
  PerturbedAttention(std::shared_ptr<const DotProductAttention> inner, NoiseForm form,
                     bool always = false)
      : WrappedAttention(std::move(inner)), form_(form), always_(always) {}

  std::string_view name() const override { return "perturbed"; }
  at::Tensor mix(const AttentionInput& input, const AttentionPass& pass) const override;

 protected:
  std::shared_ptr<Attention> copy() const override {
    return std::make_shared<PerturbedAttention>(*this);
  }

 private:
  at::Tensor without_map_noise(const AttentionInput& input, search::RandomKey key) const;
  at::Tensor without_output_noise(const AttentionInput& input, const AttentionPass& pass) const;

  NoiseForm form_;
  bool always_;
};

/// What one group attends to less noise: attended [batch, n, length, width], `uniform` [n, length ·
/// width] of numbers in [0, 1) with a diagonal of zeros, the same for the whole batch. Row by row
/// the noise has the mean and the deviation (n − 1) of what it is taken from.
at::Tensor less_output_noise(const at::Tensor& attended, const at::Tensor& uniform);

/// Attention maps [batch, H, length, key length] less noise: `normal` of that shape, by rows with
/// the mean and the deviation of the share that a query gives to what it may see; nothing is taken
/// from the diagonal, nor where a query may not look.
at::Tensor less_map_noise(const at::Tensor& attention, const at::Tensor& normal);

}  // namespace regroup::models
