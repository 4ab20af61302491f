#pragma once

#include <memory>

#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

class WeightOverlay;

/// The same model with keys and values that are turned by orthonormal Hadamard matrices, which
/// spread outliers over the blocks of a quantised cache; what reads them is turned likewise. Values
/// are turned in parts of the largest power of two, up to 128, that divides their width; keys
/// without rotary embedding too. Under rotary embedding the pairs of one frequency are turned among
/// each other, which a head of the source's width has one of. Keys that a norm follows, and all
/// projections that are clipped, stay as they are. Of the checkpoint itself where `overlay` is
/// null.
std::shared_ptr<const WeightOverlay> rotated_for_cache(std::shared_ptr<const PretrainedModel> model,
                                                       const WeightOverlay* overlay);

}  // namespace regroup::models
