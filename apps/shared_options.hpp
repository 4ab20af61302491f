#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>

#include "apps/terminal/console.hpp"
#include "models/tensors/compute.hpp"
#include "runs/base/option_checks.hpp"

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

/// --device, --device-memory and --dtype.
struct ComputeChoice {
  std::string device = "cpu";
  std::string dtype = "float32";
  std::string device_memory;  ///< empty: what is free

  void declare(CLI::App& command);
  /// Throws InputError for an unknown or absent device, another type or a limit that is no size or
  /// of no use.
  models::ComputeOptions options() const;
};

/// --scratch, of commands that can do without most of a model's memory; empty: where it is needed.
void declare_scratch(CLI::App& command, std::string& scratch);

/// Throws InputError, naming `option`, if a file that is to be written cannot be: tries it, with
/// the temporary name that the file will have.
void require_writable_file(const std::filesystem::path& file, const std::string& option);

}  // namespace regroup::apps
