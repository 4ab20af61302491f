#pragma once

#include "tests/support/catch.hpp"

namespace regroup::tests {

/// Equals what differs by `margin` at most. Approx(value).margin(…) does not say this: it also
/// equals what differs by 1.2e-5 of the value.
inline Approx near(double value, double margin) {
  return Approx(value).epsilon(0.0).margin(margin);
}

}  // namespace regroup::tests
