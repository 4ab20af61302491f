#pragma once

#include "models/training/training_options.hpp"
#include "models/transformer/transformer.hpp"
#include "search/base/random.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// The model whose attention deals heads or loses noise in training as the options ask; in layers
/// whose heads the grouping leaves alone nothing changes. Throws InputError where a layer's keys
/// and values do not share their groups, or its heads have widths of their own.
Transformer with_training_attention(const Transformer& model, const search::Grouping& grouping,
                                    const TrainingOptions& options, search::RandomKey key);

/// The grouping with the deals that the model's layers have come to.
search::Grouping dealt_grouping(const Transformer& model, search::Grouping grouping,
                                const TrainingOptions& options);

/// What the model has in place of its checkpoint's tensors. Of layers that were dealt the stored
/// heads that some query head reads, and no others.
WeightOverlay trained_overlay(const Transformer& model, const search::Grouping& grouping,
                              const PretrainedModel& pretrained, const TrainingOptions& options);

}  // namespace regroup::models
