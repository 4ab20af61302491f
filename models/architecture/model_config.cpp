#include "models/architecture/model_config.hpp"

namespace regroup::models {

std::int64_t kv_bytes_per_token(const ModelConfig& config, int kv_heads, DType dtype) {
  return std::int64_t{kv_heads} * config.head_dim * static_cast<std::int64_t>(byte_width(dtype));
}

}  // namespace regroup::models
