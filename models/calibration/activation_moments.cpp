#include "models/calibration/activation_moments.hpp"

#include <fmt/format.h>

#include "models/checkpoint/safetensors_writer.hpp"

namespace regroup::models {

void write_calibration(const std::filesystem::path& file, const ActivationMoments& moments,
                       const CalibrationSource& source,
                       const std::filesystem::path& temporary_directory) {
  std::vector<PlannedTensor> tensors;
  for (std::size_t i = 0; i < moments.layers.size(); ++i) {
    const Eigen::MatrixXd& moment = moments.layers[i];  // symmetric: rows and columns are the same
    tensors.push_back(planned_copy(
        fmt::format("layers.{}.attention_input.second_moment", i), DType::kF64,
        {moment.rows(), moment.cols()},
        std::as_bytes(std::span(moment.data(), static_cast<std::size_t>(moment.size())))));
  }
  SafetensorsOptions options;
  options.metadata = {
      {"format", "regroup.calibration"},          {"version", "1"},
      {"tokens", std::to_string(moments.tokens)}, {"context", std::to_string(source.context)},
      {"weights_sha256", source.weights_sha256},  {"data_sha256", source.data_sha256}};
  options.temporary_directory = temporary_directory;
  write_safetensors_file(file, tensors, options);
}

}  // namespace regroup::models
