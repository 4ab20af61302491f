#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/text/chat/value.hpp"

namespace regroup::models::chat {

/// The variables of a template that is being run, those of inner blocks before those around them,
/// and how much it may still do.
class Scope {
 public:
  explicit Scope(std::map<std::string, Value> globals) { levels_.push_back(std::move(globals)); }

  /// Undefined where no level has the name.
  Value find(const std::string& name) const;
  /// Sets a name in the innermost level.
  void set(const std::string& name, Value value) { levels_.back()[name] = std::move(value); }
  void enter() { levels_.emplace_back(); }
  void leave() { levels_.pop_back(); }

  /// Leaves the outermost level alone, as inside of a macro; gives the others, to be put back.
  std::vector<std::map<std::string, Value>> leave_all_but_globals();
  void put_back(std::vector<std::map<std::string, Value>> levels);

  /// Counts a step, or bytes of output. Throws InputError where a template would never end.
  void count(std::size_t steps = 1);

 private:
  std::vector<std::map<std::string, Value>> levels_;
  std::size_t steps_ = 0;
};

}  // namespace regroup::models::chat
