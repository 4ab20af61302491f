#include "search/groupings/compute_model.hpp"

#include <vector>

#include "search/base/random.hpp"
#include "tests/support/catch.hpp"

using namespace regroup::search;
using regroup::tests::Approx;

namespace {

/// Multiplications of a product of a vector [inner] with a matrix [inner, outer].
std::int64_t product(std::int64_t inner, std::int64_t outer) {
  std::int64_t count = 0;
  for (std::int64_t column = 0; column < outer; ++column) {
    for (std::int64_t row = 0; row < inner; ++row) ++count;
  }
  return count;
}

/// A layer gone through as it computes a token, product by product.
std::int64_t naive_multiplications(const AttentionShape& layer) {
  std::int64_t count = 0;
  for (int group = 0; group < layer.key_groups; ++group) {
    count += product(layer.model_width, layer.key_width);
  }
  for (int group = 0; group < layer.value_groups; ++group) {
    count += product(layer.model_width, layer.value_width);
  }
  for (int head = 0; head < layer.query_heads; ++head) {
    count += product(layer.model_width, layer.key_width);    // its query
    count += product(layer.key_width, layer.context);        // a score for each cached token
    count += product(layer.context, layer.value_width);      // the values' weighted sum
    count += product(layer.value_width, layer.model_width);  // its part of the output
  }
  return count;
}

std::int64_t up_to(int most, RandomStream& random) {
  return 1 + random.below(most);
}

}  // namespace

TEST_CASE("multiplications of a layer are those of its products") {
  RandomStream random{RandomKey(1)};
  for (int draw = 0; draw < 100; ++draw) {
    const AttentionShape layer = {up_to(6, random), up_to(6, random), up_to(6, random),
                                  up_to(9, random), up_to(9, random), up_to(20, random),
                                  up_to(30, random)};
    CHECK(multiplications(layer) == naive_multiplications(layer));
  }
}

TEST_CASE("multiplications of a long context do not overflow") {
  const AttentionShape layer = {128, 8, 8, 128, 128, 16384, 10'000'000};
  CHECK(multiplications(layer) == 128 * 256 * 10'000'000LL + 16384LL * (2 * 16384 + 2048));
}

TEST_CASE("compute is relative to the source's layers together") {
  const AttentionShape first = {4, 4, 4, 8, 8, 32, 100};
  const AttentionShape second = {4, 4, 4, 8, 8, 32, 20};
  const ComputeModel model(std::vector{first, second});
  CHECK(model.relative(std::vector{first, second}) == 1);
  AttentionShape grouped = first;
  grouped.key_groups = grouped.value_groups = 2;
  // 32 · 4 · 8 multiplications less, of 6400 + 4096 + 1280 + 4096.
  CHECK(model.relative(std::vector{grouped, second}) == Approx(1 - 1024.0 / 15872));
  AttentionShape wide = grouped;
  wide.key_groups = wide.value_groups = 1;
  wide.key_width = wide.value_width = 16;
  // 12800 + 5120 of the first layer in place of 6400 + 4096.
  CHECK(model.relative(std::vector{wide, second}) == Approx(23296.0 / 15872));
}
