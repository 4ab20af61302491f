#include "runs/training/training_log.hpp"

#include <fmt/format.h>

#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

using models::TrainingStep;
using nlohmann::json;

double mean_of(const std::vector<double>& values) {
  return fitness::estimate(values).mean;
}

json number_or_null(const std::optional<double>& number) {
  return number ? json(*number) : json();
}

std::optional<double> optional_number(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

json validation_state(const Validation& v) {
  return {v.step,
          v.loss.mean,
          number_or_null(v.loss.standard_error),
          v.delta.mean,
          number_or_null(v.delta.standard_error),
          v.divergence,
          v.accuracy};
}

Validation read_validation(const json& v) {
  return {v.at(0),
          {v.at(1), optional_number(v.at(2))},
          {v.at(3), optional_number(v.at(4))},
          v.at(5),
          v.at(6)};
}

json step_state(const TrainingStep& s) {
  return {s.step,          s.positions,  s.rate,   s.loss,
          s.cross_entropy, s.divergence, s.hidden, s.gradient_norm};
}

TrainingStep read_step(const json& s) {
  return {s.at(0), s.at(1), s.at(2), s.at(3), s.at(4), s.at(5), s.at(6), s.at(7)};
}

}  // namespace

Validation validation_of(std::int64_t step, const std::vector<models::WindowScore>& scores,
                         const std::vector<models::WindowScore>& source) {
  const std::vector<double> losses = values_of(scores, &models::WindowScore::loss);
  return {step, fitness::estimate(losses),
          fitness::paired_difference(losses, values_of(source, &models::WindowScore::loss)),
          mean_of(values_of(scores, &models::WindowScore::divergence)),
          mean_of(values_of(scores, &models::WindowScore::accuracy))};
}

std::string training_csv(const TrainingLog& log, std::int64_t positions_of_step) {
  std::string text =
      "step,tokens,rate,loss,cross_entropy,divergence,hidden,gradient_norm,validation_loss,"
      "tokens_per_second\n";
  std::size_t next = 0;
  while (next < log.validations.size() && log.validations[next].step == 0) ++next;
  for (std::size_t i = 0; i < log.steps.size(); ++i) {
    const TrainingStep& s = log.steps[i];
    std::string validation;
    if (next < log.validations.size() && log.validations[next].step == s.step) {
      validation = fmt::format("{}", log.validations[next++].loss.mean);
    }
    text += fmt::format("{},{},{},{},{},{},{},{},{},{:.1f}\n", s.step, s.positions, s.rate, s.loss,
                        s.cross_entropy, s.divergence, s.hidden, s.gradient_norm, validation,
                        static_cast<double>(positions_of_step) / log.seconds[i]);
  }
  return text;
}

json log_json(const TrainingLog& log) {
  json result = {{"steps", json::array()},
                 {"seconds", log.seconds},
                 {"validations", json::array()},
                 {"best", log.best ? json(*log.best) : json()}};
  for (const TrainingStep& step : log.steps) result["steps"].push_back(step_state(step));
  for (const Validation& v : log.validations) result["validations"].push_back(validation_state(v));
  return result;
}

TrainingLog read_log(const json& value) {
  try {
    TrainingLog log;
    for (const json& step : value.at("steps")) log.steps.push_back(read_step(step));
    log.seconds = value.at("seconds").get<std::vector<double>>();
    for (const json& v : value.at("validations")) log.validations.push_back(read_validation(v));
    if (!value.at("best").is_null()) log.best = value.at("best").get<std::size_t>();
    return log;
  } catch (const json::exception& error) {
    throw InputError({.what = "the state of a training is broken", .found = error.what()});
  }
}

nlohmann::ordered_json validation_json(const Validation& validation) {
  nlohmann::ordered_json result = {{"step", validation.step}, {"loss", validation.loss.mean}};
  if (validation.loss.standard_error) result["loss_stderr"] = *validation.loss.standard_error;
  result["delta_loss"] = validation.delta.mean;
  if (validation.delta.standard_error) {
    result["delta_loss_stderr"] = *validation.delta.standard_error;
  }
  result["kl"] = validation.divergence;
  result["accuracy"] = validation.accuracy;
  return result;
}

}  // namespace regroup::runs
