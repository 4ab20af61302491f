#include "models/calibration/calibration.hpp"

#include <fmt/format.h>

#include <charconv>
#include <functional>

#include "models/calibration/head_statistics.hpp"
#include "models/calibration/stored_windows.hpp"
#include "models/checkpoint/safetensors.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "models/files/printable.hpp"
#include "models/files/sha256.hpp"
#include "models/layers/attention_matrices.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr const char* kFormat = "regroup.calibration";
constexpr const char* kVersion = "2";

std::string tensor_name(std::size_t layer, std::string_view part) {
  return fmt::format("layers.{}.{}", layer, part);
}

/// Calls visit(name, matrix or vector) for every tensor of a layer that the file must hold; the
/// same for writing and for reading.
template <class Moments, class Visit>
void for_each_moment(Moments& layer, const Visit& visit) {
  visit("attention_input.second_moment", layer.input);
  visit("attention_input.mean", layer.input_mean);
  visit("attended_input.second_moment", layer.attended);
  visit("averaged_input.second_moment", layer.averaged);
  visit("averaged_input.mean", layer.averaged_mean);
}

/// The same of what cross-attention alone has.
template <class Moments, class Visit>
void for_each_query_moment(Moments& layer, const Visit& visit) {
  visit("query_input.second_moment", layer.query_input);
  visit("query_input.mean", layer.query_input_mean);
}

template <class Gradients, class Visit>
void for_each_gradient(Gradients& gradients, const Visit& visit) {
  visit("output_gradient.second_moment", gradients.output);
  visit("logit_gradient.energy", gradients.logits);
  visit("key_weight_gradient.energy", gradients.keys);
  visit("value_weight_gradient.energy", gradients.values);
}

template <class Visit>
void for_each_statistic(const LayerHeadStatistics& heads, const Visit& visit) {
  visit("keys.gram", heads.keys.gram);
  visit("keys.cosine", heads.keys.cosine);
  visit("keys.norm", heads.keys.norm);
  visit("values.gram", heads.values.gram);
  visit("values.cosine", heads.values.cosine);
  visit("values.norm", heads.values.norm);
  if (heads.query_energies.cols() > 0) visit("queries.plane_energy", heads.query_energies);
}

std::vector<std::int64_t> shape_of(const MatrixXd& matrix) {
  return {matrix.rows(), matrix.cols()};
}

std::vector<std::int64_t> shape_of(const VectorXd& vector) {
  return {vector.size()};
}

/// A tensor of doubles; `values` must live until it is written.
template <class Values>
PlannedTensor planned_values(std::string name, const Values& values) {
  return {std::move(name), DType::kF64, shape_of(values), [&values](std::span<std::byte> out) {
            Eigen::Map<RowMatrix>(reinterpret_cast<double*>(out.data()), values.rows(),
                                  values.cols()) = values;
          }};
}

/// Checks a calibration file and reads its tensors.
class CalibrationReader {
 public:
  CalibrationReader(const std::filesystem::path& path, const PretrainedModel& model)
      : file_(path), model_(model) {
    require("format", kFormat, "a calibration file");
    require("version", kVersion, "a calibration file of this version");
    require("weights_sha256", model.checkpoint.weights_sha256(),
            fmt::format("calibration of {}", model.name()));
  }

  Calibration read() const {
    Calibration calibration{
        {}, read_windows_of(file_, model_), metadata("data_sha256"), metadata("labels")};
    const bool has_gradients = file_.find(tensor_name(0, "logit_gradient.energy")) != nullptr;
    for (std::size_t i = 0; i < static_cast<std::size_t>(model_.config.layers); ++i) {
      calibration.layers.push_back(read_layer(i, has_gradients));
    }
    return calibration;
  }

 private:
  std::string metadata(const std::string& key) const {
    const auto found = file_.metadata().find(key);
    return found == file_.metadata().end() ? "" : found->second;
  }

  void require(const std::string& key, const std::string& expected, std::string what) const {
    if (metadata(key) == expected) return;
    throw InputError({.what = fmt::format("file is not {}", what),
                      .where = file_.path().string() + ", " + key,
                      .expected = expected,
                      .found = printable(metadata(key))});
  }

