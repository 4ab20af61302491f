#include "models/refit/refit_run.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "models/attention/dot_product_attention.hpp"
#include "models/passes/settled_stream.hpp"
#include "models/passes/window_pass.hpp"
#include "models/refit/even_rows.hpp"
#include "models/refit/merge_layer.hpp"
#include "models/refit/output_refit.hpp"
#include "models/refit/query_refit.hpp"
#include "models/refit/reconstruction.hpp"
#include "models/tensors/eigen_tensors.hpp"

namespace regroup::models {
namespace {

/// Attention maps that a query refit holds at a time: of as many positions, evenly among all, as
/// there is room for.
constexpr double kMostAttentionBytes = 4.0 * 1024 * 1024 * 1024;

/// Positions of the longest window.
std::int64_t longest_of(const std::vector<Stream>& streams) {
  std::int64_t longest = 0;
  for (const Stream& stream : streams) {
    longest = std::max(longest, stream.hidden.size(1));
    if (stream.memory.defined()) longest = std::max(longest, stream.memory.size(1));
  }
  return longest;
}

/// What the fits of a layer begin with.
struct MergedLayer {
  RowMatrix source_query;
  MergedMatrices merged;
};

MergedLayer merged_layer(const PretrainedModel& model, std::size_t layer,
                         const search::Grouping& grouping, const MergeRecipe& recipe,
                         const Calibration& calibration) {
  AttentionMatrices weights = read_attention_matrices(model, static_cast<int>(layer));
  const ModelConfig config = model.config.of_layer(static_cast<int>(layer));
  const auto moments = calibration.moments(layer);
  MergedMatrices merged =
      merge_matrices({weights, config, moments.get()}, grouping.layers[layer], recipe);
  return {std::move(weights.query), std::move(merged)};
}

/// One layer of the run: the streams before it, and its merged weights as they are fitted.
class LayerRefit {
 public:
  LayerRefit(const PretrainedModel& model, const Transformer& source, std::size_t layer,
             const std::vector<Stream>& source_states, const std::vector<Stream>& converted_states,
             MergedLayer merged, std::stop_token stop)
      : model_(model),
        source_(source),
        layer_(layer),
        source_states_(source_states),
        converted_states_(converted_states),
        source_query_(std::move(merged.source_query)),
        merged_(std::move(merged.merged)),
        stop_(std::move(stop)) {}

  void refit_queries() {
    const auto attention = current();
    const DotProductAttention& converted = as_dot_product(*attention, "a query refit");
    const std::vector<EvenRows> chosen = query_rows();
    std::vector<QueryRefitWindow> windows(chosen.size());
    for_each_window(chosen.size(), device(), stop_, [&](std::size_t i) {
      windows[i] = settled(query_window(converted, chosen[i]));
    });
    const at::Tensor changes = models::refit_queries(windows, device(), stop_);
    for (int head = 0; head < model_.config.query_heads; ++head) {
      change_query(head, to_matrix(changes[head]));
    }
  }

  void refit_outputs() {
    const auto attention = current();
    OutputRefit refit;
    for_each_share(
        source_states_.size(), device(), stop_,
        [&](std::size_t share, std::size_t w) {
          refit.add(share, attention->mix(converted_input(w), {})[0], wanted(w)[0]);
        },
        Gradients::kNone, window_shares(model_.config.width));
    OutputProjection fitted = refit.solve({merged_.weights.output, merged_.weights.output_bias});
    merged_.weights.output = std::move(fitted.weight);
    merged_.weights.output_bias = std::move(fitted.bias);
  }

  /// The layer as it will be stored, after so many steps of reconstruction.
  MergedAttention finish(int steps) const {
    const MergedAttention fitted = stored();
    if (steps == 0) return fitted;
    ReconstructionWindows windows{[this](std::size_t w) { return converted_input(w); },
                                  std::vector<at::Tensor>(source_states_.size())};
    for_each_window(windows.wanted.size(), device(), stop_,
                    [&](std::size_t w) { windows.wanted[w] = wanted(w); });
    return reconstruct(fitted, source_.attention(layer_), windows, steps,
                       source_.options().in_memory(), stop_);
  }

 private:
  const Device& device() const { return source_.options().device; }

  /// Whether heads may have another width than the source's: queries are then fitted as maps of
  /// its own.
  bool has_widths() const { return merged_.widths.has_value(); }

  void change_query(Eigen::Index head, const Eigen::MatrixXd& change) {
    RowMatrix& queries = merged_.weights.query;
    const Eigen::Index width = queries.rows() / model_.config.query_heads;
    auto rows = queries.middleRows(head * width, width);
    if (has_widths()) {
      const Eigen::Index d = model_.config.head_dim;
      rows += change.transpose() * source_query_.middleRows(head * d, d);
      return;
    }
    const RowMatrix fitted = (change + Eigen::MatrixXd::Identity(width, width)).transpose() * rows;
    rows = fitted;
  }

  /// What is fitted so far, rounded as it will be stored.
  MergedAttention stored() const { return rounded(merged_, model_, static_cast<int>(layer_)); }
  std::shared_ptr<const Attention> current() const {
    return source_.attention(layer_).with(stored(), source_.options().in_memory());
  }

