#include "models/text/pipeline/decoder.hpp"

#include <numeric>
#include <utility>

namespace regroup::models {

Decoder::Decoder(const Vocabulary& vocabulary) {
  vocabulary.for_each([&](const std::string& token, std::int32_t id) { tokens_[id] = token; });
}

std::string Decoder::operator()(std::span<const std::int32_t> ids) const {
  Tokens tokens;
  tokens.reserve(ids.size());
  for (const std::int32_t id : ids) {
    const auto found = tokens_.find(id);
    if (found != tokens_.end()) tokens.push_back(found->second);
  }
  for (const Step& step : steps_) step(tokens);
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

}  // namespace regroup::models
