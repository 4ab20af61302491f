#include "models/layers/projection_view.hpp"

#include <vector>

namespace regroup::models {

ProjectionView ProjectionView::of_weight(const PretrainedModel& model, int layer,
                                         AttentionRole role) {
  return {model, model.weight_tensor(layer, role),
          stored_weight(model.spec, model.config, model.place(layer), role)};
}

ProjectionView ProjectionView::of_bias(const PretrainedModel& model, int layer,
                                       AttentionRole role) {
  return {model, model.bias_tensor(layer, role),
          stored_bias(model.spec, model.config, model.place(layer), role)};
}

void ProjectionView::read(std::size_t head, std::size_t from, std::span<float> out) const {
  const std::int64_t base = place_.offset + static_cast<std::int64_t>(head) * place_.block_stride;
  const auto convert = [&](std::int64_t at, std::span<float> values) {
    read_floats(tensor_, static_cast<std::size_t>(base + at), values);
  };
  if (place_.column_stride == 1 && place_.row_stride == place_.columns) {
    convert(static_cast<std::int64_t>(from), out);
    return;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto element = static_cast<std::int64_t>(from + i);
    const std::int64_t row = element / place_.columns;
    const std::int64_t column = element % place_.columns;
    convert(row * place_.row_stride + column * place_.column_stride, out.subspan(i, 1));
  }
}

RowMatrix ProjectionView::matrix() const {
  std::vector<float> head_values(head_size());
  RowMatrix result(place_.blocks * place_.rows, place_.columns);
  for (std::size_t head = 0; head < heads(); ++head) {
    read(head, 0, head_values);
    result.middleRows(static_cast<Eigen::Index>(head) * place_.rows, place_.rows) =
        Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
            head_values.data(), place_.rows, place_.columns)
            .cast<double>();
  }
  return result;
}

}  // namespace regroup::models
