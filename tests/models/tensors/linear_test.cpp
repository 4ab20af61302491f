#include "models/tensors/linear.hpp"

#include <vector>

#include "tests/support/catch.hpp"

using namespace regroup::models;

TEST_CASE("a linear map in bfloat16 is the exact one rounded once, for one position and for many") {
  const auto numbers = [](const std::vector<std::int64_t>& shape, double step) {
    const std::int64_t count = at::empty(shape).numel();
    return at::arange(count, at::kDouble).mul(step).sin().view(shape).to(at::kBFloat16);
  };
  const Linear linear{numbers({24, 160}, 0.7), numbers({24}, 0.3)};
  for (const std::int64_t length : {1, 2, 40}) {
    const at::Tensor x = numbers({2, length, 160}, 1.3);
    const at::Tensor found = linear(x);
    REQUIRE(found.scalar_type() == at::kBFloat16);
    const at::Tensor exact =
        at::linear(x.to(at::kDouble), linear.weight.to(at::kDouble), linear.bias.to(at::kDouble));
    // Half a unit of eight bits, and what float32 sums of 160 products of size 1 may be off.
    const at::Tensor allowed = exact.abs() / 256 + 1e-4;
    CHECK((found.to(at::kDouble) - exact).abs().le(allowed).all().item<bool>());
  }
}
