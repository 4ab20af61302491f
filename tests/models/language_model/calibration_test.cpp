#include "models/calibration/calibration.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "models/calibration/head_statistics.hpp"
#include "models/checkpoint/safetensors.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "models/files/sha256.hpp"
#include "models/language_model/language_model.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/models/language_model/naive_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/near.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

TinyLlama gqa_with_biases() {
  TinyLlama shape;
  shape.kv_heads = 2;
  shape.bias = true;
  return shape;
}

Windows random_windows(int count, int context, std::uint64_t seed) {
  search::RandomStream random{search::RandomKey(seed)};
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count * (context + 1)));
  for (std::int32_t& id : ids) id = random.below(20);
  return {context, std::move(ids)};
}

/// A tiny model on disk and in memory.
struct Scene {
  explicit Scene(const TinyLlama& tiny = gqa_with_biases()) : shape(tiny) {
    shape.write(scratch.path() / "tiny");
    pretrained = std::make_shared<const PretrainedModel>(open_model(scratch.path() / "tiny"));
  }

  Calibration calibrate(const Windows& windows, bool gradients = false) const {
    search::SilentProgress silent;
    CalibrationOptions options;
    if (gradients) options.gradient_key = search::RandomKey(9);
    return LanguageModel(pretrained, ComputeOptions{}).calibrate(windows, options, {}, silent);
  }

  TinyLlama shape;
  TemporaryDirectory scratch;
  std::shared_ptr<const PretrainedModel> pretrained;
};

VectorXd vector_of(const std::vector<double>& values) {
  return Eigen::Map<const VectorXd>(values.data(), std::ssize(values));
}

/// Moments by plain loops over a naive model's trace.
std::vector<LayerMoments> naive_moments(const TinyLlama& shape, const Windows& windows) {
  const auto layers = static_cast<std::size_t>(shape.layers);
  std::vector<LayerMoments> result(layers);
  for (LayerMoments& moments : result) {
    moments.input = moments.attended = moments.averaged = MatrixXd::Zero(shape.width, shape.width);
    moments.input_mean = VectorXd::Zero(shape.width);
    moments.averaged_mean = MatrixXd::Zero(shape.query_heads, shape.width);
  }
  const auto tokens = static_cast<double>(windows.tokens());
  for (std::size_t w = 0; w < windows.size(); ++w) {
    NaiveTrace trace;
    naive_logits(shape, shape.tensors(), {windows[w].begin(), windows[w].end() - 1}, nullptr,
                 &trace);
    for (std::size_t layer = 0; layer < layers; ++layer) {
      LayerMoments& moments = result[layer];
      for (std::size_t t = 0; t < trace[layer].inputs.size(); ++t) {
        const VectorXd x = vector_of(trace[layer].inputs[t]);
        moments.input += x * x.transpose() / tokens;
        moments.input_mean += x / tokens;
        for (int head = 0; head < shape.query_heads; ++head) {
          VectorXd z = VectorXd::Zero(shape.width);
          for (std::size_t i = 0; i <= t; ++i) {
            const double a = trace[layer].attention[t][static_cast<std::size_t>(head)][i];
            const VectorXd seen = vector_of(trace[layer].inputs[i]);
            z += a * seen;
            moments.attended += a * seen * seen.transpose() / shape.query_heads / tokens;
          }
          moments.averaged += z * z.transpose() / shape.query_heads / tokens;
          moments.averaged_mean.row(head) += z.transpose() / tokens;
        }
      }
    }
  }
  return result;
}

double distance(const LayerMoments& a, const LayerMoments& b) {
  return std::max({(a.input - b.input).norm() / b.input.norm(),
                   (a.input_mean - b.input_mean).norm() / b.input_mean.norm(),
                   (a.attended - b.attended).norm() / b.attended.norm(),
                   (a.averaged - b.averaged).norm() / b.averaged.norm(),
                   (a.averaged_mean - b.averaged_mean).norm() / b.averaged_mean.norm()});
}

