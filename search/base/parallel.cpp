#include "search/base/parallel.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <mutex>

namespace regroup::search {
namespace {

constexpr std::size_t kMostThreads = 1 << 16;

std::atomic<int> thread_count{1};

/// An exception must not leave an OpenMP region: the first one, by task number, is kept here.
class FirstFailure {
 public:
  void capture(std::size_t task) {
    const std::lock_guard lock(mutex_);
    if (task < task_) {
      task_ = task;
      exception_ = std::current_exception();
    }
    failed_ = true;
  }
  /// Tasks numbered after a failed one need not begin.
  bool failed() const { return failed_; }
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> failed_{false};
  std::size_t task_ = std::numeric_limits<std::size_t>::max();
  std::exception_ptr exception_;
};

}  // namespace

void set_threads(int threads) {
  thread_count = threads;
}

int threads() {
  return thread_count;
}

void parallel_for(std::size_t count, const std::function<void(std::size_t)>& task) {
  FirstFailure failure;
  // With one thread the region is inactive, and what a single task calls may still be spread.
  const auto most = static_cast<int>(std::min<std::size_t>(count, kMostThreads));
  const int workers = omp_in_parallel() != 0 ? 1 : std::max(1, std::min(threads(), most));
#pragma omp parallel for schedule(dynamic, 1) num_threads(workers)
  for (std::size_t i = 0; i < count; ++i) {
    if (failure.failed()) continue;
    try {
      task(i);
    } catch (...) {
      failure.capture(i);
    }
  }
  failure.rethrow();
}

void for_each_chunk(std::size_t count, const std::function<void(std::size_t)>& task) {
  constexpr std::size_t kChunk = 256;
  parallel_for((count + kChunk - 1) / kChunk, [&](std::size_t chunk) {
    const std::size_t end = std::min(count, (chunk + 1) * kChunk);
    for (std::size_t i = chunk * kChunk; i < end; ++i) task(i);
  });
}

}  // namespace regroup::search
