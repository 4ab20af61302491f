#pragma once

// Catch2 2 (Debian 12) or 3 (later). Both know TEST_CASE, SECTION, CHECK, REQUIRE, CHECK_THROWS_AS,
// CHECK_THAT, GENERATE and Catch::Matchers::WithinAbs, StartsWith, EndsWith, Equals, Message. What
// was renamed has one name here.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#define REGROUP_CATCH2_3 1
#else
#include <catch2/catch.hpp>
#define REGROUP_CATCH2_3 0
#endif

#include <string>

namespace regroup::tests {

#if REGROUP_CATCH2_3
using Catch::Approx;
#else
using Catch::Detail::Approx;
#endif

/// Matches a text that contains `part`: `CHECK_THAT(error.what(), contains("q_proj"))`.
inline auto contains(const std::string& part) {
#if REGROUP_CATCH2_3
  return Catch::Matchers::ContainsSubstring(part);
#else
  return Catch::Matchers::Contains(part);
#endif
}

}  // namespace regroup::tests
