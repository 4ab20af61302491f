#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace regroup::runs {

/// Text with a size, "5GB", as bytes. Throws InputError naming `option`.
std::uint64_t parse_size(const std::string& text, const std::string& option);

/// Less than the largest number, to which the option parser clamps what does not fit.
inline constexpr std::int64_t kLargestOption = std::numeric_limits<std::int64_t>::max() - 1;
/// Throws InputError, naming `option`, unless least ≤ value ≤ most.
void require_range(std::int64_t value, std::int64_t least, std::int64_t most, const char* option);

/// Throws InputError unless a limit of --kv lies in (0, 1].
void require_kv_limit(double limit);

}  // namespace regroup::runs
