#pragma once

#include <memory>

#include "models/attention/attention.hpp"
#include "models/attention/attention_setting.hpp"

namespace regroup::models {

/// The attention layer of a checkpoint, of the kind that its config asks for.
std::shared_ptr<const Attention> make_attention(const PretrainedModel& model, int layer,
                                                AttentionSetting setting,
                                                const ComputeOptions& options);

}  // namespace regroup::models
