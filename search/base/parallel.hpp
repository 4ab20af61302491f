#pragma once

#include <cstddef>
#include <functional>

namespace regroup::search {

/// Threads that `parallel_for` uses from now on, ≥ 1 (process-wide; set once by the program).
void set_threads(int threads);
/// Threads that `parallel_for` uses.
int threads();

/// Calls `task(0)`, …, `task(count − 1)`, spread over the threads, one task at a time on each.
/// A task may run on any thread, so its result must depend on its number alone. The exception of
/// the lowest-numbered failing task is rethrown after all tasks that had begun have ended.
/// Inside a task a nested call runs serially, unless the task is the only one.
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& task);

/// The same for many small tasks, which are handed to threads in chunks; few of them run serially.
void for_each_chunk(std::size_t count, const std::function<void(std::size_t)>& task);

}  // namespace regroup::search
