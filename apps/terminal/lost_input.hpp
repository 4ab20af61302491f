#pragma once

namespace regroup::apps {

/// From now on the process ends with a message and exit code 1 where a file that it reads through
/// memory has become shorter, or its disk fails: the system says so by SIGBUS, at any instruction.
/// What is under a final name is complete at any moment.
void end_on_lost_input();

}  // namespace regroup::apps
