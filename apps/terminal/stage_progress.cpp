#include "apps/terminal/stage_progress.hpp"

#include <fmt/format.h>

#include <utility>

namespace regroup::apps {

void StageProgress::begin(std::string stage, std::size_t total, std::string unit) {
  stage_ = std::move(stage);
  unit_ = std::move(unit);
  total_ = total;
  done_ = 0;
  started_ = Clock::now();
}

double StageProgress::fraction() const {
  return total_ == 0 ? 1.0 : static_cast<double>(done_) / static_cast<double>(total_);
}

double StageProgress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - started_).count();
}

std::string StageProgress::rate_text() const {
  const double elapsed = seconds();
  const double rate = elapsed > 0 ? static_cast<double>(done_) / elapsed : 0;
  constexpr double kThousand = 1000;
  return rate >= 10 * kThousand ? fmt::format("{:.1f}k {}/s", rate / kThousand, unit_)
                                : fmt::format("{:.4g} {}/s", rate, unit_);
}

double StageProgress::seconds_left() const {
  return done_ == 0 ? 0
                    : seconds() * static_cast<double>(total_ - done_) / static_cast<double>(done_);
}

}  // namespace regroup::apps
