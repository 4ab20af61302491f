#include "apps/shell/completion.hpp"

namespace regroup::apps {

const std::vector<CompletedShell>& completed_shells() {
  static const std::vector<CompletedShell> shells = {
      {"bash", bash_completion}, {"zsh", zsh_completion}, {"fish", fish_completion}};
  return shells;
}

}  // namespace regroup::apps
