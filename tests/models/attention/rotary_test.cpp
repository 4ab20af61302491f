#include <algorithm>

#include "models/architecture/families/families.hpp"
#include "models/attention/rotary.hpp"
#include "models/files/json_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"

using namespace regroup;
using namespace regroup::models;
using nlohmann::json;

namespace {

ModelConfig config_of(const json& config) {
  return read_model_config(config, find_architecture(config, "config.json"), "config.json");
}

/// The tables as turning shows them: of the first row of every plane, its cosine in its own place
/// and its sine in its partner's.
at::Tensor turned_units(const Rotary& rotary, const RotaryConfig& config, std::int64_t length,
                        std::int64_t offset) {
  const std::int64_t half = config.dimensions / 2;
  const at::Tensor units = at::eye(config.dimensions).slice(0, 0, half);
  return rotary.apply(units.view({1, half, 1, -1}).expand({1, half, length, -1}), offset)[0];
}

at::Tensor table(const json& rows) {
  std::vector<float> numbers;
  for (const json& row : rows) {
    for (const json& number : row) numbers.push_back(number.get<float>());
  }
  return at::tensor(numbers).view({std::ssize(rows), -1});
}

}  // namespace

TEST_CASE("every rope type turns as transformers turns, at all positions and past the context") {
  const json goldens = read_json_file(tests::source_folder() /
                                      "tests/models/attention/rotary_goldens/rotary_goldens.json");
  REQUIRE(goldens.at("cases").size() == 18);
  for (const json& golden : goldens.at("cases")) {
    CAPTURE(golden.at("name").get<std::string>());
    const ModelConfig config = config_of(golden.at("config"));
    const std::int64_t length = golden.at("length");
    // Tables for no more than the context: a longer window makes its own.
    const Rotary rotary(config.rotary, std::max<int>(config.context, static_cast<int>(length)),
                        ComputeOptions{});
    const at::Tensor cosines = table(golden.at("cosines"));
    const at::Tensor sines = table(golden.at("sines"));
    const at::Tensor turned = turned_units(rotary, config.rotary, length, 0);
    const std::int64_t half = config.rotary.dimensions / 2;
    for (std::int64_t plane = 0; plane < half; ++plane) {
      CHECK(at::allclose(turned[plane].select(1, plane), cosines.select(1, plane), 0, 2e-6));
      CHECK(at::allclose(turned[plane].select(1, half + plane), sines.select(1, plane), 0, 2e-6));
    }
    // One position at a time gives the last row: its window is as long.
    const at::Tensor last = turned_units(rotary, config.rotary, 1, length - 1);
    CHECK(at::equal(last.select(1, 0), turned.select(1, length - 1)));
    // Every third position of the window, from the second on, turns as in the whole window.
    const at::Tensor some = turned.slice(1, 1, length, 3);
    const Rotary chosen = rotary.at_positions(1, 3, length);
    CHECK(at::equal(turned_units(chosen, config.rotary, some.size(1), 0), some));
  }
}

TEST_CASE("neighbouring rows turn together where the family has them so") {
  const RotaryConfig split{6, RotaryLayout::kHalfSplit, 100, {}};
  const RotaryConfig neighbours{6, RotaryLayout::kInterleaved, 100, {}};
  const at::Tensor heads = at::arange(2 * 3 * 5 * 8, at::kFloat).view({2, 3, 5, 8}).sin();
  const at::Tensor order = at::tensor(std::vector<std::int64_t>{0, 2, 4, 1, 3, 5, 6, 7}, at::kLong);
  const at::Tensor back = order.argsort();
  const Rotary one(split, 16, ComputeOptions{});
  const Rotary other(neighbours, 16, ComputeOptions{});
  const at::Tensor expected = one.apply(heads.index_select(3, order), 4).index_select(3, back);
  CHECK(at::allclose(other.apply(heads, 4), expected));
  CHECK(at::allclose(other.undo(other.apply(heads, 0)), heads, 0, 1e-5));
  CHECK_FALSE(at::allclose(other.apply(heads, 4), one.apply(heads, 4)));
}
