#include "models/language_model/generation.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/passes/input_batch.hpp"
#include "models/passes/token_choice.hpp"
#include "models/passes/window_checks.hpp"
#include "models/transformer/transformer.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Logits of the last of `ids`, which continue the cache, on the CPU.
std::vector<float> next_logits(const Transformer& model, std::span<const std::int32_t> ids,
                               KvCache& cache) {
  const at::Tensor input = id_tensor(ids, 1, model.options());
  const at::Tensor states = model.hidden_states({input, {}, {}}, &cache);
  const at::Tensor logits = model.logits(states.slice(1, -1)).cpu().contiguous();
  const float* data = logits.const_data_ptr<float>();
  return {data, data + logits.numel()};
}

void require_finite(std::span<const float> logits, const PretrainedModel& model) {
  if (std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); })) return;
  throw WorkError({.what = "the model's logits are not finite numbers", .where = model.name()});
}

}  // namespace

void require_causal(const ModelConfig& config) {
  if (config.kind == ModelKind::kCausal && config.has_head) return;
  throw InputError({.what = "the model does not write text token by token",
                    .where = config.architecture,
                    .expected = "a causal language model"});
}

void require_prompt(std::span<const std::int32_t> prompt, const ModelConfig& config) {
  if (prompt.empty()) {
    throw InputError({.what = "prompt has no tokens", .expected = "at least one"});
  }
  require_ids(prompt, config);
  if (std::ssize(prompt) < config.context) return;
  throw InputError({.what = "prompt leaves no room in the model's context",
                    .expected = fmt::format("at most {} tokens", config.context - 1),
                    .found = std::to_string(prompt.size())});
}

Generation generate(const LanguageModel& model, std::span<const std::int32_t> prompt,
                    const GenerationOptions& options, const OnId& on_id, std::stop_token stop) {
  const ModelConfig& config = model.config();
  require_causal(config);
  require_prompt(prompt, config);
  require_valid(options.sampling);
  const c10::InferenceMode no_gradients;
  const std::size_t room = static_cast<std::size_t>(config.context) - prompt.size();
  const std::size_t most = std::min(options.most_tokens, room);
  KvCache cache =
      model.transformer().make_cache(1, static_cast<std::int64_t>(prompt.size() + most));
  Generation result{
      {}, GenerationEnd::kMostTokens, cache.capacity, cache.bytes(), cache.bytes_per_position()};
  if (room < options.most_tokens) result.end = GenerationEnd::kContext;
  search::RandomStream random(options.key);
  std::span<const std::int32_t> fresh = prompt;
  while (result.ids.size() < most) {
    if (stop.stop_requested()) throw Interrupted();
    const std::vector<float> logits = next_logits(model.transformer(), fresh, cache);
    require_finite(logits, model.pretrained());
    result.ids.push_back(choose_token(logits, options.sampling, random));
    fresh = std::span(result.ids).last(1);
    on_id(fresh[0]);
    if (std::ranges::find(options.stop_ids, fresh[0]) == options.stop_ids.end()) continue;
    result.end = GenerationEnd::kStopId;
    break;
  }
  return result;
}

std::vector<std::int32_t> end_ids(const PretrainedModel& model) {
  constexpr const char* kField = "eos_token_id";
  const auto ids_of = [&](const nlohmann::json& config, const std::string& where) {
    std::vector<std::int32_t> ids;
    require_object(config, where);
    const auto found = config.find(kField);
    if (found == config.end() || found->is_null()) return ids;
    const nlohmann::json list = found->is_array() ? *found : nlohmann::json::array({*found});
    constexpr std::int64_t kMost = std::int64_t{1} << 28;  // as of the ids of config.json
    for (const nlohmann::json& value : list) {
      const std::int64_t id = checked_int(value, field_of(where, kField), -kMost, kMost);
      if (id >= 0 && id < model.config.vocabulary) ids.push_back(static_cast<std::int32_t>(id));
    }
    return ids;
  };
  const auto file = model.checkpoint.directory() / "generation_config.json";
  if (std::filesystem::exists(file)) {
    const std::vector<std::int32_t> ids = ids_of(read_json_file(file), file.string());
    if (!ids.empty()) return ids;
  }
  return ids_of(model.checkpoint.config(), model.checkpoint.config_where());
}

}  // namespace regroup::models
