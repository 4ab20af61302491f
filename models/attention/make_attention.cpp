#include "models/attention/make_attention.hpp"

#include <utility>

#include "models/attention/dot_product_attention.hpp"

namespace regroup::models {

std::shared_ptr<const Attention> make_attention(const PretrainedModel& model, int layer,
                                                AttentionSetting setting,
                                                const ComputeOptions& options) {
  return std::make_shared<DotProductAttention>(source_attention(model, layer), std::move(setting),
                                               options);
}

}  // namespace regroup::models
