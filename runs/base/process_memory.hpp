#pragma once

namespace regroup::runs {

/// Bytes of main memory that this process may have: the machine's, or less where its control group
/// has a limit.
double process_memory();

}  // namespace regroup::runs
