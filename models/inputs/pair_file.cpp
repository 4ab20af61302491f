#include "models/inputs/dataset.hpp"
#include "models/inputs/text_lines.hpp"

namespace regroup::models {

PairFile read_pair_file(const std::filesystem::path& file, const PretrainedModel& model) {
  const TextLines lines(file, model);
  PairFile result{lines.sha256(), {}};
  for (const JsonLine& line : lines.all("pairs of texts", R"({"source": "…", "target": "…"})")) {
    result.pairs.push_back({lines.ids(line, "source"), lines.ids(line, "target")});
  }
  return result;
}

}  // namespace regroup::models
