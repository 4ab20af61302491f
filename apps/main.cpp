#include "apps/command_line.hpp"

int main(int argc, char** argv) {
  return regroup::apps::run_command_line(argc, argv);
}
