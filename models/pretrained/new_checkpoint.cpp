#include "models/pretrained/new_checkpoint.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "models/architecture/architecture_spec.hpp"
#include "models/architecture/expected_tensors.hpp"
#include "models/architecture/families/families.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "models/files/atomic_file.hpp"
#include "models/files/json_file.hpp"

namespace regroup::models {
namespace {

constexpr double kUsualRange = 0.02;
constexpr double kShiftRange = 0.5;

void fill_normal(std::span<float> numbers, double deviation, search::RandomKey key) {
  search::RandomStream stream(key);
  for (float& number : numbers) {
    const double radius = std::sqrt(-2 * std::log1p(-stream.unit()));
    number =
        static_cast<float>(deviation * radius * std::cos(2 * std::numbers::pi * stream.unit()));
  }
}

bool is_named(const std::string& tensor, std::string_view module) {
  return !module.empty() && tensor.ends_with(std::string(module) + ".weight");
}

/// The part of a layer's name behind its number: "attn.c_proj" of "h.{}.attn.c_proj".
std::string_view in_layer(std::string_view module) {
  const std::size_t place = module.find("{}.");
  return place == std::string_view::npos ? std::string_view() : module.substr(place + 3);
}

/// What the tensors of one model begin as.
class FirstNumbers {
 public:
  FirstNumbers(const ArchitectureSpec& spec, const ModelConfig& config, double range)
      : spec_(spec), config_(config), range_(range) {}

  void fill(const ExpectedTensor& tensor, std::span<float> out, search::RandomKey key) const {
    const std::string& name = tensor.name;
    if (name.ends_with(".prior")) {
      std::ranges::fill(out, static_cast<float>(1.0 / config_.mixture->components));
    } else if (name.ends_with(".shifts")) {
      // The first stays 0.
      const std::size_t rows = out.size() / static_cast<std::size_t>(tensor.shape[0]);
      fill_normal(out.subspan(rows), kShiftRange, key);
    } else if (tensor.shape.size() >= 2) {
      fill_normal(out, adds_to_stream(name) ? range_ / std::sqrt(2.0 * config_.layers) : range_,
                  key);
    } else if (!name.ends_with(".bias")) {
      const bool is_offset = config_.norm == NormKind::kOffsetRootMeanSquare;
      std::ranges::fill(out, is_offset ? 0.0F : 1.0F);
    }
  }

 private:
  bool adds_to_stream(const std::string& name) const {
    return is_named(name, in_layer(spec_.layer.output)) ||
           is_named(name, in_layer(spec_.layer.down));
  }

  const ArchitectureSpec& spec_;
  const ModelConfig& config_;
  double range_;
};

}  // namespace

void write_new_checkpoint(const std::filesystem::path& config_file,
                          const std::filesystem::path& directory, search::RandomKey key) {
  const nlohmann::json json = read_json_file(config_file);
  const std::string where = config_file.string();
  const ArchitectureSpec& spec = find_architecture(json, where);
  const ModelConfig config = read_model_config(json, spec, where);
  const FirstNumbers first(spec, config, json.value("initializer_range", kUsualRange));
  std::vector<PlannedTensor> plan;
  std::uint64_t number = 0;
  for (const ExpectedTensor& tensor : expected_tensors(spec, config)) {
    const search::RandomKey own = key.split(number++);
    plan.push_back(
        {tensor.name, DType::kF32, tensor.shape, [first, tensor, own](std::span<std::byte> out) {
           std::vector<float> numbers(out.size() / sizeof(float));
           first.fill(tensor, numbers, own);
           std::memcpy(out.data(), numbers.data(), out.size());
         }});
  }
  write_checkpoint_weights(directory, plan);
  write_file_atomically(directory / "config.json", json_text(json, 2) + "\n");
}

}  // namespace regroup::models
