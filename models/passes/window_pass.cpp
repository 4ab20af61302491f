#include "models/passes/window_pass.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "search/base/error.hpp"
#include "search/base/parallel.hpp"

namespace regroup::models {
namespace {

constexpr std::size_t kBatchTokens = 2048;
/// A GPU is only busy with more; and layers that stream through it are copied once a batch.
constexpr std::size_t kGpuBatchTokens = 16384;

/// Calls `task` for 0 … count − 1 where the device wants it.
void spread(std::size_t count, const Device& device, Gradients gradients,
            const std::function<void(std::size_t)>& task) {
  const auto run = [&](std::size_t i) {
    const at::AutoGradMode mode(gradients == Gradients::kRecorded);
    task(i);
  };
  if (device.cuda) {
    for (std::size_t i = 0; i < count; ++i) run(i);
  } else {
    search::parallel_for(count, run);
  }
}

}  // namespace

std::size_t batch_windows(const Windows& windows, const Device& device) {
  if (windows.differ_in_length()) return 1;
  return batch_sequences(static_cast<std::size_t>(windows.context()), device);
}

std::size_t batch_sequences(std::size_t length, const Device& device) {
  return std::max<std::size_t>(1, (device.cuda ? kGpuBatchTokens : kBatchTokens) / length);
}

void for_each_batch(std::size_t count, std::size_t batch, const Device& device,
                    std::stop_token stop,
                    const std::function<void(std::size_t begin, std::size_t end)>& task,
                    Gradients gradients) {
  spread((count + batch - 1) / batch, device, gradients, [&](std::size_t i) {
    if (stop.stop_requested()) throw Interrupted();
    task(i * batch, std::min(count, (i + 1) * batch));
  });
}

void for_each_window(std::size_t windows, const Device& device, std::stop_token stop,
                     const std::function<void(std::size_t window)>& task, Gradients gradients) {
  spread(windows, device, gradients, [&](std::size_t window) {
    if (stop.stop_requested()) throw Interrupted();
    task(window);
  });
}

void for_each_share(std::size_t windows, const Device& device, std::stop_token stop,
                    const std::function<void(std::size_t share, std::size_t window)>& task,
                    Gradients gradients, std::size_t shares) {
  spread(std::min(windows, shares), device, gradients, [&](std::size_t share) {
    for (std::size_t window = share; window < windows; window += shares) {
      if (stop.stop_requested()) throw Interrupted();
      task(share, window);
    }
  });
}

}  // namespace regroup::models
