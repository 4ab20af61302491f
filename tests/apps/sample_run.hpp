#pragma once

#include <filesystem>
#include <string>

#include "tests/support/temporary_directory.hpp"

namespace regroup::tests {

/// What a made-up run directory holds. Its numbers are invented, smooth and the same every time.
struct SampleRun {
  std::string model_name = "books-llama";
  std::string method = "qcqa-ac";
  bool measured = true;            ///< false: no loss anywhere, as with --measure 0
  bool with_history = true;        ///< write history.csv
  bool values_differ = false;      ///< independent value partitions
  bool sampled_data = false;       ///< text drawn from the model itself
  bool with_caches = false;        ///< points of the search measured with q8_0 and q4_0 too
  double search_advantage = 0.25;  ///< loss of search points relative to neighbour grouping
  std::size_t layers = 8;
  std::size_t heads = 8;
};

/// Writes run.json, front.json, groupings/ and history.csv below `directory`: 24 search points,
/// neighbour groupings of every size, one MQA point and three random draws a size.
void write_sample_run(const std::filesystem::path& directory, const SampleRun& sample = {});

/// Writes a file in one go.
void write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace regroup::tests
