#include "models/architecture/config_parts.hpp"

#include <array>

namespace regroup::models {
namespace {

struct Entry {
  std::string_view name;
  Activation activation;
};

constexpr std::array kNames = {
    Entry{"silu", Activation::kSilu},          Entry{"swish", Activation::kSilu},
    Entry{"gelu", Activation::kGelu},          Entry{"gelu_new", Activation::kTanhGelu},
    Entry{"gelu_fast", Activation::kTanhGelu}, Entry{"gelu_pytorch_tanh", Activation::kTanhGelu},
    Entry{"relu", Activation::kRelu},          Entry{"tanh", Activation::kTanh},
};

}  // namespace

std::optional<Activation> activation_of(std::string_view name) {
  for (const Entry& entry : kNames) {
    if (entry.name == name) return entry.activation;
  }
  return std::nullopt;
}

}  // namespace regroup::models
