#include "models/attention/kv_cache.hpp"

namespace regroup::models {

at::Tensor HeadCache::append(const at::Tensor& fresh) {
  const std::int64_t end = length_ + fresh.size(2);
  room_.slice(2, length_, end).copy_(fresh);
  length_ = end;
  return room_.slice(2, 0, end);
}

std::int64_t KvCache::bytes() const {
  std::int64_t sum = 0;
  for (const auto& layer : layers) sum += layer->bytes();
  return sum;
}

std::int64_t KvCache::bytes_per_position() const {
  std::int64_t sum = 0;
  for (const auto& layer : layers) sum += layer->bytes_per_position();
  return sum;
}

}  // namespace regroup::models
