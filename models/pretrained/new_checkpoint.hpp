#pragma once

#include <filesystem>

#include "search/base/random.hpp"

namespace regroup::models {

/// Writes a checkpoint for a config.json with the numbers that a training from nothing begins with,
/// float32: matrices and tables N(0, s²), s the config's "initializer_range" or 0.02, those that
/// add to the residual stream s/√(2L) as in GPT-2; norms and scales 1, biases 0; weights of
/// mixtures of keys 1/M, their shifts 0 and N(0, 0.5²) (METHODS §6). Equal arguments give equal
/// bytes. `directory` must exist. Throws InputError for a config that is not supported, WorkError.
void write_new_checkpoint(const std::filesystem::path& config,
                          const std::filesystem::path& directory, search::RandomKey key);

}  // namespace regroup::models
