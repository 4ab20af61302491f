#pragma once

#include "models/inputs/windows.hpp"
#include "models/transformer/transformer.hpp"
#include "search/costs/key_grams.hpp"

namespace regroup::models {

/// Fills grams.layers[layer][w] for windows begin … end − 1 in one batch: ⟨K_i, K_j⟩ over a
/// window's inputs, [n_K, n_K], summed in double on the device. RoPE turns keys of one position
/// alike and so changes no product. Throws WorkError if one is not finite.
void batch_key_grams(const Transformer& transformer, const Windows& windows, std::size_t begin,
                     std::size_t end, search::KeyGrams& grams);

}  // namespace regroup::models
