#pragma once

#include <cstddef>
#include <stop_token>

#include "models/inputs/dataset.hpp"
#include "models/language_model/language_model.hpp"
#include "search/base/progress.hpp"

namespace regroup::runs {

/// What it is at most, in windows of so many tokens.
inline constexpr std::size_t kSampledWindows = 64;
inline constexpr std::size_t kSampledContext = 256;

/// The text that stands in for data that are not given: 64 windows of min(context, 256) tokens that
/// the model writes itself (DESIGN, "Data").
models::Windows sample_text(const models::LanguageModel& model, search::RandomKey key,
                            std::stop_token stop, search::Progress& progress);

/// Throws InputError, naming the option that gives data, if the model cannot write text.
void require_can_write_text(const models::PretrainedModel& model, const char* option);

/// Windows of the model's own length; `most_tokens` 0: all, else spread evenly over the data.
/// Throws InputError for too short a text.
models::Windows calibration_windows(const models::Dataset& data, const models::ModelConfig& config,
                                    std::size_t most_tokens);

}  // namespace regroup::runs
