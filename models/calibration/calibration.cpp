#include "models/calibration/calibration.hpp"

#include <fmt/format.h>

#include <charconv>
#include <functional>

#include "models/calibration/head_statistics.hpp"
#include "models/calibration/moment_tensors.hpp"
#include "models/calibration/stored_windows.hpp"
#include "models/checkpoint/safetensors.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "models/files/printable.hpp"
#include "models/files/sha256.hpp"
#include "models/layers/attention_matrices.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"

namespace regroup::models {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr const char* kFormat = "regroup.calibration";
constexpr const char* kVersion = "2";

std::string tensor_name(std::size_t layer, std::string_view part) {
  return fmt::format("layers.{}.{}", layer, part);
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

/// Numbers in an element type, F32 or F64, row by row.
template <class Values>
void write_numbers(const Values& values, DType type, std::span<std::byte> out) {
  if (type == DType::kF32) {
    Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
        reinterpret_cast<float*>(out.data()), values.rows(), values.cols()) =
        values.template cast<float>();
  } else {
    Eigen::Map<RowMatrix>(reinterpret_cast<double*>(out.data()), values.rows(), values.cols()) =
        values;
  }
}

/// The element type of a moment or a mean.
template <class Values>
DType type_of(const Values& values, const ModelConfig& config) {
  const bool is_square = values.rows() == config.width && values.cols() == config.width;
  return is_square ? moment_type(config) : DType::kF64;
}

/// Moments of a calibration, of the layer last asked for in memory.
class LayerAtWork {
 public:
  explicit LayerAtWork(const Calibration& calibration) : calibration_(calibration) {}

  const LayerMoments& at(std::size_t layer) {
    if (layer_ != layer) moments_ = calibration_.moments(layer);
    layer_ = layer;
    return *moments_;
  }

 private:
  const Calibration& calibration_;
  std::optional<std::size_t> layer_;
  std::shared_ptr<const LayerMoments> moments_;
};

/// The moments of a layer; `at_work` must live until they are written.
void plan_moments(std::size_t layer, LayerAtWork& at_work, const ModelConfig& config,
                  std::vector<PlannedTensor>& tensors) {
  for_each_moment(at_work.at(layer), [&](std::string_view part, const auto& values) {
    const DType type = type_of(values, config);
    const auto fill = [layer, &at_work, part, type](std::span<std::byte> out) {
      for_each_moment(at_work.at(layer), [&](std::string_view name, const auto& numbers) {
        if (name == part) write_numbers(numbers, type, out);
      });
    };
    tensors.push_back({tensor_name(layer, part), type, shape_of(values), fill});
  });
}

/// Statistics of heads of a layer, which must live until they are written.
void plan_statistics(std::size_t layer, const LayerHeadStatistics& heads,
                     std::vector<PlannedTensor>& tensors) {
  for_each_statistic(heads, [&](std::string_view part, const auto& values) {
    tensors.push_back(
        {tensor_name(layer, part), DType::kF64, shape_of(values),
         [&values](std::span<std::byte> out) { write_numbers(values, DType::kF64, out); }});
  });
}

/// A calibration file, checked, whose moments are read when they are asked for.
class CalibrationFile final : public MomentStore {
 public:
  CalibrationFile(const std::filesystem::path& path, const PretrainedModel& model)
      : file_(path), config_(model.config) {
    require("format", kFormat, "a calibration file");
    require("version", kVersion, "a calibration file of this version");
    require("weights_sha256", model.checkpoint.weights_sha256(),
            fmt::format("calibration of {}", model.name()));
    for (int layer = 0; layer < config_.layers; ++layer) {
      kinds_.push_back(model.place(layer).kind);
    }
  }

  std::string metadata(const std::string& key) const {
    const auto found = file_.metadata().find(key);
    return found == file_.metadata().end() ? "" : found->second;
  }
  Windows windows(const PretrainedModel& model) const { return read_windows_of(file_, model); }
  std::size_t layers() const { return kinds_.size(); }
  double bytes_in_memory() const {
    const double squares = has_gradients() ? 4 : 3;
    return squares * config_.width * config_.width * sizeof(double) * config_.layers;
  }

