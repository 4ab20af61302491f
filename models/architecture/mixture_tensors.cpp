#include "models/architecture/mixture_tensors.hpp"

#include <fmt/format.h>

namespace regroup::models {

std::vector<MixtureTensorShape> mixture_tensors(const ModelConfig& config) {
  const MixtureConfig& mixture = *config.mixture;
  const std::int64_t rows = std::int64_t{config.query_heads} * config.head_dim;
  std::vector<MixtureTensorShape> tensors;
  if (mixture.shifted) {
    tensors.push_back({"shifts", {mixture.components, rows}});
  } else {
    for (int m = 1; m < mixture.components; ++m) {
      tensors.push_back({fmt::format("key_{}.weight", m), {rows, config.width}});
      if (config.input_bias && config.key_bias) {
        tensors.push_back({fmt::format("key_{}.bias", m), {rows}});
      }
    }
  }
  std::vector<std::int64_t> prior = {mixture.components, config.query_heads};
  if (mixture.by_position) prior.push_back(mixture.positions);
  tensors.push_back({"prior", std::move(prior)});
  return tensors;
}

}  // namespace regroup::models
