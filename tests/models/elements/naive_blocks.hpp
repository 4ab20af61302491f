#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace regroup::tests {

// Blocks of ggml's types by the letter of their description: the bits of one element after another.
// Types are their numbers in a GGUF file.

/// A block's elements and bytes.
struct NaiveBlock {
  std::size_t elements = 0;
  std::size_t bytes = 0;
};

/// The block of a type; nothing for one without blocks.
std::optional<NaiveBlock> naive_block(std::uint32_t type);

/// Element i of a block, in double.
double naive_element(std::uint32_t type, const std::uint8_t* block, int i);

/// A number in F16, from its two bytes.
double naive_half(const std::uint8_t* bytes);

}  // namespace regroup::tests
