#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace regroup::apps {

/// What a run measured of one of its groupings.
struct MeasuredGrouping {
  double source_loss = 0;  ///< nats per token (image, where the model classifies images)
  double loss = 0;
  std::optional<double> divergence;      ///< KL(source ‖ converted), nats per token
  std::uint64_t tokens = 0;              ///< or images
  std::optional<std::uint64_t> context;  ///< of a window, tokens; absent of images
  bool is_sampled = false;               ///< the text was written by the source model
  std::string data_sha256;
};

/// Where a grouping comes from, as far as its file and the run that it lies in say so.
struct GroupingOrigin {
  std::string method;   ///< empty: not said
  std::string fitness;  ///< the same
  std::optional<MeasuredGrouping> measured;
};

/// Reads the "provenance" of a grouping JSON, and what front.json and run.json of RUN say of it if
/// it lies in RUN/groupings. What is not there, or cannot be read, is left out.
GroupingOrigin origin_of(const std::filesystem::path& grouping);

}  // namespace regroup::apps
