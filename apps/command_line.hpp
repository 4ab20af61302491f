#pragma once

namespace regroup::apps {

/// The whole program: reads the command line, runs the command, turns errors into one message on
/// stderr and an exit code (0 done, 1 failed while working, 2 bad usage or input, 130 interrupted).
int run_command_line(int argc, char** argv);

}  // namespace regroup::apps
