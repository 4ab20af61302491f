#include "models/transformer/mlp.hpp"

#include "models/tensors/tensors.hpp"

namespace regroup::models {
namespace {

Mlp read_mlp(ModuleReader& reader, const LayerPlace& place) {
  const MlpConfig& config = reader.config().mlp;
  Mlp mlp{{},
          reader.linear(place.up_name(config), config.has_bias),
          reader.linear(place.name(&LayerModules::down), config.has_bias),
          config.activation,
          config.is_fused};
  if (place.has_gate(config)) {
    mlp.gate = reader.linear(place.name(&LayerModules::gate), config.has_bias);
  }
  return mlp;
}

Experts read_experts(ModuleReader& reader, const LayerPlace& place) {
  const ExpertsConfig& config = reader.config().experts;
  Experts result{reader.linear(place.name(&LayerModules::router), false),
                 {},
                 config.per_token,
                 config.normalises};
  for (int expert = 0; expert < config.count; ++expert) {
    const auto linear = [&](std::string_view LayerModules::*module) {
      return reader.linear(place.expert(module, expert), false);
    };
    result.experts.push_back({linear(&LayerModules::expert_gate), linear(&LayerModules::expert_up),
                              linear(&LayerModules::expert_down), reader.config().mlp.activation});
  }
  return result;
}

}  // namespace

at::Tensor activate(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::kGelu:
      return at::gelu(x);
    case Activation::kTanhGelu:
      return at::gelu(x, "tanh");
    case Activation::kRelu:
      return at::relu(x);
    case Activation::kTanh:
      return at::tanh(x);
    default:
      return at::silu(x);
  }
}

at::Tensor Mlp::operator()(const at::Tensor& x) const {
  if (is_fused) {
    const std::vector<at::Tensor> halves = up(x).chunk(2, -1);
    return down(activate(activation, halves[0]) * halves[1]);
  }
  if (!gate.weight.defined()) return down(activate(activation, up(x)));
  return down(activate(activation, gate(x)) * up(x));
}

Mlp Mlp::in_type(at::ScalarType type) const {
  Mlp result = *this;
  for (Linear Mlp::*part : {&Mlp::gate, &Mlp::up, &Mlp::down}) {
    result.*part = (this->*part).in_type(type);
  }
  return result;
}

Experts Experts::in_type(at::ScalarType type) const {
  Experts result = *this;
  result.router = router.in_type(type);
  for (Mlp& expert : result.experts) expert = expert.in_type(type);
  return result;
}

at::Tensor Experts::operator()(const at::Tensor& x) const {
  const at::Tensor tokens = x.flatten(0, -2);
  const at::Tensor shares = at::softmax(at_least_float(router(tokens)), -1);
  auto [weights, chosen] = at::topk(shares, per_token, -1);
  if (normalises) weights = weights / weights.sum(-1, /*keepdim=*/true);
  weights = weights.to(x.scalar_type());
  at::Tensor result = at::zeros_like(tokens);
  for (std::size_t expert = 0; expert < experts.size(); ++expert) {
    const std::vector<at::Tensor> at = at::where(chosen == static_cast<std::int64_t>(expert));
    if (at[0].numel() == 0) continue;
    const at::Tensor share = weights.index({at[0], at[1]}).unsqueeze(-1);
    result = result.index_add(0, at[0], experts[expert](tokens.index_select(0, at[0])) * share);
  }
  return result.view_as(x);
}

FeedForward::FeedForward(ModuleReader& reader, const LayerPlace& place) {
  if (reader.config().has_experts(place.layer)) {
    experts_ = read_experts(reader, place);
  } else {
    mlp_ = read_mlp(reader, place);
  }
}

}  // namespace regroup::models
