#include "models/transformer/moment_sums.hpp"

#include "models/transformer/token_losses.hpp"

namespace regroup::models {
namespace {

void accumulate(at::Tensor& sum, const at::Tensor& part) {
  if (sum.defined()) {
    sum.add_(part);
  } else {
    sum = part.clone();
  }
}

}  // namespace

MomentSums::MomentSums(int layers, int width)
    : sums_(static_cast<std::size_t>(layers)), width_(width) {}

void MomentSums::add(const Decoder& decoder, const TokenWindows& windows, std::size_t begin,
                     std::size_t end) {
  const at::Tensor ids = window_tensor(windows, begin, end, decoder.options());
  decoder.hidden_states(ids.slice(1, 0, windows.context()), nullptr,
                        [this](std::size_t layer, const at::Tensor& input) {
                          const at::Tensor rows = input.flatten(0, 1).to(at::kDouble);
                          accumulate(sums_[layer], at::mm(rows.t(), rows).cpu());
                        });
}

void MomentSums::add(const MomentSums& other) {
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    if (other.sums_[i].defined()) accumulate(sums_[i], other.sums_[i]);
  }
}

ActivationMoments MomentSums::mean(std::size_t tokens) const {
  ActivationMoments moments{{}, tokens};
  for (const at::Tensor& sum : sums_) {
    const at::Tensor mean = (sum / static_cast<double>(tokens)).contiguous();
    // xᵀx of a product is symmetric only up to rounding; half the sum with its transpose is.
    const Eigen::Map<const Eigen::MatrixXd> map(mean.const_data_ptr<double>(), width_, width_);
    moments.layers.emplace_back(0.5 * (map + map.transpose()));
  }
  return moments;
}

}  // namespace regroup::models
