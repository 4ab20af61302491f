#include "apps/eval_result.hpp"

#include <cmath>
#include <vector>

namespace regroup::apps {
namespace {

using nlohmann::ordered_json;

/// A perplexity that no number holds is absent.
void set(ordered_json& values, const std::string& name, double value) {
  if (std::isfinite(value)) values[name + ",none"] = value;
}

ordered_json metric_values(std::span<const fitness::Metric> metrics) {
  ordered_json values;
  for (const fitness::Metric& metric : metrics) {
    set(values, metric.name, metric.value.mean);
    if (metric.value.standard_error) {
      set(values, metric.name + "_stderr", *metric.value.standard_error);
    }
  }
  return values;
}

ordered_json task_settings(const fitness::TaskOptions& options,
                           const fitness::PreparedTask& prepared) {
  ordered_json settings = {{"context", options.context},
                           {"data", options.data.string()},
                           {"data_sha256", prepared.sha256()}};
  if (options.limit > 0) settings["limit"] = options.limit;
  if (prepared.joined_documents() > 0) {
    settings["documents"] = prepared.joined_documents();
    settings["join"] = models::join_name(options.join);
  }
  return settings;
}

}  // namespace

ordered_json eval_result(std::string_view task, const fitness::TaskOptions& options,
                         const fitness::PreparedTask& prepared,
                         std::span<const fitness::Metric> metrics) {
  const std::string key(task);
  return {{"results", {{key, metric_values(metrics)}}},
          {"configs", {{key, task_settings(options, prepared)}}},
          {"n-samples",
           {{key,
             {{"original", prepared.original_samples()},
              {"effective", prepared.effective_samples()}}}}}};
}

std::string sample_lines(std::span<const fitness::Metric> metrics) {
  std::vector<ordered_json> documents;
  for (const fitness::Metric& metric : metrics) {
    if (documents.empty()) documents.resize(metric.samples.size());
    for (std::size_t i = 0; i < metric.samples.size(); ++i) {
      if (documents[i].empty()) documents[i]["doc_id"] = i;
      documents[i][metric.name] = metric.samples[i];
    }
  }
  std::string lines;
  for (const ordered_json& document : documents) lines += document.dump() + "\n";
  return lines;
}

}  // namespace regroup::apps
