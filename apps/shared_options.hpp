#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

#include "apps/terminal/console.hpp"
#include "models/tensors/compute.hpp"

namespace regroup::apps {

/// -q and -v.
struct VerbosityOptions {
  bool quiet = false;
  bool verbose = false;

  void declare(CLI::App& command);
  Verbosity verbosity() const;
};

/// -j/--threads.
struct ThreadOptions {
  int threads = 0;  ///< set by declare() to the processors this process may run on

  void declare(CLI::App& command);
  /// Sets the threads of the process and returns their number. Throws InputError below 1.
  int apply() const;
};

/// --device and --dtype.
struct ComputeChoice {
  std::string device = "cpu";
  std::string dtype = "float32";
  std::string device_memory;  ///< empty: what is free

  void declare(CLI::App& command);
  /// Throws InputError for an unknown or absent device, another type or a limit that is no size or
  /// of no use.
  models::ComputeOptions options() const;
};

/// Text with a size, "5GB", as bytes. Throws InputError naming `option`.
std::uint64_t parse_size(const std::string& text, const std::string& option);

/// Throws InputError, naming `option`, if a file that is to be written cannot be: tries it, with
/// the temporary name that the file will have.
void require_writable_file(const std::filesystem::path& file, const std::string& option);

/// Less than the largest number, to which the option parser clamps what does not fit.
inline constexpr std::int64_t kLargestOption = std::numeric_limits<std::int64_t>::max() - 1;
/// Throws InputError, naming `option`, unless least ≤ value ≤ most.
void require_range(std::int64_t value, std::int64_t least, std::int64_t most, const char* option);

/// Throws InputError unless a limit of --kv lies in (0, 1].
void require_kv_limit(double limit);

}  // namespace regroup::apps
