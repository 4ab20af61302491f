#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fitness/price.hpp"

namespace regroup::runs {

/// What a front may be priced by, as the report shows it: every price there is, by its field in
/// front.json.
const std::vector<fitness::Price>& proxies();

/// Pairs in the order in which they are shown.
using NamedTexts = std::vector<std::pair<std::string, std::string>>;

/// One attention module of a grouping. Each vector maps a head to its group, groups numbered from
/// 0.
struct LayerGroups {
  std::string name;              ///< "layer 3", or the module's own name
  std::vector<std::size_t> key;  ///< [kv_heads]
  std::vector<std::size_t> value;
  std::vector<std::size_t> query;  ///< [query_heads] of a key-norm allocation, else empty
};

/// What was measured of one model with one type of KV cache.
struct CachePoint {
  std::string type;  ///< "q8_0"
  std::uint64_t bytes_per_token = 0;
  double loss = 0;           ///< nats per token
  double delta_loss = 0;     ///< loss - loss of the source with its plain cache
  std::optional<double> kl;  ///< KL(source ‖ this), nats per token
};

/// One point of front.json together with its grouping. What was not measured is absent.
struct FrontPoint {
  std::string series, method;
  std::string recipe;                          ///< "optimal + both refits"
  double kv_ratio = 0;                         ///< of the source model's cache, in (0, 1]
  std::uint64_t bytes_per_token = 0;           ///< of KV cache
  std::vector<std::optional<double>> proxies;  ///< in the order of `proxies()`
  std::optional<double> loss;                  ///< nats per token
  std::optional<double> delta_loss;            ///< loss - source loss
  std::optional<double> delta_loss_stderr;     ///< paired over windows
  std::optional<double> delta_loss_low, delta_loss_high;  ///< 95 % interval of delta_loss
  std::optional<double> kl, kl_stderr;                    ///< KL(source ‖ point), nats per token
  std::optional<double> accuracy, accuracy_stderr;        ///< where the task has one, share
  std::optional<double> top1_agreement;                   ///< with the source, share of positions
  std::optional<double> search_better;                    ///< of a baseline: share of resamples
  bool on_front = false;
  std::string grouping;                  ///< path inside the run directory: "groupings/NAME.json"
  std::optional<double> compute;         ///< multiplications of a decoded token, of the source's
  std::optional<std::string> width;      ///< of groups that are not as wide as a head: "64"
  std::optional<double> uptrained_loss;  ///< after a training
  std::vector<LayerGroups> layers;
  std::vector<CachePoint> caches = {};  ///< other types of KV cache, where they were measured
};

/// One row of history.csv.
struct HistoryRow {
  std::string stage, unit;
  std::uint64_t generation = 0, evaluations = 0, front = 0;
  double hypervolume = 0;  ///< in [0, 1]
};

/// The source model as run.json names it.
struct ModelInfo {
  std::string name, architecture, dtype, weights_sha256;
  std::uint64_t layers = 0, query_heads = 0, kv_heads = 0, head_dim = 0;
};

/// One data set of a run.
struct DataInfo {
  std::string role;  ///< "calibration", "selection" or "eval"
  std::string file, sha256;
  std::optional<std::uint64_t> tokens, windows, context, images;
  bool sampled = false;  ///< text drawn from the model itself
};

/// How far the run's front is from the best possible one, as front.json says.
struct CertificateInfo {
  double hypervolume = 0;  ///< of the run's proxy front, in [0, 1]
  double best = 0;         ///< of the exact front, or an upper bound of it
  bool is_exact = false;
  double worst_gap = 0;  ///< of the points' errors: (error − bound) / error at most
};

/// What a report needs of a run directory. Threads, device, times, paths and the command line are
/// left out, because a report must not depend on them.
struct RunData {
  std::filesystem::path directory;
  std::uint64_t seed = 0;
  ModelInfo model;
  std::vector<DataInfo> data;
  NamedTexts options, versions;
  std::uint64_t source_bytes_per_token = 0;
  std::optional<double> source_loss;
  std::optional<double> source_accuracy;
  std::vector<CachePoint> source_caches;
  std::vector<FrontPoint> points;
  std::optional<CertificateInfo> certificate;
  std::vector<HistoryRow> history;  ///< empty for methods that have no generations
};

/// Reads run.json, front.json, every grouping named there and history.csv if there is one.
/// Throws InputError naming file and field if something is missing or broken.
RunData load_run(const std::filesystem::path& directory);

/// The same with the content of run.json given, for a run that has not written its run.json yet.
RunData load_run(const std::filesystem::path& directory, const nlohmann::json& record);

/// True if at least one point has a measured loss.
bool is_measured(const RunData& run);

/// How each run is called in a report: by its directory where there are several, else not at all,
/// so that a run's own report does not depend on where the run lies. No label occurs twice.
std::vector<std::string> run_labels(std::span<const RunData> runs);

/// "search (qcqa-ac)", "neighbour"; with a run's label "books · search (qcqa-ac)".
std::string series_label(const std::string& run_label, const FrontPoint& point);

}  // namespace regroup::runs
