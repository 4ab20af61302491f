#pragma once

#include <string>
#include <string_view>

#include "models/checkpoint/gguf/gguf_header.hpp"

namespace regroup::models {

/// A transformer of llama.cpp that is read, as data.
struct GgufSource {
  std::string_view name;        ///< `general.architecture`
  std::string_view family;      ///< entry of config.json's "architectures"; empty: Llama's or
                                ///< one like it, by the tensors that are there
  bool pairs_rows = false;      ///< rows of queries and keys are turned (TensorStorage)
  bool query_key_norm = false;  ///< queries and keys of every head are normed
  bool fused = false;           ///< queries, keys and values are one tensor
};

/// The source of a file; throws InputError, naming `where`, for an architecture that is not read.
const GgufSource& gguf_source(const GgufHeader& header, const std::string& where);

/// "blk.3.attn_q.weight" in its parts; a tensor that is not of a layer has the layer -1.
struct GgufTensorName {
  int layer = -1;
  std::string_view module;  ///< "attn_q"; a part of the name
  std::string_view part;    ///< "weight" or "bias"; likewise
};

/// Takes a name apart; one of another form has no module.
GgufTensorName split_gguf_name(std::string_view name);

/// What Hugging Face's models of Llama's plan call a module, "model.layers.3.self_attn.q_proj";
/// empty: none of that name. Of the fused input projections, the part of the queries.
std::string hugging_face_module(const GgufTensorName& name);

}  // namespace regroup::models
