#pragma once

#include <string>
#include <string_view>

namespace regroup::models {

/// Names of one layer's modules in the checkpoint, less ".weight" or ".bias"; `{}` is the block's
/// number. Empty: the layer has none.
struct LayerModules {
  std::string_view attention_norm;
  std::string_view query;
  std::string_view key;
  std::string_view value;
  std::string_view output;
  std::string_view query_norm;
  std::string_view key_norm;
  std::string_view mlp_norm;
  std::string_view gate;
  std::string_view up;
  std::string_view ungated_up;  ///< where it is called otherwise in a block without a gate
  std::string_view down;
};

/// Names of the modules that a model has once. Empty: it has none.
struct ModelModules {
  std::string_view embedding;
  std::string_view positions;
  std::string_view token_types;
  std::string_view embedding_norm;
  std::string_view project_in;   ///< from the token table's width to D
  std::string_view project_out;  ///< and back
  std::string_view patches;      ///< convolution of an image
  std::string_view class_token;  ///< a tensor's whole name, as `image_positions`
  std::string_view image_positions;
  std::string_view encoder_bias;  ///< relative biases of an encoder-decoder
  std::string_view decoder_bias;
  std::string_view encoder_norm;
  std::string_view final_norm;
  std::string_view head_dense;  ///< what stands between the last norm and the head …
  std::string_view head_norm;   ///< … and its norm
  std::string_view head_bias;   ///< of a head that shares the token table: a tensor's whole name
  std::string_view head;
};

/// `name` with the block's number in place of `{}`.
std::string module_name(std::string_view name, int block);

}  // namespace regroup::models
