#include "tests/apps/sample_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

namespace regroup::tests {
namespace {

using nlohmann::json;
using Groups = std::vector<std::vector<std::size_t>>;

constexpr double kSourceLoss = 3.9012;
constexpr std::size_t kHeadDim = 32;
constexpr std::size_t kBytes = 2;  // bfloat16

/// A small generator of our own, so that the sample is the same with every standard library.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  std::size_t below(std::size_t limit) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>((state_ >> 33) % limit);
  }
  double unit() { return static_cast<double>(below(1U << 20)) / (1U << 20); }

 private:
  std::uint64_t state_;
};

std::string digest(char digit) {
  return std::string(64, digit);
}

/// Head h in group assignment[h], groups ordered by their first member.
Groups groups_of(const std::vector<std::size_t>& assignment) {
  Groups groups;
  std::vector<std::size_t> seen;
  for (std::size_t head = 0; head < assignment.size(); ++head) {
    const auto found = std::ranges::find(seen, assignment[head]);
    const auto group = static_cast<std::size_t>(found - seen.begin());
    if (found == seen.end()) {
      seen.push_back(assignment[head]);
      groups.emplace_back();
    }
    groups[group].push_back(head);
  }
  return groups;
}

Groups neighbour_groups(std::size_t heads, std::size_t count) {
  std::vector<std::size_t> assignment(heads);
  for (std::size_t h = 0; h < heads; ++h) assignment[h] = h * count / heads;
  return groups_of(assignment);
}

/// `count` groups none of which is empty.
Groups random_groups(Draws& draws, std::size_t heads, std::size_t count) {
  std::vector<std::size_t> assignment(heads);
  for (std::size_t h = 0; h < heads; ++h) assignment[h] = h < count ? h : draws.below(count);
  for (std::size_t h = heads; h > 1; --h) std::swap(assignment[h - 1], assignment[draws.below(h)]);
  return groups_of(assignment);
}

/// Builds the front point by point, each with its grouping file.
class Writer {
 public:
  Writer(const std::filesystem::path& directory, const SampleRun& sample)
      : directory_(directory), sample_(sample) {
    std::filesystem::create_directories(directory / "groupings");
  }

  /// `factor` scales the loss that neighbour grouping of the same size would add.
  void add(const std::string& series, const std::string& name, const std::vector<Groups>& layers,
           double factor) {
    std::size_t groups = 0;
    json rows = json::array();
    for (std::size_t l = 0; l < layers.size(); ++l) {
      json row{{"index", l}, {"key_groups", layers[l]}};
      Groups values = layers[l];
      if (sample_.values_differ && series == "search" && l + 1 < layers.size()) {
        std::vector<std::size_t> rotated(sample_.heads);
        for (std::size_t g = 0; g < values.size(); ++g) {
          for (const std::size_t h : values[g]) rotated[(h + 1) % sample_.heads] = g;
        }
        values = groups_of(rotated);
        row["value_groups"] = values;
      }
      groups += layers[l].size() + values.size();
      rows.push_back(row);
    }
    const std::string path = "groupings/" + name + ".json";
    write_text(directory_ / path,
               json{{"format", "regroup.grouping"}, {"version", 1}, {"layers", rows}}.dump());
    points_.push_back(point(series, path, groups, factor));
  }

  json front() {
    sort();
    mark_front();
    json source{{"kv_bytes_per_token", 2 * sample_.layers * sample_.heads * kHeadDim * kBytes}};
    if (sample_.measured) source["loss"] = kSourceLoss;
    if (sample_.with_caches) source["caches"] = caches(2 * sample_.layers * sample_.heads, 0);
    return {{"format", "regroup.front"}, {"version", 1}, {"source", source}, {"points", points_}};
  }

