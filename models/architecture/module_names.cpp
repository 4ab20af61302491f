#include "models/architecture/module_names.hpp"

#include <fmt/format.h>

namespace regroup::models {

std::string module_name(std::string_view name, int block) {
  return fmt::format(fmt::runtime(name), block);
}

std::string expert_name(std::string_view name, int block, int expert) {
  return fmt::format(fmt::runtime(name), block, expert);
}

}  // namespace regroup::models
