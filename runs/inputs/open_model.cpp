#include "runs/inputs/open_model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/files/printable.hpp"

namespace regroup::runs {

std::shared_ptr<const models::PretrainedModel> open_model(const std::filesystem::path& directory,
                                                          const RunLog& log) {
  auto model = std::make_shared<const models::PretrainedModel>(models::open_model(directory));
  std::vector<std::string> keys;
  for (const std::string& key : model->unknown_keys) keys.push_back(models::printable(key));
  if (!keys.empty()) {
    log.log(
        fmt::format("warning: {}: keys that nothing is known of, taken to be without effect: {}",
                    model->checkpoint.config_where(), fmt::join(keys, ", ")));
  }
  return model;
}

}  // namespace regroup::runs
