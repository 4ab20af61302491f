#pragma once

#include <string_view>

namespace regroup::fitness {

/// How reports name what groupings are priced by.
struct PriceLabel {
  std::string_view label;  ///< short name in tables: "WSE"
  std::string_view axis;   ///< axis title: "weight-sharing error (WSE)"
};

}  // namespace regroup::fitness
