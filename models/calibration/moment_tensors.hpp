#pragma once

#include <string_view>

#include "models/elements/dtype.hpp"
#include "models/layers/layer_moments.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// Calls visit(name, matrix or vector) for everything that moments of a layer have in a file, in a
/// fixed order; of cross-attention and of gradients where they are there. `Moments` may be const.
template <class Moments, class Visit>
void for_each_moment(Moments& layer, const Visit& visit) {
  visit("attention_input.second_moment", layer.input);
  visit("attention_input.mean", layer.input_mean);
  visit("attended_input.second_moment", layer.attended);
  visit("averaged_input.second_moment", layer.averaged);
  visit("averaged_input.mean", layer.averaged_mean);
  if (layer.query_input.size() > 0) {
    visit("query_input.second_moment", layer.query_input);
    visit("query_input.mean", layer.query_input_mean);
  }
  if (!layer.gradients) return;
  visit("output_gradient.second_moment", layer.gradients->output);
  visit("logit_gradient.energy", layer.gradients->logits);
  visit("key_weight_gradient.energy", layer.gradients->keys);
  visit("value_weight_gradient.energy", layer.gradients->values);
}

/// Moments with the shapes that a layer's have, for a visitor to fill.
LayerMoments empty_moments(const ModelConfig& config, AttentionKind kind, bool has_gradients);

/// The element type in which moments [D, D] are kept. Those of wide models, which fill a disk, are
/// rounded to float32, in memory too: results do not depend on where moments are.
DType moment_type(const ModelConfig& config);

/// Rounds the moments [D, D] to that type.
void round_moments(LayerMoments& layer, const ModelConfig& config);
/// The same of gradients.
void round_moments(LayerGradients& gradients, const ModelConfig& config);

}  // namespace regroup::models
