#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/convert/grouping_origin.hpp"
#include "models/architecture/model_config.hpp"
#include "models/grouping/grouping_file.hpp"
#include "models/layouts/layout.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::apps {

/// README.md of a converted checkpoint, as Hugging Face's model cards are: source, method, command,
/// KV size, measured loss before and after, and the licence that the source's card states. Equal
/// inputs give equal bytes: no path, no time. `dtype` is that of the converted weights.
std::string model_card(const models::PretrainedModel& model, const models::GroupingFile& grouping,
                       const std::filesystem::path& grouping_file, models::Layout layout,
                       models::DType dtype);

/// Query heads of the converted model for each of the source's: above 1 where they are padded.
double query_work(const models::ModelConfig& config, const std::vector<models::LayerHeads>& heads);

/// The lines on the licence ("license", "license_name", "license_link") in the front matter of a
/// checkpoint's README.md, each ending in a line break; empty where it states none.
std::string source_licence(const std::filesystem::path& checkpoint);

}  // namespace regroup::apps
