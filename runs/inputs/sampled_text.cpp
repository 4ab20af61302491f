#include "runs/inputs/sampled_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runs/base/eval_window.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {

models::Windows sample_text(const models::LanguageModel& model, search::RandomKey key,
                            std::stop_token stop, search::Progress& progress) {
  const int context = std::min(model.config().context, static_cast<int>(kSampledContext));
  progress.begin("sampling text from the model",
                 kSampledWindows * static_cast<std::size_t>(context), "tokens");
  models::Windows windows =
      model.sample(static_cast<int>(kSampledWindows), context, key, stop, progress);
  progress.end();
  return windows;
}

void require_can_write_text(const models::PretrainedModel& model, const char* option) {
  if (models::can_write_text(model.config)) return;
  throw InputError(
      {.what = "the model cannot write text to be measured on",
       .where = model.checkpoint.config_where(),
       .expected = fmt::format("{} FILE, or a causal model with bos_token_id", option)});
}

models::Windows calibration_windows(const models::Dataset& data, const models::ModelConfig& config,
                                    std::size_t most_tokens) {
  return models::windows_of(data, config, eval_window(config, 0), most_tokens);
}

}  // namespace regroup::runs