 private:
  json point(const std::string& series, const std::string& path, std::size_t groups,
             double factor) const {
    const double all = 2.0 * static_cast<double>(sample_.layers * sample_.heads);
    const double ratio = static_cast<double>(groups) / all;
    json point{{"series", series},
               {"method", series == "search" ? sample_.method : series},
               {"merge", "mean"},
               {"kv_ratio", ratio},
               {"bytes_per_token", groups * kHeadDim * kBytes},
               {"grouping", path},
               {"on_front", false}};
    const double wobble = 1 + 0.06 * std::sin(7.0 * static_cast<double>(groups + points_.size()));
    point["wse"] =
        std::round(1e4 * 210.0 * wobble * (0.5 + 0.5 * factor) * std::pow(1 - ratio, 1.2)) / 1e4;
    if (sample_.measured) {
      const double delta = std::round(1e6 * 1.1 * factor * std::pow(1 - ratio, 2.2)) / 1e6;
      point["loss"] = kSourceLoss + delta;
      point["delta_loss"] = delta;
      const double deviation = std::round(1e6 * (0.0008 + 0.02 * delta)) / 1e6;
      point["delta_loss_stderr"] = deviation;
      point["delta_loss_low"] = delta - 2 * deviation;
      point["delta_loss_high"] = delta + 2 * deviation;
      point["kl"] = 0.875 * delta;
      point["kl_stderr"] = 0.5 * deviation;
      point["top1_agreement"] = 1 / (1 + delta);
      if (series != "search") point["search_better"] = 1 - 0.125 * delta;
      if (sample_.with_caches && series == "search") point["caches"] = caches(groups, delta);
    }
    return point;
  }

  /// 8 bits that cost next to nothing, 4 bits that cost a little.
  static json caches(std::size_t groups, double delta) {
    const auto cache = [&](const char* type, std::size_t block_bytes, double more) {
      return json{{"type", type},
                  {"bytes_per_token", groups * kHeadDim / 32 * block_bytes},
                  {"loss", kSourceLoss + delta + more},
                  {"delta_loss", delta + more},
                  {"kl", 0.875 * (delta + more)}};
    };
    return {cache("q8_0", 34, 0.0004 + 0.001 * delta), cache("q4_0", 18, 0.0123 + 0.04 * delta)};
  }

  /// Within each series by ascending ratio, as the format asks.
  void sort() {
    const auto rank = [](const json& p) {
      const std::string series = p["series"];
      return series == "search" ? 0 : series == "neighbour" ? 1 : series == "mqa" ? 2 : 3;
    };
    std::ranges::stable_sort(points_, [&](const json& p, const json& q) {
      const double p_ratio = p["kv_ratio"], q_ratio = q["kv_ratio"];
      return std::pair(rank(p), p_ratio) < std::pair(rank(q), q_ratio);
    });
  }

  void mark_front() {
    if (!sample_.measured) return;
    for (json& p : points_) {
      const double ratio = p["kv_ratio"], loss = p["loss"];
      p["on_front"] = std::ranges::none_of(points_, [&](const json& q) {
        const double other_ratio = q["kv_ratio"], other_loss = q["loss"];
        return other_ratio <= ratio && other_loss <= loss &&
               (other_ratio < ratio || other_loss < loss);
      });
    }
  }

  std::filesystem::path directory_;
  SampleRun sample_;
  std::vector<json> points_;
};

void add_search(Writer& writer, const SampleRun& sample, Draws& draws) {
  constexpr std::size_t kPoints = 24;
  for (std::size_t i = 0; i < kPoints; ++i) {
    const double share = static_cast<double>(i) / (kPoints - 1);
    std::vector<Groups> layers;
    for (std::size_t l = 0; l < sample.layers; ++l) {
      const double wanted = 1 + share * static_cast<double>(sample.heads - 1) +
                            (i % (kPoints - 1) ? draws.unit() : 0);
      const auto count = std::clamp(static_cast<std::size_t>(wanted), std::size_t{1}, sample.heads);
      layers.push_back(random_groups(draws, sample.heads, count));
    }
    writer.add("search", fmt::format("search-{:03}", i), layers,
               sample.search_advantage * (1 + 0.12 * draws.unit()));
  }
}

