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
  for (const LayerCache& layer : layers) sum += layer.keys.bytes() + layer.values.bytes();
  return sum;
}

}  // namespace regroup::models
