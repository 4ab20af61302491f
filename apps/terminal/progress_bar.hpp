#pragma once

#include <cstdio>
#include <mutex>

#include "apps/terminal/stage_progress.hpp"
#include "search/base/progress.hpp"

namespace regroup::apps {

/// One bar per stage with rate and time left, redrawn in place at most ten times a second.
class ProgressBar : public search::Progress {
 public:
  explicit ProgressBar(std::FILE* out) : out_(out) {}
  /// Ends the line of a stage that was broken off.
  ~ProgressBar() override;
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  void begin(const std::string& stage, std::size_t total, const std::string& unit) override;
  void advance(std::size_t steps) override;
  void end() override;

 private:
  void draw();

  std::FILE* out_;
  std::mutex mutex_;
  StageProgress clock_;
  double drawn_at_ = 0;  // seconds into the stage
  bool open_ = false;
};

}  // namespace regroup::apps