bool same_bits(const LayerMoments& a, const LayerMoments& b) {
  if (a.gradients.has_value() != b.gradients.has_value()) return false;
  const bool same_gradients =
      !a.gradients ||
      (a.gradients->output == b.gradients->output && a.gradients->logits == b.gradients->logits &&
       a.gradients->keys == b.gradients->keys && a.gradients->values == b.gradients->values);
  return same_gradients && a.input == b.input && a.input_mean == b.input_mean &&
         a.attended == b.attended && a.averaged == b.averaged && a.averaged_mean == b.averaged_mean;
}

bool same_bits(const Calibration& a, const Calibration& b) {
  if (a.layers.size() != b.layers.size()) return false;
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    if (!same_bits(a.layers[i], b.layers[i])) return false;
  }
  return a.data_sha256 == b.data_sha256 && a.windows.context() == b.windows.context() &&
         std::ranges::equal(a.windows.ids(), b.windows.ids());
}

}  // namespace

TEST_CASE("moments are those of a naive transformer's inputs and attention") {
  TinyLlama wide;
  wide.query_heads = 8;
  // Windows shorter and longer than the model is wide.
  for (const int context : {7, 16}) {
    for (const TinyLlama& shape : {TinyLlama(), gqa_with_biases(), wide, TinyLlama::mistral()}) {
      const Scene scene(shape);
      const Windows windows = random_windows(11, context, 1);
      const Calibration found = scene.calibrate(windows);
      const std::vector<LayerMoments> expected = naive_moments(shape, windows);
      REQUIRE(found.layers.size() == 2);
      CHECK_FALSE(found.has_gradients());
      for (std::size_t layer = 0; layer < 2; ++layer) {
        CHECK(distance(found.layers[layer], expected[layer]) < 2e-6);
        CHECK(found.layers[layer].input == found.layers[layer].input.transpose());
      }
      CHECK(distance(found.layers[0], expected[1]) > 0.1);
    }
  }
}

TEST_CASE("calibrations do not depend on the number of threads, nor on other windows") {
  const Scene scene;
  const Windows windows = random_windows(24, 16, 2);
  search::set_threads(1);
  const Calibration one = scene.calibrate(windows, true);
  search::set_threads(3);
  const Calibration many = scene.calibrate(windows, true);
  search::set_threads(1);
  CHECK(one.has_gradients());
  CHECK(same_bits(one, many));
  // Means over halves combine to the mean over all: no window sees another.
  const Calibration first = scene.calibrate(windows.part(0, 10));
  const Calibration second = scene.calibrate(windows.part(10, 24));
  const auto combined = [](const auto& a, const auto& b) {
    return ((10 * a + 14 * b) / 24).eval();
  };
  for (std::size_t layer = 0; layer < 2; ++layer) {
    const LayerMoments& a = first.layers[layer];
    const LayerMoments& b = second.layers[layer];
    const LayerMoments whole = {combined(a.input, b.input),
                                combined(a.input_mean, b.input_mean),
                                combined(a.attended, b.attended),
                                combined(a.averaged, b.averaged),
                                combined(a.averaged_mean, b.averaged_mean),
                                {}};
    CHECK(distance(one.layers[layer], whole) < 1e-10);
    CHECK(distance(a, whole) > 1e-3);
  }
}

TEST_CASE("a calibration file reads back bit by bit and is written the same each time") {
  for (const TinyLlama& shape : {TinyLlama(), gqa_with_biases()}) {
    const Scene scene(shape);
    for (const bool gradients : {false, true}) {
      Calibration calibration = scene.calibrate(random_windows(5, 6, 3), gradients);
      calibration.data_sha256 = "a hash";
      const auto file = scene.scratch.path() / "a.safetensors";
      const std::string written = write_calibration(file, calibration, *scene.pretrained);
      CHECK(written == sha256_of_file(file));
      CHECK(same_bits(read_calibration(file, *scene.pretrained), calibration));
      const auto again = scene.scratch.path() / "b.safetensors";
      write_calibration(again, calibration, *scene.pretrained);
      CHECK(read_file(file) == read_file(again));
      CHECK(is_calibration_file(file));
    }
  }
}

