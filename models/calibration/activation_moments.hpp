#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <string>
#include <vector>

namespace regroup::models {

/// Second moment C = E[x xᵀ] of the input of every layer's attention projections, after its norm,
/// over the tokens of some text: [D, D] a layer, symmetric.
struct ActivationMoments {
  std::vector<Eigen::MatrixXd> layers;
  std::size_t tokens = 0;  ///< over which the mean was taken
};

/// Where moments come from, as the file records it.
struct CalibrationSource {
  std::string weights_sha256;
  std::string data_sha256;
  int context = 0;  ///< tokens per window
};

/// Writes a calibration file: safetensors with one F64 tensor
/// `layers.{i}.attention_input.second_moment` [D, D] a layer; the source and the number of tokens
/// stand in its metadata. Equal arguments give equal bytes. Throws WorkError.
void write_calibration(const std::filesystem::path& file, const ActivationMoments& moments,
                       const CalibrationSource& source,
                       const std::filesystem::path& temporary_directory);

}  // namespace regroup::models