  AttentionInput converted_input(std::size_t window) const {
    return source_.attention_input(layer_, converted_states_[window]);
  }

  /// What the attention would have to give for the residual stream to be the source's.
  at::Tensor wanted(std::size_t window) const {
    const Stream& states = source_states_[window];
    return source_.matching_output(
        layer_, converted_states_[window], states,
        source_.attention(layer_)(source_.attention_input(layer_, states)));
  }

  /// The positions whose queries a refit sees.
  std::vector<EvenRows> query_rows() const {
    std::vector<std::int64_t> lengths;
    for (const Stream& stream : source_states_) lengths.push_back(stream.hidden.size(1));
    const auto keys = static_cast<double>(longest_of(source_states_));
    const double bytes = 2 * model_.config.query_heads * keys * sizeof(float);
    const double most = std::max(1.0, kMostAttentionBytes / bytes);
    return even_rows(lengths, static_cast<std::int64_t>(most));
  }

  QueryRefitWindow query_window(const DotProductAttention& converted, const EvenRows& rows) const {
    const std::int64_t length = source_states_[rows.window].hidden.size(1);
    const auto seen = [&](const at::Tensor& heads) {
      return heads.slice(2, rows.first, length, rows.step).contiguous();
    };
    const AttentionInput input = converted_input(rows.window);
    const AttentionTrace from = source_.attention(layer_).trace(
        source_.attention_input(layer_, source_states_[rows.window]));
    const AttentionTrace to = converted.trace(input);
    const at::Tensor attention = seen(from.attention);
    // In units of the source's scores, whose scale wide keys do not have.
    const at::Tensor found =
        at::matmul(seen(to.queries), to.keys.transpose(2, 3)) * (to.scale / from.scale);
    const at::Tensor missing = at::matmul(seen(from.queries), from.keys.transpose(2, 3)) - found;
    const at::Tensor mapped = has_widths()
                                  ? as_dot_product(source_.attention(layer_), "a query refit")
                                        .plain_queries(input.queries)
                                  : to.plain_queries;
    return {converted.rotary().at_positions(rows.first, rows.step, length),
            attention,
            missing * attention,
            seen(mapped),
            to.keys,
            at::matmul(attention, to.keys)};
  }

  /// Where much of it may stay until all windows are there.
  QueryRefitWindow settled(QueryRefitWindow window) const {
    for (at::Tensor QueryRefitWindow::*part :
         {&QueryRefitWindow::attention, &QueryRefitWindow::missing, &QueryRefitWindow::queries,
          &QueryRefitWindow::keys, &QueryRefitWindow::attended_keys}) {
      window.*part = models::settled(window.*part, source_.options());
    }
    return window;
  }

  const PretrainedModel& model_;
  const Transformer& source_;
  std::size_t layer_;
  const std::vector<Stream>& source_states_;
  const std::vector<Stream>& converted_states_;
  RowMatrix source_query_;
  MergedMatrices merged_;
  std::stop_token stop_;
};

/// Takes the converted stream through a layer with this attention.
void advance(const Transformer& transformer, std::size_t layer, const Attention& attention,
             std::vector<Stream>& states, std::stop_token stop) {
  for_each_window(states.size(), transformer.options().device, std::move(stop), [&](std::size_t w) {
    const AttentionInput input = transformer.attention_input(layer, states[w]);
    states[w] = settled(transformer.after_attention(layer, states[w], attention(input)),
                        transformer.options());
  });
}

}  // namespace

std::vector<MergedAttention> merge_with_refits(const PretrainedModel& model,
                                               const LayerStates& source,
                                               const search::Grouping& grouping,
                                               const MergeRecipe& recipe,
                                               const Calibration& calibration, RefitScope scope,
                                               std::stop_token stop) {
  const auto is_grouped = [&](std::size_t layer) { return !grouping.layers[layer].is_source(); };
  std::vector<MergedAttention> result(grouping.layers.size());
  std::size_t first = 0;
  while (first < result.size() && !is_grouped(first)) ++first;
  if (first == result.size()) return result;
  std::size_t end = result.size();
  while (scope == RefitScope::kGroupedLayers && !is_grouped(end - 1)) --end;
  const Transformer& transformer = source.transformer();
  std::vector<Stream> converted = source.at_layer(first, stop);
  for (std::size_t layer = first; layer < end; ++layer) {
    const std::vector<Stream> states = source.at_layer(layer, stop);
    const auto at_work = transformer.with_layer_at_hand(layer);
    if (scope == RefitScope::kGroupedLayers && !is_grouped(layer)) {
      advance(*at_work, layer, at_work->attention(layer), converted, stop);
      continue;
    }
    LayerRefit refit(model, *at_work, layer, states, converted,
                     merged_layer(model, layer, grouping, recipe, calibration), stop);
    if (recipe.refits_queries()) refit.refit_queries();
    if (recipe.refits_outputs()) refit.refit_outputs();
    result[layer] = settled(refit.finish(recipe.reconstruction_steps), transformer.options());
    const auto attention =
        at_work->attention(layer).with(result[layer], at_work->options().in_memory());
    advance(*at_work, layer, *attention, converted, stop);
  }
  return result;
}

}  // namespace regroup::models
