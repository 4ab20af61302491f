#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "search/base/options.hpp"

namespace regroup::models {

/// Which tensors of a model training changes.
enum class TrainedPart {
  kAll,
  kAttention,  ///< of the attention layers
  kKeyValue,   ///< their key and value projections
  kWeights,    ///< the weights of learned means alone
};

/// How weights of a learned mean stand over a head (WGQA, METHODS §5).
enum class LearnedMean {
  kScalar,  ///< one number a head
  kRow,     ///< D numbers, which scale the projection's columns
  kColumn,  ///< d numbers, which scale its rows
};
/// What they begin as.
enum class LearnedStart { kMean, kRandom };

/// How query heads are dealt to stored heads in training (METHODS §4).
enum class DealName { kKdgqa, kDgqaDiff, kDgqaEma };
/// What training takes noise from (PGQA).
enum class NoiseName { kPaper, kCode };

/// a · CE(labels) + b · KL(source ‖ model) + c · Σ over layers of ‖y − y_source‖² / ‖y_source‖²,
/// y what an attention layer gives for a window (METHODS §10).
struct LossTerms {
  double cross_entropy = 0;
  double divergence = 1;
  double hidden = 0;

  bool needs_source() const { return divergence > 0 || hidden > 0; }
  bool operator==(const LossTerms&) const = default;
};

/// How the rate goes on after the warm-up: to a tenth by a cosine or a line, or not at all.
enum class RateSchedule { kCosine, kLinear, kConstant };

/// How a model is trained; what a record says of it, and what a run that goes on must have too.
struct TrainingOptions {
  std::int64_t tokens = 2'000'000;   ///< positions that training sees
  std::int64_t batch_tokens = 8192;  ///< positions of a step
  LossTerms loss = {};
  TrainedPart part = TrainedPart::kAll;
  double rate = 3e-4;  ///< of AdamW, after the warm-up
  RateSchedule schedule = RateSchedule::kCosine;
  double warmup = 2;                   ///< percent of the steps
  double clip = 1;                     ///< largest norm of a step's gradient; 0: any
  double decay = 0.1;                  ///< of matrices
  std::optional<LearnedMean> learned;  ///< nothing: heads are merged before
  LearnedStart start = LearnedStart::kMean;
  std::optional<DealName> deal;
  int window = 300;  ///< steps between two deals of DGQA
  std::optional<NoiseName> noise;
  bool noisy_validation = false;  ///< measures with the noise, too
  bool recompute = false;         ///< keeps each layer's input alone of a forward pass

  /// The options, bound to this object.
  std::vector<search::Option> options();
};

/// Throws InputError, naming the option, for a number out of range and for options that do not go
/// together.
void require_valid(TrainingOptions options);

/// `--uptrain N`: tokens that something is trained on before it is measured again; 0: none. The
/// field must outlive the option.
search::Option uptrain_option(std::int64_t& tokens, std::string help);

/// "200k", "2M", "1.5M", "8192" as a number. Throws InputError naming `option`.
std::int64_t parse_count(std::string_view text, std::string_view option);

}  // namespace regroup::models
