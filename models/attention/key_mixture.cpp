#include "models/attention/key_mixture.hpp"

namespace regroup::models {
namespace {

/// Below it ln π would leave the finite numbers.
constexpr double kLeastPrior = 1e-30;

at::Tensor clamped(const at::Tensor& prior) {
  return prior.clamp(kLeastPrior, 1);
}

/// −|q − k|² / 2σ² of every query and key.
at::Tensor energy(const at::Tensor& queries, const at::Tensor& keys, double inverse_variance) {
  const at::Tensor products = at::matmul(queries, keys.transpose(2, 3));
  const at::Tensor squares = queries.square().sum(-1, /*keepdim=*/true) +
                             keys.square().sum(-1, /*keepdim=*/true).transpose(2, 3);
  return inverse_variance * (products - 0.5 * squares);
}

/// ln π_jm as the energies have their axes: [H, 1, key length or 1].
at::Tensor log_prior(const at::Tensor& prior, std::size_t component, std::int64_t keys) {
  const at::Tensor own = clamped(prior.select(0, static_cast<std::int64_t>(component))).log();
  return own.dim() == 1 ? own.view({-1, 1, 1}) : own.slice(1, 0, keys).unsqueeze(1);
}

/// [M, batch, H, length, key length].
at::Tensor joint_logits(const at::Tensor& queries, const KeyMixture& mixture) {
  std::vector<at::Tensor> components;
  for (std::size_t m = 0; m < mixture.keys.size(); ++m) {
    at::Tensor own = energy(queries, mixture.keys[m], mixture.inverse_variances[m]);
    if (mixture.step != MixtureStep::kHard) {
      own = own + log_prior(mixture.prior, m, mixture.keys[m].size(2));
    }
    components.push_back(own);
  }
  return at::stack(components);
}

at::Tensor feature(const at::Tensor& x) {
  return at::elu(x) + 1;
}

}  // namespace

at::Tensor mixture_logits(const at::Tensor& queries, const KeyMixture& mixture) {
  const at::Tensor joint = joint_logits(queries, mixture);
  return mixture.step == MixtureStep::kHard ? joint.amax(0) : joint.logsumexp(0);
}

at::Tensor responsibilities(const at::Tensor& queries, const KeyMixture& mixture,
                            const at::Tensor& seen) {
  const at::Tensor shares = joint_logits(queries, mixture).softmax(0);
  return (shares * seen).sum(at::IntArrayRef{1, 3}, /*keepdim=*/false, at::kDouble);
}

at::Tensor soft_prior(const at::Tensor& sums, const at::Tensor& counts, bool by_position) {
  if (by_position) return sums / counts;
  return sums.sum(-1) / counts.sum();
}

at::Tensor linear_scores(const at::Tensor& queries, const KeyMixture& mixture) {
  at::Tensor keys;
  for (std::size_t m = 0; m < mixture.keys.size(); ++m) {
    const at::Tensor prior =
        mixture.prior.select(0, static_cast<std::int64_t>(m)).clamp(0, 1).view({-1, 1, 1});
    const at::Tensor own = prior * feature(mixture.keys[m]);
    keys = keys.defined() ? keys + own : own;
  }
  return at::matmul(feature(queries), keys.transpose(2, 3));
}

at::Tensor linear_shares(const at::Tensor& scores, const at::Tensor& seen) {
  const at::Tensor own = scores * seen;
  return own / own.sum(-1, /*keepdim=*/true);
}

}  // namespace regroup::models
