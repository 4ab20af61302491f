#include "models/checkpoint/gguf_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/checkpoint/gguf/gguf_config.hpp"
#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/checkpoint/gguf/gguf_source.hpp"
#include "models/checkpoint/gguf/rotary_factors.hpp"
#include "models/files/json_fields.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Makes views of the tensors of one file.
class GgufViews {
 public:
  GgufViews(const std::filesystem::path& path, const GgufSource& source,
            const nlohmann::json& config)
      : path_(path), source_(source), config_(config) {}

  std::vector<TensorView> views(const GgufHeader& header) {
    for (const auto& [name, place] : header.tensors) {
      if (name != kRotaryFactors) add(split_gguf_name(name), place);
    }
    std::sort(views_.begin(), views_.end(),
              [](const TensorView& a, const TensorView& b) { return a.name < b.name; });
    return std::move(views_);
  }

 private:
  void add(const GgufTensorName& name, const GgufTensorPlace& place) {
    TensorView view{.name = hugging_face_module(name) + "." + std::string(name.part),
                    .dtype = dtype_of(place.type),
                    .shape = place.shape,
                    .bytes = place.bytes,
                    .file = path_};
    if (is_block_type(place.type)) view.storage.blocks = place.type;
    if (name.module == "attn_qkv") return add_parts(name, view);
    if (source_.pairs_rows && (name.module == "attn_q" || name.module == "attn_k")) {
      view.storage.paired_rows = head_dim();
      require_whole_heads(view);
    }
    views_.push_back(std::move(view));
  }

  /// All queries, then all keys, then all values, whole rows each.
  void add_parts(const GgufTensorName& name, const TensorView& whole) {
    const std::int64_t queries = heads("num_attention_heads", name.layer) * head_dim();
    const std::int64_t keys = heads("num_key_value_heads", name.layer) * head_dim();
    require_shape(whole, {queries + 2 * keys, whole.shape.back()});
    const std::size_t row = whole.bytes.size() / static_cast<std::size_t>(whole.shape[0]);
    std::size_t first = 0;
    for (const auto& [part, rows] :
         {std::pair("attn_q", queries), std::pair("attn_k", keys), std::pair("attn_v", keys)}) {
      TensorView view = whole;
      view.name = hugging_face_module({name.layer, part, name.part}) + "." + std::string(name.part);
      view.shape[0] = rows;
      view.bytes = whole.bytes.subspan(first * row, static_cast<std::size_t>(rows) * row);
      first += static_cast<std::size_t>(rows);
      views_.push_back(std::move(view));
    }
  }

  std::int64_t head_dim() const { return config_["head_dim"].get<std::int64_t>(); }
  std::int64_t heads(const std::string& field, int layer) const {
    const auto by_layer = config_.find(field + "_per_layer");
    const auto& count =
        by_layer == config_.end() ? config_[field] : (*by_layer)[static_cast<std::size_t>(layer)];
    return count.get<std::int64_t>();
  }

  static void require_whole_heads(const TensorView& view) {
    const std::int64_t rows = view.storage.paired_rows;
    if (rows % 2 == 0 && view.shape[0] % rows == 0) return;
    throw InputError({.what = "tensor's rows are not whole heads",
                      .where = view.where(),
                      .expected = fmt::format("a multiple of {}, an even number", rows),
                      .found = shape_text(view.shape)});
  }

  const std::filesystem::path& path_;
  const GgufSource& source_;
  const nlohmann::json& config_;
  std::vector<TensorView> views_;
};

}  // namespace

GgufFile::GgufFile(const std::filesystem::path& path) : WeightFile(path) {
  const std::string where = path.string();
  const GgufHeader header = read_gguf_header(file_bytes(), where);
  const GgufSource& source = gguf_source(header, where);
  config_ = gguf_config(header, source, where);
  set_tensors(GgufViews(path, source, config_).views(header));
}

}  // namespace regroup::models
