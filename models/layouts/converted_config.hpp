#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// The config.json of a converted checkpoint whose layers have these heads: the source's, with
/// `dtype` where one is given. Where no stock engine takes these heads it has the keys of DeciLM
/// and Nemotron-NAS
/// (`block_configs`, `num_key_value_heads_per_layer`), `num_attention_heads_per_layer` where also
/// the query heads differ, and names the model code that reads them (remote_code.hpp).
nlohmann::json converted_config(const PretrainedModel& model, const std::vector<LayerHeads>& heads,
                                std::optional<DType> dtype);

/// Whether engines that know Nemotron-NAS by themselves read such a config rightly: a Llama whose
/// layers all have the source's query heads and whose feed-forward width is a multiple of 256.
bool is_nemotron(const ModelConfig& config, const std::vector<LayerHeads>& heads);

}  // namespace regroup::models
