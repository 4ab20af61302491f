#pragma once

#include <cstdio>
#include <mutex>

#include "apps/terminal/stage_progress.hpp"
#include "search/base/progress.hpp"

namespace regroup::apps {

/// A plain line at the end of a stage, and now and then during a long one, for logs and pipes.
class ProgressLines : public search::Progress {
 public:
  explicit ProgressLines(std::FILE* out) : out_(out) {}
  void begin(const std::string& stage, std::size_t total, const std::string& unit) override;
  void advance(std::size_t steps) override;
  void end() override;

 private:
  std::FILE* out_;
  std::mutex mutex_;
  StageProgress clock_;
  double said_at_ = 0;  // seconds into the stage
};

}  // namespace regroup::apps
