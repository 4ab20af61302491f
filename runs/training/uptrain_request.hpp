#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "models/tensors/compute.hpp"
#include "models/text/document_join.hpp"
#include "models/training/training_options.hpp"
#include "search/base/options.hpp"

namespace regroup::runs {

/// What a training is asked to do: of a model with merged heads, or of a new one.
struct UptrainRequest {
  std::filesystem::path model;
  std::filesystem::path config;  ///< config.json of a model that begins from nothing; empty: none
  std::filesystem::path tokenizer;    ///< the model whose tokenizer that one gets; empty: none
  std::filesystem::path grouping;     ///< empty: the model as it is
  std::filesystem::path calibration;  ///< empty: the file that the grouping names
  std::filesystem::path teacher;      ///< empty: the model itself
  std::filesystem::path data;
  std::filesystem::path validation;  ///< empty: none
  std::filesystem::path output;
  models::TrainingOptions training;
  int context = 0;                     ///< window, tokens; 0: the model's, at most 2048
  std::int64_t validation_tokens = 0;  ///< of the validation data; 0: all
  int validate_every = 0;              ///< steps; 0: a twentieth of all
  int patience = 0;                    ///< validations without a better one; 0: all steps are taken
  models::DocumentJoin join = models::DocumentJoin::kEnd;
  std::int64_t seed = 1;
  bool force = false;
  bool resume = false;
  models::ComputeOptions compute;

  /// The options that decide the result, bound to this object.
  std::vector<search::Option> options();
  /// Those of them that go with a model that begins from nothing.
  std::vector<search::Option> options_of_new();
};

/// Throws InputError, naming the option, for what cannot be asked for.
void require_valid(UptrainRequest request);

}  // namespace regroup::runs