TEST_CASE("moments of wide models are rounded to float32, wherever they are") {
  TinyLlama wide;
  wide.width = 2048;
  const Scene scene(wide);
  const auto is_rounded = [](const MatrixXd& moments) {
    return moments.cast<float>().cast<double>() == moments && moments.norm() > 0;
  };
  const Calibration calibration = scene.calibrate(random_windows(2, 6, 3), true);
  for (const LayerMoments& layer : calibration.layers) {
    CHECK(is_rounded(layer.input));
    CHECK(is_rounded(layer.attended));
    CHECK(is_rounded(layer.averaged));
    CHECK(is_rounded(layer.gradients->output));
    CHECK_FALSE(is_rounded(layer.input_mean));
  }
  const auto file = scene.scratch.path() / "a.safetensors";
  write_calibration(file, calibration, *scene.pretrained);
  CHECK(SafetensorsFile(file).tensor("layers.1.averaged_input.second_moment").dtype == DType::kF32);
  CHECK(SafetensorsFile(file).tensor("layers.1.averaged_input.mean").dtype == DType::kF64);
  CHECK(same_bits(read_calibration(file, *scene.pretrained), calibration));
}

TEST_CASE("moments that stay in their file are read layer by layer, the same") {
  const Scene scene;
  const Calibration calibration = scene.calibrate(random_windows(5, 6, 3), true);
  const auto file = scene.scratch.path() / "a.safetensors";
  write_calibration(file, calibration, *scene.pretrained);
  const Calibration stored = read_calibration(file, *scene.pretrained, /*most_bytes=*/0);
  CHECK(stored.layers.empty());
  CHECK(stored.has_gradients());
  for (std::size_t layer = 0; layer < calibration.layers.size(); ++layer) {
    CHECK(same_bits(*stored.moments(layer), calibration.layers[layer]));
  }
  const auto again = scene.scratch.path() / "b.safetensors";
  write_calibration(again, stored, *scene.pretrained);
  CHECK(read_file(file) == read_file(again));
}

TEST_CASE(
    "statistics of heads in a calibration file are those of what the heads make of the text") {
  const Scene scene;
  const Windows windows = random_windows(7, 6, 4);
  const Calibration calibration = scene.calibrate(windows);
  for (int layer = 0; layer < 2; ++layer) {
    const LayerHeadStatistics found = head_statistics(
        *scene.pretrained, layer, calibration.layers[static_cast<std::size_t>(layer)]);
    MatrixXd gram = MatrixXd::Zero(2, 2);
    for (std::size_t w = 0; w < windows.size(); ++w) {
      NaiveTrace trace;
      naive_logits(scene.shape, scene.shape.tensors(), {windows[w].begin(), windows[w].end() - 1},
                   nullptr, &trace);
      for (const std::vector<double>& key : trace[static_cast<std::size_t>(layer)].keys) {
        const Eigen::Map<const Eigen::Matrix<double, 2, 4, Eigen::RowMajor>> heads(key.data());
        gram += heads * heads.transpose() / static_cast<double>(windows.tokens());
      }
    }
    CHECK((found.keys.gram - gram).norm() < 1e-5 * gram.norm());
    CHECK(found.keys.norm[1] == Approx(std::sqrt(gram(1, 1))).epsilon(1e-5));
    CHECK(found.keys.cosine(0, 1) == near(gram(0, 1) / std::sqrt(gram(0, 0) * gram(1, 1)), 1e-5));
    CHECK(found.query_energies.rows() == 2);
    CHECK(found.query_energies.cols() == 2);
  }
}

namespace {

/// A copy of a calibration file with one tensor changed, or left out where `change` says false.
void rewrite(const std::filesystem::path& from, const std::filesystem::path& to,
             const std::function<bool(PlannedTensor&, std::vector<std::byte>&)>& change) {
  const SafetensorsFile file(from);
  std::vector<PlannedTensor> plan;
  std::vector<std::vector<std::byte>> bytes;
  bytes.reserve(file.tensors().size());
  for (const TensorView& view : file.tensors()) {
    PlannedTensor tensor{view.name, view.dtype, view.shape, {}};
    bytes.emplace_back(view.bytes.begin(), view.bytes.end());
    if (!change(tensor, bytes.back())) continue;
    plan.push_back(planned_copy(tensor.name, tensor.dtype, tensor.shape, bytes.back()));
  }
  SafetensorsOptions options;
  options.metadata = {file.metadata().begin(), file.metadata().end()};
  write_safetensors_file(to, plan, options);
}

}  // namespace

