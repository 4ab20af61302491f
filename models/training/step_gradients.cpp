#include "models/training/step_gradients.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "models/passes/window_pass.hpp"

namespace regroup::models {
namespace {

/// Positions of one batch: enough for matrix products, and so few that threads share a step.
constexpr std::size_t kBatchPositions = 1024;
constexpr std::size_t kGpuBatchPositions = 16384;

/// Positions of encoder and decoder; sounds are long, and each goes alone.
std::size_t computed_positions(const Windows& windows, std::size_t window) {
  if (!windows.differ_in_length()) return static_cast<std::size_t>(windows.context());
  const TokenPair& pair = windows.pairs()[window];
  return pair.features.empty() ? pair.source.size() + pair.target.size() : kGpuBatchPositions;
}

/// Windows that go through the model together: of the same lengths, as many as have so many
/// positions, and one at least.
std::vector<WindowRange> batches_of(const Windows& windows, const Device& device) {
  const std::size_t most = device.cuda ? kGpuBatchPositions : kBatchPositions;
  std::vector<WindowRange> batches;
  std::size_t positions = 0;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    const std::size_t own = computed_positions(windows, w);
    const bool goes_on =
        !batches.empty() && positions + own <= most && windows.are_alike(batches.back().begin, w);
    if (goes_on) {
      batches.back().end = w + 1;
      positions += own;
    } else {
      batches.push_back({w, w + 1});
      positions = own;
    }
  }
  return batches;
}

/// Sums of batches, added in the order of their numbers as they come in.
class OrderedSum {
 public:
  void add(std::size_t batch, BatchGradients part) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(batch, std::move(part));
    for (auto found = waiting_.find(next_); found != waiting_.end(); found = waiting_.find(next_)) {
      add_defined(sum_.gradients, found->second.gradients);
      add_defined(sum_.sums, found->second.sums);
      sum_.losses.add(found->second.losses);
      waiting_.erase(found);
      ++next_;
    }
  }
  BatchGradients take() && { return std::move(sum_); }

 private:
  std::mutex mutex_;
  std::size_t next_ = 0;
  std::map<std::size_t, BatchGradients> waiting_;
  BatchGradients sum_;
};

}  // namespace

StepGradients step_gradients(const StepProblem& problem, const Windows& windows,
                             search::RandomKey key, std::uint64_t number, std::stop_token stop) {
  OrderedSum sum;
  const Device& device = problem.model.options().device;
  const Windows ordered = windows.by_length();
  const std::vector<WindowRange> batches = batches_of(ordered, device);
  for_each_batch(
      batches.size(), 1, device, std::move(stop),
      [&](std::size_t batch, std::size_t /*end*/) {
        const ForwardPass pass{.is_training = true, .key = key.split(batch), .number = number};
        sum.add(batch, batch_gradients(problem, ordered, batches[batch], pass));
      },
      Gradients::kRecorded);
  BatchGradients whole = std::move(sum).take();
  const auto positions = static_cast<double>(windows.tokens());
  for (at::Tensor& gradient : whole.gradients) {
    if (gradient.defined()) gradient = gradient / positions;
  }
  const BatchLosses& losses = whole.losses;
  StepGradients result{std::move(whole.gradients),
                       {0, losses.cross_entropy / positions, losses.divergence / positions,
                        losses.hidden / positions},
                       std::move(whole.sums)};
  result.losses.total = problem.terms.cross_entropy * result.losses.cross_entropy +
                        problem.terms.divergence * result.losses.divergence +
                        problem.terms.hidden * result.losses.hidden;
  return result;
}

}  // namespace regroup::models
