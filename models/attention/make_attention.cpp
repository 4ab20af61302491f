#include "models/attention/make_attention.hpp"

#include <utility>

#include "models/architecture/mixture_tensors.hpp"
#include "models/attention/dot_product_attention.hpp"
#include "models/attention/mixture_attention.hpp"
#include "models/pretrained/attention_names.hpp"
#include "models/tensors/tensors.hpp"
#include "models/tensors/weight_place.hpp"

namespace regroup::models {
namespace {

MixtureTensors read_mixture_tensors(const PretrainedModel& model, int layer,
                                    const ComputeOptions& options) {
  const AttentionNames names(model, layer);
  MixtureTensors result;
  for (const MixtureTensorShape& own : mixture_tensors(model.config)) {
    const at::Tensor tensor = to_tensor(model.checkpoint.tensor(names(own.name)));
    if (own.name == "shifts") {
      result.shifts = to_compute(tensor, options);
    } else if (own.name == "prior") {
      result.prior = to_compute(tensor, options);
    } else if (own.name.ends_with(".weight")) {
      result.keys.push_back({place_weight(tensor, options), {}});
    } else {
      result.keys.back().bias = to_compute(tensor, options);
    }
  }
  return result;
}

}  // namespace

std::shared_ptr<const Attention> make_attention(const PretrainedModel& model, int layer,
                                                AttentionSetting setting,
                                                const ComputeOptions& options) {
  if (model.config.mixture) {
    return std::make_shared<MixtureAttention>(
        read_attention(model, layer), read_mixture_tensors(model, layer, options),
        *model.config.mixture, setting.kind, model.config.query_heads, options);
  }
  return std::make_shared<DotProductAttention>(source_attention(model, layer), std::move(setting),
                                               options);
}

}  // namespace regroup::models
