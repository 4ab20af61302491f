#include "models/architecture/mixture_config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/files/json_fields.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr int kMostComponents = 16;

/// The place of a value among its names; absent: the first.
std::size_t choice(const json& object, const char* key, const std::vector<std::string_view>& names,
                   const std::string& where) {
  if (!object.contains(key)) return 0;
  const std::string name = required_string(object, key, where);
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  throw InputError({.what = "value is not known",
                    .where = field_of(where, key),
                    .expected = fmt::format("{}", fmt::join(names, ", ")),
                    .found = name});
}

void require_known_keys(const json& object, const std::string& where) {
  static const std::set<std::string> known = {"kind",   "components", "shifted",
                                              "e_step", "position",   "variance"};
  for (const auto& [key, value] : object.items()) {
    if (known.contains(key)) continue;
    throw InputError({.what = "key is not known",
                      .where = field_of(where, key),
                      .expected = fmt::format("{}", fmt::join(known, ", "))});
  }
}

/// What of the model has no place in a mixture.
const char* obstacle(const ModelConfig& model) {
  if (has_decoder(model.kind)) return "an encoder and a decoder";
  if (model.rotary.dimensions > 0) return "a rotary embedding";
  if (!model.alibi.slopes.empty()) return "biases by distance";
  if (model.kv_heads != model.query_heads) return "fewer KV heads than query heads";
  if (model.query_key_norm != QueryKeyNorm::kNone) return "norms of queries and keys";
  if (!model.sliding_windows.empty()) return "a sliding window";
  if (model.attention_cap || model.projection_clip) return "clipped attention";
  return nullptr;
}

}  // namespace

double MixtureConfig::inverse_variance(int component, int head_dim) const {
  const double own = 1 / std::sqrt(static_cast<double>(head_dim));
  return narrows && component > 0 ? 3 * own : own;
}

std::optional<MixtureConfig> read_mixture(const json& config, const std::string& where,
                                          const ModelConfig& model) {
  const auto found = config.find("attention");
  if (found == config.end() || !found->is_object()) return std::nullopt;
  const std::string place = field_of(where, "attention");
  require_known_keys(*found, place);
  const std::size_t kind = choice(*found, "kind", {"mgk", "mlk", "linear"}, place);
  MixtureConfig mixture;
  mixture.is_linear = kind > 0;
  mixture.components = kind == 2 ? 1 : 2;
  if (found->contains("components")) {
    mixture.components =
        static_cast<int>(required_int(*found, "components", place, 1, kMostComponents));
  }
  if (found->contains("shifted")) mixture.shifted = required_bool(*found, "shifted", place);
  constexpr MixtureStep kSteps[] = {MixtureStep::kGradient, MixtureStep::kSoft, MixtureStep::kHard};
  mixture.step = kSteps[choice(*found, "e_step", {"gradient", "soft", "hard"}, place)];
  mixture.by_position = choice(*found, "position", {"head", "key"}, place) == 1;
  mixture.narrows = choice(*found, "variance", {"equal", "third"}, place) == 1;
  mixture.positions = model.context;
  if (const char* what = obstacle(model)) {
    throw InputError({.what = "attention by mixtures of keys does not go with the model",
                      .where = place,
                      .expected = "learned positions, as many keys as queries, nothing besides",
                      .found = what});
  }
  const bool is_plain = mixture.step == MixtureStep::kGradient && !mixture.by_position;
  if (mixture.is_linear && !is_plain) {
    throw InputError({.what = "linear attention has weights by head, learned by gradients",
                      .where = place,
                      .expected = "no e_step, no position"});
  }
  return mixture;
}

}  // namespace regroup::models
