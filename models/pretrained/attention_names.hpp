#pragma once

#include <map>
#include <string>
#include <string_view>

#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// Between the tensor of a checkpoint and the projection that is a part of it: "c_attn.weight#key".
inline constexpr char kPartMark = '#';

/// What the tensors of one attention layer are called among the parameters of its model. A value.
class AttentionNames {
 public:
  AttentionNames(const PretrainedModel& model, int layer);

  /// For the layer's own name of a tensor ("key.weight", "query_norm.weight",
  /// "relative_bias.weight") that of the tensor in the checkpoint; of a projection that is stored
  /// transposed or together with others that name, a '#' and the projection's:
  /// "h.0.attn.c_attn.weight#key". A tensor that no checkpoint of the family has gets a name beside
  /// the output projection's.
  std::string operator()(std::string_view own) const;

 private:
  std::map<std::string, std::string, std::less<>> known_;
  std::string prefix_;  // of all others
};

}  // namespace regroup::models
