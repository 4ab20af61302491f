#include "search/base/record.hpp"

#include "search/base/error.hpp"

namespace regroup::search {

void RecordReader::require(std::size_t count, std::size_t size) const {
  if (count <= rest_.size() / size) return;
  throw WorkError({.what = "the record of a search's progress is not whole",
                   .expected = std::to_string(count) + " times " + std::to_string(size) + " bytes",
                   .found = std::to_string(rest_.size()) + " bytes"});
}

void RecordReader::take(void* to, std::size_t count, std::size_t size) {
  require(count, size);
  if (count == 0) return;
  std::memcpy(to, rest_.data(), count * size);
  rest_.remove_prefix(count * size);
}

}  // namespace regroup::search
