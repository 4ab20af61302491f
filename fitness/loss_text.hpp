#pragma once

#include <fmt/format.h>

#include <string>

#include "fitness/loss_estimate.hpp"

namespace regroup::fitness {

/// "3.7607 ± 0.0197"; without the standard error where there is none.
inline std::string loss_text(const LossEstimate& loss, int digits) {
  std::string text = fmt::format("{:.{}f}", loss.mean, digits);
  if (loss.standard_error) text += fmt::format(" ± {:.{}f}", *loss.standard_error, digits);
  return text;
}

}  // namespace regroup::fitness
