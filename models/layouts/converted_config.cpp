#include "models/layouts/converted_config.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "models/layouts/layout.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

/// Nemotron-NAS rounds feed-forward widths up to multiples of this.
constexpr int kWidthStep = 256;

bool has_source_queries(const ModelConfig& config, const std::vector<LayerHeads>& heads) {
  return std::all_of(heads.begin(), heads.end(),
                     [&](const LayerHeads& layer) { return layer.query == config.query_heads; });
}

/// A layer as Nemotron-NAS describes it. Its feed-forward width is ⌊2 · ffn_mult · D / 3⌋, rounded
/// up.
json block_config(const ModelConfig& config, LayerHeads heads) {
  constexpr double kGatedPart = 2.0 / 3;
  return {{"attention",
           {{"n_heads_in_group", heads.query / heads.kv},
            {"no_op", false},
            {"num_sink_tokens", nullptr},
            {"replace_with_linear", false},
            {"sparsify", nullptr},
            {"unshifted_sink", false},
            {"use_prefill_window_in_sink_attention", false},
            {"window_length", nullptr}}},
          {"ffn",
           {{"ffn_mult", config.mlp.width / (kGatedPart * config.width)},
            {"no_op", false},
            {"replace_with_linear", false},
            {"sparsify", nullptr}}}};
}

std::vector<int> counts(const std::vector<LayerHeads>& heads, int LayerHeads::*count) {
  std::vector<int> result;
  for (const LayerHeads& layer : heads) result.push_back(layer.*count);
  return result;
}

/// Says the heads of every layer, and which code reads that.
void set_heads_by_layer(json& config, const PretrainedModel& model,
                        const ConvertedHeads& converted) {
  const std::vector<LayerHeads>& heads = converted.layers;
  const bool nemotron = is_nemotron(converted.layout, model.config, heads);
  const RemoteClass& remote = model.config.has_head ? kRemoteDecoder : kRemoteBase;
  config["architectures"] = {nemotron ? kNemotronArchitecture : remote.name};
  config["base_architecture"] = source_class(model);
  config["auto_map"] = remote_auto_map(config.value("auto_map", json::object()), remote);
  // The lists say it; most families' configs in transformers insist on a number all the same.
  config[std::string(model.spec.fields.kv_heads)] =
      nemotron ? json(nullptr) : json(model.config.kv_heads);
  config["num_key_value_heads_per_layer"] = counts(heads, &LayerHeads::kv);
  if (!has_source_queries(model.config, heads)) {
    config["num_attention_heads_per_layer"] = counts(heads, &LayerHeads::query);
  }
  if (converted.layout == Layout::kFree) {
    config["key_width_per_layer"] = counts(heads, &LayerHeads::key_width);
    config["value_width_per_layer"] = counts(heads, &LayerHeads::value_width);
    config["key_frequencies_per_layer"] = converted.frequencies;
  }
  config["block_configs"] = json::array();
  for (const LayerHeads& layer : heads) {
    config["block_configs"].push_back(block_config(model.config, layer));
  }
}

/// In the dialect that the source's config has.
void set_rotary(json& config, double theta, const WideRotary& rotary) {
  json settings = {{"rope_type", "longrope"},
                   {"short_factor", rotary.short_factors},
                   {"long_factor", rotary.long_factors},
                   {"attention_factor", rotary.attention_factor},
                   {"original_max_position_embeddings", rotary.original_context}};
  const auto held = config.find("rope_parameters");
  if (held != config.end() && held->is_object()) {
    settings["rope_theta"] = theta;
    if (held->contains("partial_rotary_factor")) {
      settings["partial_rotary_factor"] = held->at("partial_rotary_factor");
    }
    *held = std::move(settings);
    config.erase("rope_scaling");
  } else {
    config["rope_theta"] = theta;
    config["rope_scaling"] = std::move(settings);
  }
  config.erase("original_max_position_embeddings");
}

/// A model of mixtures of keys is none of the source's type: its class there would compute dot
/// products.
json mixture_config(json config, const PretrainedModel& model) {
  config["base_architecture"] = source_class(model);
  config["architectures"] = {kRemoteMixture.name};
  config["model_type"] = kMixtureType;
  if (has_mixture_code(model.config)) {
    config["auto_map"] = {{"AutoConfig", "configuration_mixture.MixtureConfig"},
                          {kRemoteMixture.auto_name, "modeling_mixture.MixtureForCausalLM"}};
  }
  return config;
}

}  // namespace

bool has_mixture_code(const ModelConfig& config) {
  return config.architecture == "GPT2LMHeadModel" || config.architecture == "OPTForCausalLM";
}

bool is_nemotron(Layout layout, const ModelConfig& config, const std::vector<LayerHeads>& heads) {
  return layout != Layout::kFree && config.architecture == "LlamaForCausalLM" && config.has_head &&
         has_source_queries(config, heads) && heads[0].key_width == config.head_dim &&
         config.mlp.width % kWidthStep == 0;
}

std::string_view source_class(const PretrainedModel& model) {
  return model.config.has_head ? model.spec.architecture : model.spec.base_architecture;
}

json converted_config(const PretrainedModel& model, const ConvertedHeads& converted,
                      std::optional<DType> dtype) {
  const std::vector<LayerHeads>& heads = converted.layers;
  json config = model.checkpoint.config();
  if (dtype) config[config.contains("dtype") ? "dtype" : "torch_dtype"] = config_name(*dtype);
  if (model.config.mixture) return mixture_config(std::move(config), model);
  if (!model.config.names_kv_heads) return config;
  const ConfigFields& fields = model.spec.fields;
  // Where it was derived from the heads it still is; written down it cannot be derived wrongly.
  config[std::string(fields.head_dim)] =
      converted.layout == Layout::kFree ? model.config.head_dim : heads[0].key_width;
  if (converted.rotary) set_rotary(config, model.config.rotary.theta, *converted.rotary);
  if (are_stock(converted.layout, heads, model.config)) {
    config[std::string(fields.query_heads)] = heads[0].query;
    config[std::string(fields.kv_heads)] = heads[0].kv;
  } else {
    set_heads_by_layer(config, model, converted);
  }
  return config;
}

}  // namespace regroup::models
