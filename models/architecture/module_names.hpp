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
  std::string_view attention_branch_norm;  ///< of what the attention adds to the stream
  std::string_view attention_scale;        ///< its scale by channel: a tensor's whole name
  std::string_view mlp_norm;
  std::string_view mlp_branch_norm;
  std::string_view mlp_scale;
  std::string_view gate;
  std::string_view up;
  std::string_view ungated_up;  ///< where it is called otherwise in a block without a gate
  std::string_view down;
  std::string_view router;       ///< of sparse experts
  std::string_view expert_gate;  ///< `{}` twice: the block and the expert
  std::string_view expert_up;
  std::string_view expert_down;
};

/// Names of the modules that a model has once. Empty: it has none.
struct ModelModules {
  std::string_view embedding;
  std::string_view encoder_embedding;  ///< which some checkpoints store in the place of it,
  std::string_view decoder_embedding;  ///< or this
  std::string_view positions;
  std::string_view token_types;
  std::string_view embedding_norm;
  std::string_view decoder_positions;  ///< of an encoder-decoder whose sides have their own
  std::string_view decoder_embedding_norm;
  std::string_view project_in;         ///< from the token table's width to D
  std::string_view project_out;        ///< and back
  std::string_view sound_convolution;  ///< of a speech model's features …
  std::string_view sound_reduction;    ///< … and the second one, by twos
  std::string_view patches;            ///< convolution of an image
  std::string_view class_token;        ///< a tensor's whole name, as `image_positions`
  std::string_view image_positions;
  std::string_view encoder_bias;  ///< relative biases of an encoder-decoder
  std::string_view decoder_bias;
  std::string_view encoder_norm;
  std::string_view final_norm;
  std::string_view head_dense;  ///< what stands between the last norm and the head …
  std::string_view head_norm;   ///< … and its norm
  std::string_view head_bias;   ///< a tensor's whole name
  std::string_view head;
};

/// `name` with the block's number in place of `{}`.
std::string module_name(std::string_view name, int block);
/// The same of one expert's module, in the order block, expert.
std::string expert_name(std::string_view name, int block, int expert);

}  // namespace regroup::models
