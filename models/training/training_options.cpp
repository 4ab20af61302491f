#include "models/training/training_options.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using search::Named;
using search::NumberField;

constexpr std::array kParts = {Named<TrainedPart>{"all", TrainedPart::kAll},
                               Named<TrainedPart>{"attention", TrainedPart::kAttention},
                               Named<TrainedPart>{"kv", TrainedPart::kKeyValue},
                               Named<TrainedPart>{"weights", TrainedPart::kWeights}};
constexpr std::array kLosses = {
    Named<LossTerms>{"kl", {0, 1, 0}}, Named<LossTerms>{"ce", {1, 0, 0}},
    Named<LossTerms>{"both", {1, 1, 0}}, Named<LossTerms>{"hidden", {0, 0, 1}}};
constexpr std::array kSchedules = {Named<RateSchedule>{"cosine", RateSchedule::kCosine},
                                   Named<RateSchedule>{"linear", RateSchedule::kLinear},
                                   Named<RateSchedule>{"constant", RateSchedule::kConstant}};
constexpr std::array kLearned = {Named<LearnedMean>{"scalar", LearnedMean::kScalar},
                                 Named<LearnedMean>{"row", LearnedMean::kRow},
                                 Named<LearnedMean>{"column", LearnedMean::kColumn}};
constexpr std::array kStarts = {Named<LearnedStart>{"mean", LearnedStart::kMean},
                                Named<LearnedStart>{"random", LearnedStart::kRandom}};
constexpr std::array kDeals = {Named<DealName>{"kdgqa", DealName::kKdgqa},
                               Named<DealName>{"dgqa-diff", DealName::kDgqaDiff},
                               Named<DealName>{"dgqa-ema", DealName::kDgqaEma}};
constexpr std::array kNoises = {Named<NoiseName>{"paper", NoiseName::kPaper},
                                Named<NoiseName>{"code", NoiseName::kCode}};

search::TextField count_field(std::int64_t& count, const char* option) {
  return {[&count, option](const std::string& text) { count = parse_count(text, option); },
          [&count] { return std::to_string(count); }};
}

[[noreturn]] void refuse_pair(const char* option, const char* expected, const std::string& found) {
  throw InputError({.what = "options of training do not go together",
                    .where = option,
                    .expected = expected,
                    .found = found});
}

}  // namespace

std::int64_t parse_count(std::string_view text, std::string_view option) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const double factor = unit.empty()                 ? 1
                        : unit == "k" || unit == "K" ? 1e3
                        : unit == "M"                ? 1e6
                        : unit == "G" || unit == "B" ? 1e9
                                                     : 0;
  const double count = std::round(number * factor);
  if (error == std::errc() && factor > 0 && count >= 1 && count < 1e15) {
    return static_cast<std::int64_t>(count);
  }
  throw InputError({.what = "not a number of tokens",
                    .where = std::string(option),
                    .expected = "1 or more, as 8192, 200k or 2M",
                    .found = std::string(text)});
}

search::Option uptrain_option(std::int64_t& tokens, std::string help) {
  return {.flag = "--uptrain",
          .key = "uptrain",
          .unit = "N",
          .help = std::move(help),
          .field = search::TextField{[&tokens](const std::string& text) {
                                       tokens = text == "0" ? 0 : parse_count(text, "--uptrain");
                                     },
                                     [&tokens] { return std::to_string(tokens); }}};
}

std::vector<search::Option> TrainingOptions::options() {
  return {
      {.flag = "--tokens",
       .key = "tokens",
       .unit = "N",
       .help = "Positions to train on in all, as 200k or 2M; the data are gone through as often as "
               "that takes",
       .field = count_field(tokens, "--tokens")},
      {.flag = "--batch-tokens",
       .key = "batch_tokens",
       .unit = "N",
       .help = "Positions of one step",
       .field = count_field(batch_tokens, "--batch-tokens")},
      {.flag = "--loss",
       .key = "loss",
       .unit = "LOSS",
       .help =
           "kl: divergence from the source; ce: of the labels; both: their sum; hidden: of what "
           "each attention layer gives",
       .field = names_of(loss, kLosses)},
      {.flag = "--train",
       .key = "train",
       .unit = "PART",
       .help = "What changes: all tensors, those of the attention layers, keys and values, or the "
               "weights of --weights alone",
       .field = names_of(part, kParts)},
      {.flag = "--lr",
       .key = "lr",
       .unit = "RATE",
       .help = "Rate of AdamW after the warm-up",
       .field = NumberField<double>{&rate, 1e-12, 10}},
      {.flag = "--schedule",
       .key = "schedule",
       .unit = "FORM",
       .help = "Of the rate: a cosine or a line to a tenth of it, or constant",
       .field = names_of(schedule, kSchedules)},
      {.flag = "--warmup",
       .key = "warmup",
       .unit = "PERCENT",
       .help = "Part of the steps in which the rate rises from 0",
       .field = NumberField<double>{&warmup, 0, 100}},
      {.flag = "--clip",
       .key = "clip",
       .unit = "NORM",
       .help = "Largest norm of a step's gradient; 0: any",
       .field = NumberField<double>{&clip, 0, search::kFinite}},
      {.flag = "--decay",
       .key = "decay",
       .unit = "PART",
       .help = "Weight decay of matrices; norms, biases and weights of means have none",
       .field = NumberField<double>{&decay, 0, 100}},
      {.flag = "--weights",
       .key = "weights",
       .unit = "FORM",
       .help = "Learn the weights of each group's mean (WGQA): a scalar a head, D numbers (row) or "
               "d numbers (column); in place of the grouping's merge",
       .field = names_of(learned, kLearned)},
      {.flag = "--start",
       .key = "start",
       .unit = "FORM",
       .help = "What the weights of --weights begin as: the mean, or random from N(0, 1)",
       .field = names_of(start, kStarts)},
      {.flag = "--deal",
       .key = "deal",
       .unit = "RULE",
       .help = "Deal query heads to stored heads by key norms while training (KDGQA, DGQA); the "
               "last deal is kept",
       .field = names_of(deal, kDeals)},
      {.flag = "--window",
       .key = "window",
       .unit = "STEPS",
       .help = "Steps between two deals of DGQA",
       .field = NumberField<int>{&window, 1, search::kMany}},
      {.flag = "--noise",
       .key = "noise",
       .unit = "FORM",
       .help = "Take noise in training (PGQA): from the attention maps as the paper says, or from "
               "what groups attend to as its code does",
       .field = names_of(noise, kNoises)},
      {.flag = "--noisy-validation",
       .key = "noisy_validation",
       .help = "Measure the validation data with the noise of --noise, too",
       .field = &noisy_validation},
      {.flag = "--recompute",
       .help = "Keep of a forward pass each layer's input alone and compute the rest anew: less "
               "memory, a third more time",
       .field = &recompute}};
}

void require_valid(TrainingOptions options) {
  search::require_in_range(options.options());
  if (!std::isfinite(options.rate)) {
    throw InputError({.what = "rate is not a number", .where = "--lr", .expected = "above 0"});
  }
  const bool learns = options.learned.has_value();
  if (options.part == TrainedPart::kWeights && !learns) {
    refuse_pair("--train weights", "--weights scalar, row or column", "none");
  }
  if (options.start == LearnedStart::kRandom && !learns) {
    refuse_pair("--start", "--weights scalar, row or column", "none");
  }
  if (options.deal && options.noise) refuse_pair("--deal", "no --noise", "--noise");
  if (options.noisy_validation && !options.noise) {
    refuse_pair("--noisy-validation", "--noise paper or code", "none");
  }
}

}  // namespace regroup::models
