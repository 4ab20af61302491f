#include "models/tensors/compute.hpp"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <charconv>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

[[noreturn]] void fail_device(std::string what, std::string expected, std::string_view found) {
  throw InputError({.what = std::move(what),
                    .where = "--device",
                    .expected = std::move(expected),
                    .found = std::string(found)});
}

int cuda_devices() {
  return at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().deviceCount()) : 0;
}

}  // namespace

std::string Device::to_string() const {
  return cuda ? fmt::format("cuda:{}", index) : std::string("cpu");
}

Device parse_device(std::string_view text) {
  constexpr std::string_view kCuda = "cuda";
  if (text == "cpu") return {};
  Device device{.cuda = true};
  const bool numbered = text.substr(0, kCuda.size() + 1) == "cuda:";
  if (numbered) {
    const std::string_view digits = text.substr(kCuda.size() + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), device.index);
    if (error != std::errc() || end != digits.data() + digits.size() || device.index < 0) {
      fail_device("device is not known", "cpu, cuda or cuda:N", text);
    }
  } else if (text != kCuda) {
    fail_device("device is not known", "cpu, cuda or cuda:N", text);
  }
  if (device.index >= cuda_devices()) {
    fail_device("device is not available",
                fmt::format("cpu, or one of {} CUDA devices", cuda_devices()), text);
  }
  return device;
}

void use_one_thread_per_operation() {
  at::set_num_threads(1);
}

}  // namespace regroup::models
