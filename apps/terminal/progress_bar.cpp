#include "apps/terminal/progress_bar.hpp"

#include <fmt/format.h>

#include "apps/terminal/console.hpp"

namespace regroup::apps {
namespace {

constexpr int kCells = 24;
constexpr double kRedrawSeconds = 0.1;

std::string bar_text(double fraction) {
  const int full = static_cast<int>(fraction * kCells + 0.5);
  std::string bar;
  for (int cell = 0; cell < kCells; ++cell) bar += cell < full ? "█" : "░";
  return bar;
}

}  // namespace

void ProgressBar::begin(const std::string& stage, std::size_t total, const std::string& unit) {
  const std::lock_guard lock(mutex_);
  clock_.begin(stage, total, unit);
  open_ = true;
  draw();
}

ProgressBar::~ProgressBar() {
  if (open_) fmt::print(out_, "\n");
}

void ProgressBar::advance(std::size_t steps) {
  const std::lock_guard lock(mutex_);
  clock_.advance(steps);
  if (clock_.seconds() - drawn_at_ >= kRedrawSeconds) draw();
}

void ProgressBar::end() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  fmt::print(out_, "\r\033[K{}: {}, {}\n", clock_.stage(), runs::duration_text(clock_.seconds()),
             clock_.rate_text());
  std::fflush(out_);
}

void ProgressBar::draw() {
  drawn_at_ = clock_.seconds();
  fmt::print(out_, "\r\033[K{} {} {:3.0f} %  {}  {} left", clock_.stage(),
             bar_text(clock_.fraction()), 100 * clock_.fraction(), clock_.rate_text(),
             runs::duration_text(clock_.seconds_left()));
  std::fflush(out_);
}

}  // namespace regroup::apps
