#include "models/pretrained/match_tensors.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "models/architecture/expected_tensors.hpp"
#include "models/elements/equal_tensors.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// The name with every part that checkpoints also write otherwise written so.
std::string with_other_names(std::string name, const ArchitectureSpec& spec) {
  for (const OtherName& other : spec.other_names) {
    const auto at = name.find(other.ours);
    if (at != std::string::npos) name.replace(at, other.ours.size(), other.theirs);
  }
  return name;
}

/// Every name that the tensor can have, its own first.
std::vector<std::string> possible_names(const std::string& name, const ArchitectureSpec& spec) {
  std::vector<std::string> names = {name};
  const std::string other = with_other_names(name, spec);
  if (other != name) names.push_back(other);
  const std::string_view prefix = spec.base_prefix;
  const std::size_t count = names.size();
  for (std::size_t i = 0; i < count && !prefix.empty(); ++i) {
    const std::string& full = names[i];
    if (full.starts_with(prefix)) names.push_back(full.substr(prefix.size()));
  }
  return names;
}

std::string weight_of(std::string_view module) {
  return std::string(module) + ".weight";
}

/// Finds one tensor after the other in one checkpoint.
class TensorFinder {
 public:
  explicit TensorFinder(PretrainedModel& model) : model_(model) {}

  /// Remembers what the tensor is called, if it is there.
  bool find(const std::string& name) {
    if (model_.checkpoint.find(model_.stored_name(name)) != nullptr) return true;
    for (const std::string& possible : possible_names(name, model_.spec)) {
      if (model_.checkpoint.find(possible) == nullptr) continue;
      if (possible != name) model_.stored_names[name] = possible;
      return true;
    }
    return false;
  }

  /// The first of these that is there stands for `name`.
  void find_instead(const std::string& name, std::initializer_list<std::string_view> modules) {
    for (const std::string_view module : modules) {
      if (module.empty()) continue;
      const std::string other = weight_of(module);
      if (!find(other)) continue;
      model_.stored_names[name] = model_.stored_name(other);
      return;
    }
  }

 private:
  PretrainedModel& model_;
};

[[noreturn]] void refuse_own_table(const TensorView& own, const TensorView& shared) {
  throw InputError({.what = "encoder and decoder with token tables of their own are not supported",
                    .where = own.where(),
                    .expected = fmt::format("the numbers of {}", shared.name),
                    .found = "others"});
}

/// Encoder and decoder read one token table, which a checkpoint may store under several names.
void match_table(PretrainedModel& model, TensorFinder& finder) {
  const ModelModules& names = model.spec.model;
  const std::string table = weight_of(names.embedding);
  if (!finder.find(table))
    finder.find_instead(table, {names.encoder_embedding, names.decoder_embedding});
  for (const std::string_view module : {names.encoder_embedding, names.decoder_embedding}) {
    if (module.empty() || !finder.find(weight_of(module))) continue;
    const TensorView& shared = model.tensor(table);
    const TensorView& own = model.tensor(weight_of(module));
    if (!are_equal(shared, own)) refuse_own_table(own, shared);
    model.checkpoint.release(shared);
    model.checkpoint.release(own);
  }
}

/// A tied head that the checkpoint stores with other numbers than the token table is its own.
void match_head(PretrainedModel& model, TensorFinder& finder) {
  const ModelModules& names = model.spec.model;
  const std::string table = weight_of(names.embedding);
  const std::string head = weight_of(names.head);
  const bool has_table = finder.find(table);
  const bool has_head = finder.find(head);
  if (has_head && !has_table) finder.find_instead(table, {names.head});
  if (!has_head || !has_table) return;
  const TensorView& stored_head = model.tensor(head);
  const TensorView& stored_table = model.tensor(table);
  model.config.tied_embeddings = are_equal(stored_head, stored_table);
  model.checkpoint.release(stored_head);
  model.checkpoint.release(stored_table);
}

}  // namespace

void match_tensors(PretrainedModel& model) {
  TensorFinder finder(model);
  const ModelModules& names = model.spec.model;
  ModelConfig& config = model.config;
  if (!names.embedding.empty()) match_table(model, finder);
  if (config.tied_embeddings && config.has_head) match_head(model, finder);
  const std::vector<ExpectedTensor> expected = expected_tensors(model.spec, config);
  bool has_all = true;
  for (const ExpectedTensor& tensor : expected) has_all = finder.find(tensor.name) && has_all;
  const nlohmann::json& json = model.checkpoint.config();
  const bool names_class = json.contains("architectures") && !json["architectures"].is_null();
  if (!has_all && !names_class) config.has_head = config.head_bias = false;
}

}  // namespace regroup::models