  bool has_gradients() const override {
    return file_.find(tensor_name(0, "logit_gradient.energy")) != nullptr;
  }
  /// Throws InputError for missing, misshapen or not finite tensors.
  LayerMoments layer(std::size_t i) const override {
    LayerMoments moments = empty_moments(config_, kinds_[i], has_gradients());
    for_each_moment(moments, [&](std::string_view part, auto& values) { fill(i, part, values); });
    return moments;
  }

 private:
  void require(const std::string& key, const std::string& expected, std::string what) const {
    if (metadata(key) == expected) return;
    throw InputError({.what = fmt::format("file is not {}", what),
                      .where = file_.path().string() + ", " + key,
                      .expected = expected,
                      .found = printable(metadata(key))});
  }

  /// Fills `values`, which has its shape already. Moments of a wide model may have either type.
  template <class Values>
  void fill(std::size_t layer, std::string_view part, Values& values) const {
    const TensorView& view = file_.tensor(tensor_name(layer, part));
    const DType type = type_of(values, config_);
    const std::vector<std::int64_t> shape = shape_of(values);
    if ((view.dtype != type && view.dtype != DType::kF64) || view.shape != shape) {
      throw InputError(
          {.what = "tensor has another type or shape",
           .where = view.where(),
           .expected = fmt::format("{} [{}]", safetensors_name(type), fmt::join(shape, ", ")),
           .found =
               fmt::format("{} [{}]", safetensors_name(view.dtype), fmt::join(view.shape, ", "))});
    }
    if (view.dtype == DType::kF32) {
      take<float>(view, values);
    } else {
      take<double>(view, values);
    }
    if (values.allFinite()) return;
    throw InputError({.what = "tensor holds a number that is not finite", .where = view.where()});
  }

  template <class Number, class Values>
  static void take(const TensorView& view, Values& values) {
    // The file may hold them at any alignment.
    std::vector<Number> numbers(view.bytes.size() / sizeof(Number));
    std::memcpy(numbers.data(), view.bytes.data(), view.bytes.size());
    values =
        Eigen::Map<const Eigen::Matrix<Number, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
            numbers.data(), values.rows(), values.cols())
            .template cast<double>();
  }

  SafetensorsFile file_;
  ModelConfig config_;
  std::vector<AttentionKind> kinds_;  // by layer
};

}  // namespace

std::string label_name(const std::optional<search::RandomKey>& key) {
  return key ? fmt::format("{:016x}", key->block(0)[0]) : "";
}

std::shared_ptr<const LayerMoments> Calibration::moments(std::size_t layer) const {
  if (store) return std::make_shared<const LayerMoments>(store->layer(layer));
  return {std::shared_ptr<const void>(), &layers[layer]};
}

bool Calibration::has_gradients() const {
  if (store) return store->has_gradients();
  return !layers.empty() && layers.front().gradients.has_value();
}

std::string write_calibration(const std::filesystem::path& file, const Calibration& calibration,
                              const PretrainedModel& model,
                              const std::filesystem::path& temporary_directory) {
  const Windows& windows = calibration.windows;
  std::vector<PlannedTensor> tensors = planned_windows(windows);
  LayerAtWork at_work(calibration);
  const auto layers = static_cast<std::size_t>(model.config.layers);
  std::vector<LayerHeadStatistics> heads(layers);
  search::parallel_for(layers, [&](std::size_t i) {
    heads[i] = head_statistics(model, static_cast<int>(i), *calibration.moments(i));
  });
  for (std::size_t i = 0; i < layers; ++i) {
    plan_moments(i, at_work, model.config, tensors);
    plan_statistics(i, heads[i], tensors);
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

Calibration read_calibration(const std::filesystem::path& path, const PretrainedModel& model,
                             double most_bytes) {
  const auto file = std::make_shared<const CalibrationFile>(path, model);
  Calibration calibration{
      {}, file->windows(model), file->metadata("data_sha256"), file->metadata("labels")};
  const bool stays = file->bytes_in_memory() > most_bytes;
  for (std::size_t i = 0; i < file->layers(); ++i) {
    LayerMoments layer = file->layer(i);
    if (!stays) calibration.layers.push_back(std::move(layer));
  }
  if (stays) calibration.store = file;
  return calibration;
}

bool is_calibration_file(const std::filesystem::path& file) {
  return file.extension() == ".safetensors";
}

}  // namespace regroup::models