void add_baselines(Writer& writer, const SampleRun& sample, Draws& draws) {
  for (std::size_t count = 1; count < sample.heads; ++count) {
    const std::vector<Groups> layers(sample.layers, neighbour_groups(sample.heads, count));
    writer.add("neighbour", fmt::format("neighbour-{}", count), layers, 1.0);
  }
  writer.add("mqa", "mqa", std::vector<Groups>(sample.layers, neighbour_groups(sample.heads, 1)),
             1.0);
  for (std::size_t count = 1; count < sample.heads; ++count) {
    for (int draw = 0; draw < 3; ++draw) {
      std::vector<Groups> layers;
      for (std::size_t l = 0; l < sample.layers; ++l)
        layers.push_back(random_groups(draws, sample.heads, count));
      const double factor = count == 1 ? 1.0 : 0.95 + 0.3 * draws.unit();
      writer.add("random", fmt::format("random-{}-{}", count, draw), layers, factor);
    }
  }
}

json run_document(const SampleRun& sample) {
  json data{{"calibration",
             {{"file", "books-calibration.txt"},
              {"sha256", digest('b')},
              {"tokens", 24576},
              {"sampled", sample.sampled_data}}},
            {"eval", nullptr}};
  if (sample.measured) {
    data["eval"] = {{"file", "books-val.txt"}, {"sha256", digest('c')},
                    {"tokens", 57600},         {"windows", 225},
                    {"context", 256},          {"sampled", sample.sampled_data}};
  }
  return {{"format", "regroup.run"},
          {"version", 1},
          {"regroup", "0.1.0"},
          {"seed", 1},
          {"options",
           {{"method", "qcqa"},
            {"fitness", "wse"},
            {"merge", "mean"},
            {"partitions", "joint"},
            {"population", 100},
            {"generations", 40},
            {"renorm", false},
            {"kv", json::array({0.5, 0.25})},
            {"threads", 2},
            {"output", "/somewhere/else"},
            {"selection", nullptr}}},
          {"model",
           {{"name", sample.model_name},
            {"architecture", "LlamaForCausalLM"},
            {"layers", sample.layers},
            {"query_heads", sample.heads},
            {"kv_heads", sample.heads},
            {"head_dim", kHeadDim},
            {"dtype", "bfloat16"},
            {"weights_sha256", digest('a')}}},
          {"data", data},
          {"versions", {{"regroup", "0.1.0"}, {"torch", "2.13.0"}, {"compiler", "GCC 12.2.0"}}},
          {"command_line", {"regroup", "search", "/somewhere/model"}},
          {"threads", 2},
          {"device", "cpu"},
          {"timings", {{"search", 12.25}}}};
}

std::string history(const SampleRun& sample) {
  std::string text = "stage,unit,generation,evaluations,front,hypervolume\n";
  const auto rows = [&text](const char* stage, const std::string& unit, double top, double rate,
                            int last) {
    for (int g = 0; g <= last; ++g) {
      text += fmt::format("{},{},{},{},{},{:.6f}\n", stage, unit, g, 100 * (g + 1),
                          std::min(8, 3 + g / 3), top * (1 - 0.28 * std::exp(-rate * g)));
    }
  };
  for (std::size_t l = 0; l < sample.layers; ++l) {
    rows("1", fmt::format("layer {}", l), 0.71 + 0.012 * static_cast<double>((l * 5) % 8),
         0.2 + 0.02 * static_cast<double>(l), 40);
  }
  rows("2", "model", 0.802, 0.06, 80);
  return text;
}

}  // namespace

void write_sample_run(const std::filesystem::path& directory, const SampleRun& sample) {
  Draws draws(7);
  Writer writer(directory, sample);
  add_search(writer, sample, draws);
  Draws baseline_draws(11);  // apart, so that runs of different methods share their baselines
  add_baselines(writer, sample, baseline_draws);
  write_text(directory / "front.json", writer.front().dump(1));
  write_text(directory / "run.json", run_document(sample).dump(1));
  if (sample.with_history) write_text(directory / "history.csv", history(sample));
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary);
  stream << text;
  if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace regroup::tests
