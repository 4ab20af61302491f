#pragma once

#include <cstddef>
#include <string>

namespace regroup::search {

/// Where long work says how far it is. Implementations must be thread-safe: any thread may advance.
class Progress {
 public:
  virtual ~Progress() = default;
  /// A stage of `total` steps begins, each step one `unit` ("generations", "tokens").
  virtual void begin(const std::string& stage, std::size_t total, const std::string& unit) = 0;
  virtual void advance(std::size_t steps) = 0;
  virtual void end() = 0;
};

/// Says nothing.
class SilentProgress : public Progress {
 public:
  void begin(const std::string&, std::size_t, const std::string&) override {}
  void advance(std::size_t) override {}
  void end() override {}
};

}  // namespace regroup::search
