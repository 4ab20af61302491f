#include "apps/shared_options.hpp"

#include <fmt/format.h>
#include <sched.h>

#include "models/files/atomic_file.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"

namespace regroup::apps {
namespace {

int processors_of_this_process() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

constexpr int kMostThreads = 4096;

}  // namespace

void VerbosityOptions::declare(CLI::App& command) {
  CLI::Option* quiet_flag = command.add_flag("-q,--quiet", quiet, "No progress and no remarks");
  command.add_flag("-v,--verbose", verbose, "More remarks")->excludes(quiet_flag);
}

Verbosity VerbosityOptions::verbosity() const {
  if (quiet) return Verbosity::kQuiet;
  return verbose ? Verbosity::kVerbose : Verbosity::kNormal;
}

void ThreadOptions::declare(CLI::App& command) {
  threads = processors_of_this_process();
  command
      .add_option("-j,--threads", threads,
                  "Threads; results do not depend on their number (default: the processors this "
                  "process may use)")
      ->type_name("N");
}

int ThreadOptions::apply() const {
  if (threads < 1 || threads > kMostThreads) {
    throw InputError({.what = "number of threads is out of range",
                      .where = "--threads",
                      .expected = fmt::format("1 to {}", kMostThreads),
                      .found = std::to_string(threads)});
  }
  search::set_threads(threads);
  models::use_one_thread_per_operation();
  return threads;
}

void ComputeChoice::declare(CLI::App& command) {
  command.add_option("--device", device, "Where to compute: cpu, cuda or cuda:N")
      ->capture_default_str()
      ->type_name("DEVICE");
  command
      .add_option("--device-memory", device_memory,
                  "With a GPU: put weights there until so much of its memory is taken, as 8GB; "
                  "further layers stay in host memory and stream through it (default: what is "
                  "free, less room to compute in)")
      ->type_name("SIZE");
  command
      .add_option("--dtype", dtype,
                  "Type of computation, float32 or bfloat16, whatever the checkpoint's")
      ->capture_default_str()
      ->type_name("TYPE");
}

void declare_scratch(CLI::App& command, std::string& scratch) {
  command
      .add_option("--scratch", scratch,
                  "Leave weights in the model's file and put what grows with its depth into this "
                  "directory, for models that do not fit into memory; the result is the same "
                  "(default: so where the weights would take more than half of the memory, beside "
                  "the output)")
      ->type_name("DIR");
}

models::ComputeOptions ComputeChoice::options() const {
  const auto type = models::dtype_from_config(dtype);
  if (type != models::DType::kF32 && type != models::DType::kBF16) {
    throw InputError({.what = "type of computation is not supported",
                      .where = "--dtype",
                      .expected = "float32 or bfloat16",
                      .found = dtype});
  }
  models::ComputeOptions options{*type, models::parse_device(device), {}};
  if (device_memory.empty()) return options;
  options.weight_memory = runs::parse_size(device_memory, "--device-memory");
  if (options.device.cuda) return options;
  throw InputError({.what = "only a GPU's memory is limited",
                    .where = "--device-memory",
                    .expected = "--device cuda beside it",
                    .found = "--device " + device});
}

void require_writable_file(const std::filesystem::path& file, const std::string& option) {
  const auto refuse = [&](const std::string& found) {
    throw InputError({.what = "output file cannot be written",
                      .where = fmt::format("{} {}", option, file.string()),
                      .expected = "a file name in a folder that exists and can be written",
                      .found = found});
  };
  if (std::filesystem::is_directory(file)) refuse("a directory");
  try {
    const models::AtomicFile probe(file);  // removed again, for it is not committed
  } catch (const WorkError& error) {
    refuse(error.parts().found);
  }
}

}  // namespace regroup::apps
