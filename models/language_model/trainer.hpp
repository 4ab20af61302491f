#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "models/inputs/windows.hpp"
#include "models/language_model/language_model.hpp"
#include "models/training/training_options.hpp"
#include "search/base/random.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// What one step did.
struct TrainingStep {
  std::int64_t step = 0;       ///< counted from 1
  std::int64_t positions = 0;  ///< that training has seen until then
  double rate = 0;
  double loss = 0;           ///< as the options weigh its terms, …
  double cross_entropy = 0;  ///< … and these; 0 where one does not count
  double divergence = 0;
  double hidden = 0;
  double gradient_norm = 0;  ///< before it is clipped
};

/// Trains a model with merged heads on some data, beside its source where the loss needs that
/// (METHODS §5, §10). The same numbers for any number of threads, and for a training that was
/// broken off, saved and restored. Memory: the model, its source, three times what is trained (four
/// with a best), and what `step_gradients` takes. Not thread-safe; a step spreads over the threads
/// itself.
class Trainer {
 public:
  /// `model` has the grouping's heads and the same checkpoint as `source`; `teacher` is what the
  /// loss compares with. `data` must be what the model reads. Throws InputError where the options
  /// do not go with the model, the teacher or the grouping.
  Trainer(const LanguageModel& model, const LanguageModel& source, const LanguageModel& teacher,
          const search::Grouping& grouping, const TrainingOptions& options, Windows data,
          search::RandomKey key);
  ~Trainer();

  std::int64_t steps() const;  ///< in all
  std::int64_t done() const;   ///< steps so far
  /// Positions that all steps see.
  std::int64_t positions() const;
  /// Numbers that training changes.
  std::int64_t trained_numbers() const;

  /// Takes the next step. Throws WorkError, naming the step, for a loss or a gradient that is not a
  /// finite number, with everything as it was before; Interrupted.
  TrainingStep step(std::stop_token stop);

  /// The model as it is now, for measuring.
  LanguageModel model() const;
  /// Remembers the model as it is now, until another is; …
  void keep_best();
  /// … and goes back to it, if there is one.
  void return_to_best();

  /// All that a training goes on from, with a text of the caller's. Throws WorkError.
  void save(const std::filesystem::path& file, const std::string& notes,
            const std::filesystem::path& temporary_directory) const;
  /// Goes on from there; gives the text. Throws InputError for a file of another training.
  std::string restore(const std::filesystem::path& file);

  /// The grouping, with the deals that training has come to.
  search::Grouping grouping() const;
  /// The model as it is now over its checkpoint, for a conversion.
  std::shared_ptr<const WeightOverlay> overlay() const;

 private:
  class Content;
  std::unique_ptr<Content> content_;
};

}  // namespace regroup::models
