#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>

#include "models/inputs/windows.hpp"
#include "models/tensors/compute.hpp"

namespace regroup::models {

/// Partial sums over windows, each made on one thread at a time. A fixed number, so that sums do
/// not depend on the number of threads; each costs the memory of one sum.
inline constexpr std::size_t kWindowShares = 8;
/// Fewer for models of a width whose sums of D² doubles are large.
inline std::size_t window_shares(std::int64_t width) {
  constexpr std::int64_t kWide = 2048;
  return width < kWide ? kWindowShares : kWindowShares / 2;
}

/// Whether what a pass computes from tensors that need gradients can be differentiated. Forward
/// passes themselves are the same either way, to the bit: no other place turns gradients on or off.
enum class Gradients { kNone, kRecorded };

/// Windows of one batch: begin … end − 1.
struct WindowRange {
  std::size_t begin;
  std::size_t end;
};

/// Windows that go through the model together: so many tokens as keep matrix products efficient. It
/// depends on the windows and the kind of device alone, so that results do not depend on the number
/// of threads.
std::size_t batch_windows(const Windows& windows, const Device& device);
/// The same for sequences of so many input tokens.
std::size_t batch_sequences(std::size_t length, const Device& device);

/// Calls `task` for batches [begin, end) of `count` items, spread over the threads; a GPU gets one
/// batch at a time. Throws Interrupted on `stop`.
void for_each_batch(std::size_t count, std::size_t batch, const Device& device,
                    std::stop_token stop,
                    const std::function<void(std::size_t begin, std::size_t end)>& task,
                    Gradients gradients = Gradients::kNone);

/// Calls `task` for every window, spread over the threads; a GPU gets one window at a time. Throws
/// Interrupted on `stop`.
void for_each_window(std::size_t windows, const Device& device, std::stop_token stop,
                     const std::function<void(std::size_t window)>& task,
                     Gradients gradients = Gradients::kNone);

/// The same with the windows of a share one after another, in order: a task may add to what belongs
/// to its share. Windows share + i · shares belong together.
void for_each_share(std::size_t windows, const Device& device, std::stop_token stop,
                    const std::function<void(std::size_t share, std::size_t window)>& task,
                    Gradients gradients = Gradients::kNone, std::size_t shares = kWindowShares);

}  // namespace regroup::models
