#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "models/inputs/dataset.hpp"
#include "models/language_model/language_model.hpp"
#include "runs/base/run_log.hpp"
#include "runs/correlate/correlate_options.hpp"

namespace regroup::runs {

/// A KV size at which whole models are compared.
struct KvSize {
  double limit = 0;  ///< part of the source's
  int kv_heads = 0;  ///< Σ (n_K + n_V) that it allows
};

/// The texts of a comparison: proxies read one, the other measures.
struct CorrelateTexts {
  models::Dataset data;
  std::optional<models::Dataset> selection;  ///< where given
  models::Windows calibration;
  models::Windows measured;
};

/// Everything that a comparison reads, opened and checked before anything is computed or written.
struct CorrelateInputs {
  std::shared_ptr<const models::PretrainedModel> model;
  std::vector<KvSize> sizes;      ///< ascending, distinct
  std::vector<int> group_counts;  ///< of single layers, ascending, distinct
  CorrelateTexts texts;
  models::LanguageModel language_model;
};

/// Opens and checks the inputs. Throws InputError: whatever the readers refuse, a KV size that
/// cannot be reached, a text too short to hold back a part of it, the same data twice, weights that
/// are not finite.
CorrelateInputs open_inputs(const CorrelateOptions& options, const RunLog& log);

}  // namespace regroup::runs
