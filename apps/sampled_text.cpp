#include "apps/sampled_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/eval_window.hpp"
#include "search/error.hpp"

namespace regroup::apps {
namespace {

constexpr int kSampledWindows = 64;
constexpr int kSampledContext = 256;

}  // namespace

models::TokenWindows sample_text(const models::LanguageModel& model, search::RandomKey key,
                                 std::stop_token stop, search::Progress& progress) {
  const int context = std::min(model.config().context, kSampledContext);
  progress.begin("sampling text from the model",
                 static_cast<std::size_t>(kSampledWindows) * static_cast<std::size_t>(context),
                 "tokens");
  models::TokenWindows windows = model.sample(kSampledWindows, context, key, stop, progress);
  progress.end();
  return windows;
}

void require_can_write_text(const models::PretrainedModel& model, const char* option) {
  if (model.config.bos) return;
  throw InputError({.what = "the model has no begin-of-sequence token to sample text from",
                    .where = model.checkpoint.config_where(),
                    .expected = fmt::format("bos_token_id, or {} FILE", option)});
}

models::TokenWindows calibration_windows(const models::TokenData& data,
                                         const models::ModelConfig& config,
                                         std::size_t most_tokens) {
  return models::TokenWindows::of_stream(data.ids, eval_window(config, 0), most_tokens,
                                         data.file.string());
}

}  // namespace regroup::apps