  const TensorView& tensor(const std::string& name, DType dtype,
                           const std::vector<std::int64_t>& shape) const {
    const TensorView& view = file_.tensor(name);
    if (view.dtype == dtype && view.shape == shape) return view;
    throw InputError(
        {.what = "tensor has another type or shape",
         .where = file_.path().string() + ", " + name,
         .expected = fmt::format("{} [{}]", safetensors_name(dtype), fmt::join(shape, ", ")),
         .found =
             fmt::format("{} [{}]", safetensors_name(view.dtype), fmt::join(view.shape, ", "))});
  }

  /// Fills `values`, which has its shape already.
  template <class Values>
  void fill(std::size_t layer, std::string_view part, Values& values) const {
    const std::string name = tensor_name(layer, part);
    const TensorView& view = tensor(name, DType::kF64, shape_of(values));
    std::vector<double> numbers(view.bytes.size() / sizeof(double));
    std::memcpy(numbers.data(), view.bytes.data(), view.bytes.size());
    values = Eigen::Map<const RowMatrix>(numbers.data(), values.rows(), values.cols());
    if (values.allFinite()) return;
    throw InputError({.what = "tensor holds a number that is not finite",
                      .where = file_.path().string() + ", " + name});
  }

  LayerMoments read_layer(std::size_t i, bool has_gradients) const {
    const ModelConfig& config = model_.config;
    const MatrixXd square(config.width, config.width);
    LayerMoments layer;
    layer.input = layer.attended = layer.averaged = square;
    layer.input_mean = VectorXd(config.width);
    layer.averaged_mean = MatrixXd(config.query_heads, config.width);
    const auto fill_part = [&](std::string_view part, auto& values) { fill(i, part, values); };
    for_each_moment(layer, fill_part);
    if (model_.place(static_cast<int>(i)).kind == AttentionKind::kCross) {
      layer.query_input = square;
      layer.query_input_mean = VectorXd(config.width);
      for_each_query_moment(layer, fill_part);
    }
    if (!has_gradients) return layer;
    layer.gradients = LayerGradients{square, VectorXd(config.query_heads),
                                     VectorXd(config.kv_heads), VectorXd(config.kv_heads)};
    for_each_gradient(*layer.gradients, fill_part);
    return layer;
  }

  SafetensorsFile file_;
  const PretrainedModel& model_;
};

}  // namespace

std::string label_name(const std::optional<search::RandomKey>& key) {
  return key ? fmt::format("{:016x}", key->block(0)[0]) : "";
}

std::string write_calibration(const std::filesystem::path& file, const Calibration& calibration,
                              const PretrainedModel& model,
                              const std::filesystem::path& temporary_directory) {
  const Windows& windows = calibration.windows;
  std::vector<PlannedTensor> tensors = planned_windows(windows);
  std::vector<LayerHeadStatistics> heads;
  for (std::size_t i = 0; i < calibration.layers.size(); ++i) {
    heads.push_back(head_statistics(model, static_cast<int>(i), calibration.layers[i]));
  }
  for (std::size_t i = 0; i < calibration.layers.size(); ++i) {
    const auto add = [&](std::string_view part, const auto& values) {
      tensors.push_back(planned_values(tensor_name(i, part), values));
    };
    const LayerMoments& layer = calibration.layers[i];
    for_each_moment(layer, add);
    if (layer.query_input.size() > 0) for_each_query_moment(layer, add);
    if (layer.gradients) for_each_gradient(*layer.gradients, add);
    for_each_statistic(heads[i], add);
  }
  SafetensorsOptions options;
  options.metadata = {{"format", kFormat},
                      {"version", kVersion},
                      {"tokens", std::to_string(windows.tokens())},
                      {"context", std::to_string(windows.context())},
                      {"weights_sha256", model.checkpoint.weights_sha256()},
                      {"data_sha256", calibration.data_sha256},
                      {"labels", calibration.labels}};
  options.temporary_directory = temporary_directory;
  Sha256 digest;
  options.digest = &digest;
  write_safetensors_file(file, tensors, options);
  return digest.hex_digest();
}

Calibration read_calibration(const std::filesystem::path& file, const PretrainedModel& model) {
  return CalibrationReader(file, model).read();
}

bool is_calibration_file(const std::filesystem::path& file) {
  return file.extension() == ".safetensors";
}

}  // namespace regroup::models
