#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

// Written here because no library of Debian reads NPY files in C++; it is one header before the
// numbers.
namespace regroup::models {

/// Token ids of a `.bin` file: those behind a header of llm.c's (dev/data/data_common.py of
/// karpathy/llm.c), uint16 or uint32 as it says; without one little-endian uint16, or uint32 when
/// `vocabulary` exceeds 65,535. Throws InputError if the length is not a whole number of ids or
/// another than the header says, for other files of llm.c and for what another program's mark
/// begins.
std::vector<std::int32_t> read_bin_ids(std::span<const std::byte> bytes, int vocabulary,
                                       const std::string& where);

/// Token ids of a NumPy `.npy` file (versions 1 to 3): one dimension, any integer type, either byte
/// order. Throws InputError for anything else and for an id that does not fit 32 bits.
std::vector<std::int32_t> read_npy_ids(std::span<const std::byte> bytes, const std::string& where);

/// A NumPy `.npy` file (version 1) of ids: one dimension, little-endian int32.
std::string npy_file(std::span<const std::int32_t> ids);

}  // namespace regroup::models
