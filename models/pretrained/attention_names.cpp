#include "models/pretrained/attention_names.hpp"

#include <array>

namespace regroup::models {
namespace {

struct RoleName {
  AttentionRole role;
  std::string_view name;
};
constexpr std::array kRoleNames = {
    RoleName{AttentionRole::kQuery, "query"}, RoleName{AttentionRole::kKey, "key"},
    RoleName{AttentionRole::kValue, "value"}, RoleName{AttentionRole::kOutput, "output"}};

std::string_view bias_table(const ModelModules& modules, AttentionKind kind) {
  if (kind == AttentionKind::kFull) return modules.encoder_bias;
  return kind == AttentionKind::kCausal ? modules.decoder_bias : std::string_view();
}

}  // namespace

AttentionNames::AttentionNames(const PretrainedModel& model, int layer) {
  const LayerPlace place = model.place(layer);
  for (const RoleName& role : kRoleNames) {
    const std::string own(role.name);
    const std::string part = kPartMark + own;
    const bool is_alone =
        model.config.storage == ProjectionStorage::kSeparate || role.role == AttentionRole::kOutput;
    const std::string module = stored_weight(model.spec, model.config, place, role.role).module;
    known_[own + ".weight"] =
        model.stored_name(module + ".weight") + (is_alone && !model.spec.transposed ? "" : part);
    known_[own + ".bias"] = model.stored_name(module + ".bias") + (is_alone ? "" : part);
  }
  const auto add = [&](std::string_view own, const std::string& module) {
    if (!module.empty()) known_[std::string(own)] = model.stored_name(module + ".weight");
  };
  add("query_norm.weight", place.name(&LayerModules::query_norm));
  add("key_norm.weight", place.name(&LayerModules::key_norm));
  add("relative_bias.weight", std::string(bias_table(model.spec.model, place.kind)));
  const std::string output = model.stored_name(place.name(&LayerModules::output) + ".weight");
  const std::string module = output.substr(0, output.rfind('.'));
  prefix_ = module.substr(0, module.rfind('.') + 1);
}

std::string AttentionNames::operator()(std::string_view own) const {
  const auto found = known_.find(own);
  return found != known_.end() ? found->second : prefix_ + std::string(own);
}

}  // namespace regroup::models
