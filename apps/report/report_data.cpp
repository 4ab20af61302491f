#include "apps/report/html_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "fitness/rank_correlation.hpp"
#include "runs/reading/cache_data.hpp"

namespace regroup::apps {
namespace {

using nlohmann::json;

/// Points of one run that are drawn as one line.
struct Series {
  std::string name, label;
  std::vector<std::size_t> points;  ///< ids into runs::RunData::points
};

/// Every partition once; the same few stand in hundreds of layers.
class PartitionTable {
 public:
  std::size_t id(const std::vector<std::size_t>& partition) {
    const auto [entry, is_new] = ids_.try_emplace(partition, ids_.size());
    if (is_new) rows_.push_back(partition);
    return entry->second;
  }
  json rows() const { return rows_; }

 private:
  std::map<std::vector<std::size_t>, std::size_t> ids_;
  json rows_ = json::array();
};

template <typename Value>
void put(json& object, const char* name, const std::optional<Value>& value) {
  if (value) object[name] = *value;
}

/// Escapes everything but letters, digits, "-._~" and "/", so that a name can neither end the path
/// nor start a scheme.
std::string url_path(const std::string& path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string url;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || std::string_view("-._~/").find(c) != std::string_view::npos) {
      url += c;
    } else {
      url += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return url;
}

std::string link_to(const std::filesystem::path& file, const std::filesystem::path& from) {
  const std::filesystem::path base = from.empty() ? std::filesystem::path(".") : from;
  return url_path(std::filesystem::relative(file, base).generic_string());
}

std::vector<Series> series_of(const runs::RunData& run, const std::string& run_label) {
  std::vector<Series> all;
  for (std::size_t i = 0; i < run.points.size(); ++i) {
    const std::string label = runs::series_label(run_label, run.points[i]);
    auto found = std::ranges::find(all, label, &Series::label);
    if (found == all.end()) {
      all.push_back({run.points[i].series, label, {}});
      found = all.end() - 1;
    }
    found->points.push_back(i);
  }
  return all;
}

/// Rank correlations of each proxy with the measured loss over the points that have both; an
/// undefined one is absent, since JSON has no NaN.
json correlations(const runs::RunData& run, const std::vector<std::size_t>& points) {
  json all = json::object();
  for (std::size_t p = 0; p < runs::proxies().size(); ++p) {
    std::vector<double> proxy, loss;
    for (const std::size_t i : points) {
      if (!run.points[i].proxies[p] || !run.points[i].loss) continue;
      proxy.push_back(*run.points[i].proxies[p]);
      loss.push_back(*run.points[i].loss);
    }
    if (proxy.empty()) continue;
    json entry{{"n", proxy.size()}};
    const double rho = fitness::spearman(proxy, loss);
    const double tau = fitness::kendall(proxy, loss);
    if (!std::isnan(rho)) entry["rho"] = rho;
    if (!std::isnan(tau)) entry["tau"] = tau;
    all[std::string(runs::proxies()[p].field())] = std::move(entry);
  }
  return all;
}

json layer_data(const std::vector<runs::LayerGroups>& layers, PartitionTable& partitions) {
  json names = json::array(), keys = json::array(), values = json::array();
  json queries = json::array();
  bool has_queries = false;
  for (const runs::LayerGroups& layer : layers) {
    names.push_back(layer.name);
    keys.push_back(partitions.id(layer.key));
    values.push_back(partitions.id(layer.value));
    has_queries = has_queries || !layer.query.empty();
    queries.push_back(layer.query.empty() ? json() : json(partitions.id(layer.query)));
  }
  json data{{"layers", names}, {"keys", keys}};
  if (values != keys) data["values"] = values;
  if (has_queries) data["queries"] = queries;
  return data;
}

json point_data(const runs::RunData& run, const runs::FrontPoint& point, PartitionTable& partitions,
                const std::filesystem::path& report_directory) {
  json data = layer_data(point.layers, partitions);
  data["merge"] = point.recipe;
  data["kv"] = point.kv_ratio;
  data["bytes"] = point.bytes_per_token;
  data["front"] = point.on_front;
  data["name"] = std::filesystem::path(point.grouping).stem().string();
  data["link"] = link_to(run.directory / point.grouping, report_directory);
  put(data, "compute", point.compute);
  if (point.width) data["width"] = *point.width;
  if (!point.caches.empty()) data["caches"] = runs::cache_data(point.caches);
  put(data, "loss", point.loss);
  put(data, "delta", point.delta_loss);
  put(data, "stderr", point.delta_loss_stderr);
  put(data, "low", point.delta_loss_low);
  put(data, "high", point.delta_loss_high);
  put(data, "kl", point.kl);
  put(data, "kl_stderr", point.kl_stderr);
  put(data, "accuracy", point.accuracy);
  put(data, "accuracy_stderr", point.accuracy_stderr);
  put(data, "agreement", point.top1_agreement);
  put(data, "search_better", point.search_better);
  put(data, "uptrained", point.uptrained_loss);
  for (std::size_t i = 0; i < point.proxies.size(); ++i) {
    put(data, std::string(runs::proxies()[i].field()).c_str(), point.proxies[i]);
  }
  return data;
}

json history_data(const std::vector<runs::HistoryRow>& rows) {
  std::vector<std::pair<std::string, std::string>> order;
  json lines = json::array();
  for (const runs::HistoryRow& row : rows) {
    const std::pair key(row.stage, row.unit);
    auto found = std::ranges::find(order, key);
    if (found == order.end()) {
      order.push_back(key);
      lines.push_back({{"stage", row.stage}, {"unit", row.unit}, {"rows", json::array()}});
      found = order.end() - 1;
    }
    lines[static_cast<std::size_t>(found - order.begin())]["rows"].push_back(
        {row.generation, row.hypervolume, row.evaluations});
  }
  return lines;
}

json model_data(const runs::ModelInfo& model) {
  return {{"name", model.name},         {"architecture", model.architecture},
          {"layers", model.layers},     {"query_heads", model.query_heads},
          {"kv_heads", model.kv_heads}, {"head_dim", model.head_dim},
          {"dtype", model.dtype},       {"weights_sha256", model.weights_sha256}};
}

json input_data(const std::vector<runs::DataInfo>& inputs) {
  json all = json::array();
  for (const runs::DataInfo& input : inputs) {
    json data{{"role", input.role}, {"sampled", input.sampled}};
    if (!input.file.empty()) data["file"] = input.file;
    if (!input.sha256.empty()) data["sha256"] = input.sha256;
    put(data, "tokens", input.tokens);
    put(data, "windows", input.windows);
    put(data, "context", input.context);
    put(data, "images", input.images);
    all.push_back(std::move(data));
  }
  return all;
}

json run_data(const runs::RunData& run, const std::string& label, PartitionTable& partitions,
              const std::filesystem::path& report_directory) {
  json data{{"label", label},
            {"seed", run.seed},
            {"model", model_data(run.model)},
            {"data", input_data(run.data)},
            {"options", run.options},
            {"versions", run.versions},
            {"history", history_data(run.history)}};
  data["source"] = {{"bytes", run.source_bytes_per_token}};
  put(data["source"], "loss", run.source_loss);
  put(data["source"], "accuracy", run.source_accuracy);
  if (!run.source_caches.empty()) {
    data["source"]["caches"] = runs::cache_data(run.source_caches);
    data["caches"] = runs::cache_comparison_data(run);
  }
  if (run.certificate) {
    data["certificate"] = {{"hypervolume", run.certificate->hypervolume},
                           {"best", run.certificate->best},
                           {"exact", run.certificate->is_exact},
                           {"gap", run.certificate->worst_gap}};
  }
  std::vector<std::size_t> every(run.points.size());
  for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
  data["correlations"] = correlations(run, every);
  data["series"] = json::array();
  for (const Series& series : series_of(run, label)) {
    json points = json::array();
    for (const std::size_t i : series.points) {
      points.push_back(point_data(run, run.points[i], partitions, report_directory));
    }
    data["series"].push_back({{"name", series.name},
                              {"label", series.label},
                              {"points", points},
                              {"correlations", correlations(run, series.points)}});
  }
  return data;
}

json proxy_data() {
  json all = json::array();
  for (const fitness::Price& proxy : runs::proxies()) {
    const fitness::PriceLabel names = proxy.label();
    all.push_back({{"key", proxy.field()}, {"label", names.label}, {"axis", names.axis}});
  }
  return all;
}

}  // namespace

json report_data(std::span<const runs::RunData> runs,
                 const std::filesystem::path& report_directory) {
  PartitionTable partitions;
  const std::vector<std::string> labels = runs::run_labels(runs);
  json all = json::array();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    all.push_back(run_data(runs[i], labels[i], partitions, report_directory));
  }
  return {{"runs", all},
          {"proxies", proxy_data()},
          {"partitions", partitions.rows()},
          {"measured", std::ranges::any_of(runs, runs::is_measured)}};
}

}  // namespace regroup::apps
