#include "models/text/pipeline/unsupported.hpp"

#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

void refuse_tokenizer(const std::string& what, const std::string& where,
                      const std::string& expected, const std::string& found) {
  throw InputError({.what = what,
                    .where = where,
                    .expected = expected + "; or token ids as .bin or .npy data",
                    .found = printable(found)});
}

}  // namespace regroup::models
