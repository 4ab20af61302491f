#pragma once

#include <cstddef>
#include <string_view>

/// What reader and writer of safetensors files share.
namespace regroup::models {

/// Bytes of the number at the start of the file that tells the header's length.
inline constexpr std::size_t kHeaderLengthBytes = 8;

/// Multiple to which spaces pad the header, so that the tensors begin aligned.
inline constexpr std::size_t kHeaderAlignment = 8;

/// The header's key that is no tensor.
inline constexpr std::string_view kMetadataKey = "__metadata__";

}  // namespace regroup::models
