#pragma once

#include <stop_token>
#include <vector>

#include "models/inputs/windows.hpp"
#include "models/language_model/language_model.hpp"

namespace regroup::models {

/// What a model makes of the labels of one window: next tokens, the class of an image or a text, or
/// the tokens of a pair's target.
struct LabelScore {
  double loss = 0;        ///< mean −log p of the labels, nats
  bool is_exact = false;  ///< every label is the most likely one, as greedy decoding finds them
};

/// Whether the data hold what the model should say: all but models of masked tokens and those
/// without a head.
bool has_labels(const ModelConfig& config);

/// Scores of every window, of encoder-decoders too. Throws InputError for a model without labels
/// and else as `LanguageModel::window_losses`. Progress counts scored positions.
std::vector<LabelScore> label_scores(const LanguageModel& model, const Windows& windows,
                                     std::stop_token stop, search::Progress& progress);

}  // namespace regroup::models
