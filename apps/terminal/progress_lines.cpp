#include "apps/terminal/progress_lines.hpp"

#include <fmt/format.h>

#include "apps/terminal/console.hpp"

namespace regroup::apps {
namespace {

constexpr double kSilentSeconds = 20;

}  // namespace

void ProgressLines::begin(const std::string& stage, std::size_t total, const std::string& unit) {
  const std::lock_guard lock(mutex_);
  clock_.begin(stage, total, unit);
  said_at_ = 0;
}

void ProgressLines::advance(std::size_t steps) {
  const std::lock_guard lock(mutex_);
  clock_.advance(steps);
  if (clock_.seconds() - said_at_ < kSilentSeconds) return;
  said_at_ = clock_.seconds();
  fmt::print(out_, "{}: {:.0f} %, {}, {} left\n", clock_.stage(), 100 * clock_.fraction(),
             clock_.rate_text(), runs::duration_text(clock_.seconds_left()));
}

void ProgressLines::end() {
  const std::lock_guard lock(mutex_);
  fmt::print(out_, "{}: {}, {}\n", clock_.stage(), runs::duration_text(clock_.seconds()),
             clock_.rate_text());
}

}  // namespace regroup::apps
