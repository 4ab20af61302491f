#include "models/architecture/model_config.hpp"

#include <cmath>

namespace regroup::models {

std::int64_t kv_bytes_per_token(const ModelConfig& config, double size, DType dtype) {
  return std::llround(size * config.head_dim) * static_cast<std::int64_t>(byte_width(dtype));
}

}  // namespace regroup::models
