#pragma once

#include <string>
#include <string_view>

namespace regroup::models {

/// BERT's normalization (arXiv 1810.04805, its BasicTokenizer), in this order.
struct BertNormalizer {
  bool clean = true;                ///< drop control characters, every white space a blank
  bool separate_ideographs = true;  ///< blanks around every Chinese character
  bool strip_accents = true;        ///< decompose and drop the nonspacing marks
  bool lower = true;

  /// Valid UTF-8 in, valid UTF-8 out.
  std::string operator()(std::string_view text) const;
};

}  // namespace regroup::models
