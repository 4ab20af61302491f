#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/layouts/layout.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// The rotary frequencies of wide heads as transformers' `rope_type` "longrope" says them: each
/// pair's divisor of θ^(−2i/d_r), [d_r/2], for windows up to the original context and longer ones.
struct WideRotary {
  std::vector<double> short_factors;
  std::vector<double> long_factors;
  double original_context = 0;  ///< tokens
  double attention_factor = 1;  ///< of cosines and sines
};

/// What of the heads of a converted checkpoint its config.json says.
struct ConvertedHeads {
  Layout layout;
  std::vector<LayerHeads> layers;
  std::optional<WideRotary> rotary = {};  ///< of heads that are wider than the source's
  /// In layout free, of each layer for each pair of a key's rows the source's frequency.
  std::vector<std::vector<int>> frequencies = {};
};

/// The config.json of a converted checkpoint: the source's with these heads, and with `dtype` where
/// one is given.
/// Where no stock engine takes these heads it has the keys of DeciLM and Nemotron-NAS
/// (`block_configs`, `num_key_value_heads_per_layer`), `num_attention_heads_per_layer` where also
/// the query heads differ, and names the model code that reads them (write_remote_code). The model
/// type stays the source's: what reads a config or a tokenizer by it goes on doing so.
nlohmann::json converted_config(const PretrainedModel& model, const ConvertedHeads& heads,
                                std::optional<DType> dtype);

/// Whether engines that know Nemotron-NAS by themselves read such a config rightly: a Llama with
/// its head whose layers all have the source's query heads and whose feed-forward width is a
/// multiple of 256.
bool is_nemotron(Layout layout, const ModelConfig& config, const std::vector<LayerHeads>& heads);

/// The source's class in transformers, of a model without a head the one without.
std::string_view source_class(const PretrainedModel& model);

/// Entry of "architectures" that engines with Nemotron-NAS of their own know.
inline constexpr std::string_view kNemotronArchitecture = "DeciLMForCausalLM";

/// The class in the code beside the weights.
struct RemoteClass {
  std::string_view name;       ///< entry of "architectures"
  std::string_view auto_name;  ///< the class of transformers that finds it by "auto_map"
};
inline constexpr RemoteClass kRemoteDecoder = {"RegroupedForCausalLM", "AutoModelForCausalLM"};
/// Of a source without a head.
inline constexpr RemoteClass kRemoteBase = {"RegroupedModel", "AutoModel"};

/// config.json's "auto_map" of a model whose source has the other one: where transformers finds the
/// classes (`trust_remote_code`). Of the source's the tokenizer and the processors stay, its models
/// do not: they have other sizes.
nlohmann::json remote_auto_map(const nlohmann::json& source, const RemoteClass& model);

/// Writes the model code for checkpoints whose layers have their own numbers of heads: two Python
/// files that derive from the source's classes in transformers. Throws WorkError.
void write_remote_code(const PretrainedModel& model, const std::filesystem::path& directory);

/// The class in the code of a model whose heads are mixtures of keys, and the model type of those,
/// which transformers does not take for the source's.
inline constexpr RemoteClass kRemoteMixture = {"MixtureForCausalLM", "AutoModelForCausalLM"};
inline constexpr std::string_view kMixtureType = "regroup_mixture";
/// Whether there is such code: of decoders with separate or joined projections as GPT-2's and
/// OPT's.
bool has_mixture_code(const ModelConfig& config);
/// Writes it. Throws WorkError.
void write_mixture_code(const PretrainedModel& model, const std::filesystem::path& directory);

/// Copies what a checkpoint directory holds besides its weights, their index, config.json and its
/// model card: tokenizer, code, templates, licences and whatever else stands there. Left out are
/// hidden files and folders, weights in other forms, and folders with weights in them, as of other
/// formats or of a checkpoint made on the way; but a folder that `modules.json` names goes along
/// whole. `to` may lie inside `from`. Throws InputError for a file that cannot be read, WorkError
/// for one that cannot be written.
void copy_companion_files(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace regroup::models
