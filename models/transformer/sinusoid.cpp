#include "models/transformer/sinusoid.hpp"

#include <cmath>

namespace regroup::models {

at::Tensor sinusoid(const ModelConfig& config) {
  constexpr double kBase = 10000;
  const std::int64_t half = config.width / 2;
  const bool is_first = config.positions == PositionKind::kTransformerSinusoid;
  const double steps = is_first ? static_cast<double>(half) : static_cast<double>(half - 1);
  const at::Tensor frequencies =
      at::exp(at::arange(half, at::kDouble) * (-std::log(kBase) / steps));
  const at::Tensor angles =
      at::outer(at::arange(config.context + config.position_offset, at::kDouble), frequencies);
  at::Tensor table = at::cat({angles.sin(), angles.cos()}, 1);
  if (config.width % 2 != 0) table = at::constant_pad_nd(table, {0, 1});
  if (config.padding) table[*config.padding].zero_();
  return table.to(at::kFloat);
}

}  // namespace regroup::models
