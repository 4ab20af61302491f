#pragma once

#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// Finds out how the checkpoint calls the family's tensors, and whether the head is one of its own:
/// fills in `stored_names`, `tied_embeddings` and, where config.json names no class, `has_head`. As
/// transformers on loading: names with or without the base model's, other names of a part, the
/// token table or the head alone for both. Reads a head and a token table that are both stored.
void match_tensors(PretrainedModel& model);

}  // namespace regroup::models
