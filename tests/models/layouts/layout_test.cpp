#include "models/layouts/layout.hpp"

#include "search/base/error.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

TEST_CASE("query heads whose slopes come from their places stay where they are") {
  ModelConfig config;
  config.architecture = "FalconForCausalLM";
  config.query_heads = 8;
  config.kv_heads = 4;
  config.head_dim = 4;
  config.width = 32;
  const HeadMap neighbours({0, 0, 0, 0, 1, 1, 1, 1}, 2);
  const HeadMap crossed({0, 0, 1, 1, 0, 0, 1, 1}, 2);
  const ModelHeadMaps kept = {{neighbours, neighbours}};
  const ModelHeadMaps moved = {{crossed, crossed}};
  const auto layout_of = [&](const ModelHeadMaps& maps) {
    return layout_name(default_layout(maps, config, ModelCode::kRuns));
  };
  CHECK(layout_of(moved) == "standard");

  config.alibi.slopes = {1, .5, .25, .125, .06, .03, .02, .01};
  CHECK(layout_of(kept) == "standard");
  CHECK(layout_of(moved) == "expand");
  for (const Layout layout : {Layout::kStandard, Layout::kPerLayer, Layout::kPad}) {
    CAPTURE(layout_name(layout));
    CHECK(holds(layout, kept, config) == (layout != Layout::kPad));
    CHECK_FALSE(holds(layout, moved, config));
    CHECK_THROWS_WITH(require_holds(layout, moved, config), contains("slopes by their places"));
  }
  CHECK_THROWS_WITH(require_holds(Layout::kPad, kept, config), contains("slopes by their places"));
  CHECK_THROWS_WITH(require_holds(Layout::kFree, kept, config), contains("as wide as a head"));
}

TEST_CASE("a refused layout says what it is that it cannot hold") {
  ModelConfig config;
  config.architecture = "Olmo2ForCausalLM";
  config.query_heads = config.kv_heads = 4;
  config.head_dim = 8;
  config.width = 32;
  config.query_key_norm = QueryKeyNorm::kWhole;
  const HeadMap uneven({0, 0, 0, 1}, 2);
  const ModelHeadMaps maps = {{uneven, uneven}};
  CHECK_THROWS_WITH(require_holds(Layout::kPad, maps, config), contains("runs over all heads"));
  CHECK_THROWS_WITH(require_holds(Layout::kPerLayer, maps, config),
                    contains("groups of other sizes within a layer"));
  config.query_key_norm = QueryKeyNorm::kNone;
  config.takes_wide_heads = true;
  const ModelHeadMaps wide = {{uneven, uneven, LayerWidths{16, 16}}};
  CHECK_THROWS_WITH(require_holds(Layout::kExpand, wide, config), contains("widths of their own"));
}
