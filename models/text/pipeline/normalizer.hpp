#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace regroup::models {

/// What happens to text before it is cut into words: steps, one after another; none leave it as it
/// is. Each takes and gives valid UTF-8.
class Normalizer {
 public:
  using Step = std::function<std::string(std::string_view)>;

  void add(Step step) { steps_.push_back(std::move(step)); }
  bool empty() const { return steps_.empty(); }
  std::string operator()(std::string_view text) const;

 private:
  std::vector<Step> steps_;
};

/// The `normalizer` of a tokenizer.json, null for none: NFC, NFD, NFKC, NFKD, Lowercase, Strip,
/// StripAccents, Prepend, Replace, Precompiled, Nmt, ByteLevel, BertNormalizer or a Sequence of
/// these. Throws InputError for another one and for broken fields; `where` names the object.
Normalizer read_normalizer(const nlohmann::json& node, const std::string& where);

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