TEST_CASE("calibration files that do not fit are refused, each with its own message") {
  const Scene scene;
  const auto good = scene.scratch.path() / "good.safetensors";
  write_calibration(good, scene.calibrate(random_windows(5, 6, 5), true), *scene.pretrained);
  const auto bad = scene.scratch.path() / "bad.safetensors";
  const auto refusal = [&] {
    return error_message<InputError>([&] { read_calibration(bad, *scene.pretrained); });
  };
  const auto changed = [&](const std::string& name, const auto& change) {
    rewrite(good, bad, [&](PlannedTensor& tensor, std::vector<std::byte>& bytes) {
      return tensor.name != name || change(tensor, bytes);
    });
    return refusal();
  };
  const auto put = [](std::vector<std::byte>& bytes, auto value) {
    std::memcpy(bytes.data() + sizeof(value), &value, sizeof(value));
    return true;
  };

  rewrite(good, bad, [](auto&, auto&) { return true; });
  CHECK(refusal() == "no error was thrown");
  const auto leave_out = [](auto&, auto&) { return false; };
  const auto with_nan = [&](auto&, auto& bytes) {
    return put(bytes, std::numeric_limits<double>::quiet_NaN());
  };
  for (const char* name :
       {"layers.1.attention_input.second_moment", "layers.0.attention_input.mean",
        "layers.1.attended_input.second_moment", "layers.0.averaged_input.second_moment",
        "layers.1.averaged_input.mean", "layers.1.output_gradient.second_moment",
        "layers.1.logit_gradient.energy", "layers.0.key_weight_gradient.energy",
        "layers.1.value_weight_gradient.energy"}) {
    CHECK_THAT(changed(name, leave_out), contains(name));
    CHECK_THAT(changed(name, with_nan), contains(name));
    CHECK_THAT(changed(name, with_nan), contains("not finite"));
  }
  const std::string moment = "layers.1.attention_input.second_moment";
  CHECK_THAT(changed(moment,
                     [](PlannedTensor& tensor, auto&) {
                       tensor.shape = {6, 24};
                       return true;
                     }),
             contains("[12, 12]"));
  CHECK_THAT(changed(moment,
                     [](PlannedTensor& tensor, auto&) {
                       tensor.dtype = DType::kF32;
                       tensor.shape = {12, 24};
                       return true;
                     }),
             contains("F64"));
  CHECK_THAT(changed("ids", leave_out), contains("ids"));
  CHECK_THAT(changed("ids", [&](auto&, auto& bytes) { return put(bytes, std::int32_t{20}); }),
             contains("0 to 19"));
  CHECK_THAT(changed("ids",
                     [](PlannedTensor& tensor, auto&) {
                       tensor.shape = {35};
                       return true;
                     }),
             contains("windows"));
  CHECK_THAT(changed("ids",
                     [](PlannedTensor& tensor, auto&) {
                       tensor.shape = {1, 35};
                       return true;
                     }),
             contains("2 to 17"));

  const std::string bytes = read_file(good);
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    scene.scratch.write("bad.safetensors", std::string_view(bytes).substr(0, length));
    CHECK(refusal() != "no error was thrown");
  }
  std::filesystem::copy_file(scene.scratch.path() / "tiny/model.safetensors", bad,
                             std::filesystem::copy_options::overwrite_existing);
  CHECK_THAT(refusal(), contains("not a calibration file"));
  TinyLlama other = scene.shape;
  other.seed = 2;
  const Scene other_scene(other);
  CHECK_THAT(error_message<InputError>([&] { read_calibration(good, *other_scene.pretrained); }),
             contains("calibration of"));
}
