#include <cmath>

#include "models/passes/logit_losses.hpp"
#include "tests/support/catch.hpp"

using namespace regroup::models;
using regroup::tests::Approx;

TEST_CASE("hidden states are compared by their relative distance and their cosine") {
  const at::Tensor source = at::tensor(std::vector<double>{3, 4, 0, 0, 0, 2}).view({2, 3});
  const at::Tensor states = at::tensor(std::vector<double>{3, 0, 0, 0, 1, 1}).view({2, 3});
  const at::Tensor distances = state_distances(source, states);
  CHECK(distances[0].item<double>() == 16.0 / 25);
  CHECK(distances[1].item<double>() == 2.0 / 4);
  const at::Tensor cosines = state_cosines(source, states);
  CHECK(cosines[0].item<double>() == Approx(9.0 / 15));
  CHECK(cosines[1].item<double>() == Approx(1 / std::sqrt(2.0)));
  CHECK(state_distances(source, source).sum().item<double>() == 0);
}

TEST_CASE("gradients of drawn states have the curvature of the distance") {
  // Half of the second derivative of |h − h'|²/|h|² in every direction is 1/|h|², as large as the
  // mean product of the gradients is over 2.
  const at::Tensor state = at::tensor(std::vector<double>{3, 4}).view({1, 2});
  at::Tensor sum = at::zeros({2, 2}, at::kDouble);
  for (const double a : {-1.0, 1.0}) {
    for (const double b : {-1.0, 1.0}) {
      const at::Tensor drawn = at::tensor(std::vector<double>{a, b}).view({1, 2});
      const at::Tensor gradient = drawn_state_gradient(state, drawn);
      sum += at::mm(gradient.t(), gradient) / 4;
    }
  }
  CHECK(at::allclose(sum / 2, at::eye(2, at::kDouble) / 25));
}
