#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/pretrained/cache_type.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "models/tensors/compute.hpp"
#include "runs/base/cache_setting.hpp"
#include "runs/base/output_directory.hpp"
#include "search/asymgqa/asymgqa_method.hpp"

namespace regroup::runs {

/// What a search is asked to do. Everything in `result_options()` decides the result; the rest
/// (threads, device, verbosity) does not.
struct SearchOptions {
  std::filesystem::path model;
  std::filesystem::path output;
  // What decides a run's kind; empty where left open, until `complete` fills it in.
  std::string method;
  std::string fitness;
  std::string merge;
  bool renorm = false;
  std::string refit;
  int reconstruct = 0;  ///< gradient steps a layer, after the refits
  std::string partitions;
  std::string allocation;
  std::string stage_two = "member";
  std::string dgqa = "ema";
  int population = 200;
  int generations = 200;
  std::int64_t evaluations = 0;  ///< candidates a stage may look at; 0: no limit
  int patience = 0;              ///< generations without improvement; 0: no limit
  double seconds = 0;            ///< that a stage may take; 0: no limit
  std::int64_t nodes = 10;       ///< that a branch and bound relaxes
  std::string layout = "any";
  int min_groups = 1;
  int group_limit = 0;             ///< 0: H_kv
  std::vector<int> freeze_layers;  ///< ascending and distinct
  std::vector<double>
      kv;  ///< limits in (0, 1], ascending and distinct; empty: the whole front, thinned
  CacheSetting cache;
  std::vector<std::filesystem::path> seed_groupings;
  std::string distance = "activation";  ///< between heads, of asymgqa
  int iterations = 0;                   ///< of asymgqa; 0: by the fitness
  double accept = search::AsymGqaSettings().accept;
  double reset = search::AsymGqaSettings().reset;
  std::filesystem::path calibration;  ///< empty: none
  std::filesystem::path selection;    ///< empty: part of the calibration text, or sampled
  std::filesystem::path eval;         ///< empty: sampled from the model
  std::int64_t eval_tokens = 0;       ///< 0: all
  int measure = 24;                   ///< front points measured; 0: proxy only
  /// Types of KV cache that points are measured with besides the plain one, "none": with no other;
  /// empty where left open. `complete` leaves each once, from wide to narrow, or nothing.
  std::vector<std::string> cache_dtypes;
  std::int64_t seed = 1;
  bool force = false;
  bool resume = false;
  std::string dtype = "float32";
  models::ComputeOptions compute;
  int threads = 1;
  std::vector<std::string> command_line;

  /// Fills in what was left open: the best known combination for this model, as far as it goes with
  /// what was asked for. A merge given by hand is not refitted unless asked, nor is a measured
  /// search; methods that allocate query heads merge by the mean.
  void complete(const models::ModelConfig& config);
  /// How the groupings that it finds are merged.
  models::MergeRecipe recipe() const;
  /// Whether the split of the KV heads over layers is by measured losses.
  bool allocates_by_measuring() const { return allocation == "measured"; }
  /// `cache_dtypes`, each once, from wide to narrow. Throws InputError for a name that is none.
  std::vector<models::CacheType> cache_types() const;

  /// What `complete` does for `cache_dtypes`.
  void complete_caches(const models::ModelConfig& config);

  /// The options that decide the result, less file names, as run.json records them.
  nlohmann::ordered_json result_options() const;
};

/// Whether the search minimises the measured loss on the selection data.
bool is_measured_search(const SearchOptions& options);

/// Whether anything is chosen by measuring on the selection data.
bool selects_by_measuring(const SearchOptions& options);

/// The method with its options. Throws InputError for one that is not known or out of range.
std::unique_ptr<search::SearchMethod> method_of(const SearchOptions& options);

/// Whether statistics of activations are wanted: the fitness or the method needs them, or data for
/// them is given.
bool uses_calibration(const SearchOptions& options);

/// Whether those statistics must hold gradients.
bool uses_gradients(const SearchOptions& options);

/// Throws InputError for a name that is not known or a number out of range, naming the option.
void require_valid(const SearchOptions& options);

}  // namespace regroup::runs
