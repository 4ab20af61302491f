#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "models/architecture/layer_place.hpp"
#include "models/attention/alibi.hpp"
#include "models/attention/relative_bias.hpp"
#include "models/attention/rotary.hpp"
#include "models/tensors/norm.hpp"

namespace regroup::models {

/// What an attention layer computes besides its projections.
struct AttentionSetting {
  AttentionKind kind = AttentionKind::kCausal;
  std::int64_t sliding_window = 0;  ///< last tokens that a query sees, itself among them; 0: all
  double scale = 1;                 ///< of q·k, where keys are as wide as the source's
  bool scales_by_width = false;     ///< it is 1/√ of that width, and of others likewise
  std::optional<Norm> query_norm;   ///< over the rows of a head, …
  std::optional<Norm> key_norm;
  bool norms_all_heads = false;  ///< … or over those of all heads at once
  std::optional<double> clip;    ///< queries, keys and values are kept within ± it
  std::optional<double> cap;     ///< c: logits become c tanh(logits / c)
  std::shared_ptr<const Rotary> rotary;
  std::shared_ptr<const RelativeBias> bias;  ///< null: none
  std::shared_ptr<const Alibi> alibi;        ///< null: none
};

}  // namespace regroup::models
