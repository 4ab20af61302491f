#pragma once

#include <string_view>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/layers/layer_head_maps.hpp"

namespace regroup::models {

/// How a converted checkpoint stores its groups.
enum class Layout {
  kStandard,  ///< query heads permuted, `num_key_value_heads` reduced: any engine runs it
  kPerLayer,  ///< the same with a number of KV heads for each layer
  kPad,       ///< query heads of smaller groups joined by heads of zeros, up to the largest group
  kFree,      ///< widths of keys and values, and the keys' frequencies, for each layer by itself
  kExpand,    ///< keys and values repeated to the source's KV heads, or to its query heads where an
              ///< allocation parts those of one KV head: exact anywhere, saves nothing
};

/// Whether the engine runs code that comes with a model, as transformers does and llama.cpp does
/// not.
enum class ModelCode { kRuns, kIgnores };

/// "standard", "per-layer", "pad", "expand", "free".
std::string_view layout_name(Layout layout);
/// Throws InputError that lists the known layouts.
Layout find_layout(std::string_view name);

/// True if the layout holds layers with these head maps exactly. All but expand need keys and
/// values to share their map and a family whose config names KV heads; standard one number of
/// stored heads in all layers that serve as many query heads each, per-layer that only within each
/// layer, pad neither. Heads of other widths than the source's need a family that takes them and
/// frequencies that all layers share, but in layout free, which is for them alone; expand has none.
bool holds(Layout layout, const ModelHeadMaps& maps, const ModelConfig& config);
/// Of the layouts that hold them, and store the least, the first from the most useful; free only
/// for engines that run a model's own code. Throws InputError if there is
/// none.
Layout default_layout(const ModelHeadMaps& maps, const ModelConfig& config,
                      ModelCode code = ModelCode::kRuns);
/// Throws InputError, naming the layouts that can, if `layout` cannot hold them.
void require_holds(Layout layout, const ModelHeadMaps& maps, const ModelConfig& config);

/// Heads of every layer of a checkpoint in a layout that holds the maps. Padded layers have equal
/// numbers where one number of stored heads allows it and the number of query heads then divides
/// the width, as stock engines ask. Where any head has another width than the source's, all have
/// that of the widest key or value, for engines know one; in layout free their own.
std::vector<LayerHeads> stored_heads(Layout layout, const ModelHeadMaps& maps,
                                     const ModelConfig& config);

/// Whether all layers have the same heads.
bool are_uniform(const std::vector<LayerHeads>& heads);
/// Whether stock engines run layers with these heads: all the same, and the number of query heads
/// the source's or, as transformers asks, a divisor of the width.
bool are_stock(Layout layout, const std::vector<LayerHeads>& heads, const ModelConfig& config);
/// What heads of all layers store per token, in heads of the source: Σ n_KV (W_K + W_V) / d.
double stored_size(const std::vector<LayerHeads>& heads, const ModelConfig& config);
/// The same of the checkpoint itself.
double stored_size(const ModelConfig& config);

}  // namespace regroup::models
