#include "models/text/make_tokenizer.hpp"

#include "models/text/sentencepiece_model.hpp"
#include "models/text/tokenizer_json.hpp"

namespace regroup::models {

std::unique_ptr<Tokenizer> make_json_tokenizer(nlohmann::json tokenizer,
                                               const nlohmann::json& config,
                                               const std::string& where) {
  return make_tokenizer(parse_tokenizer_json(std::move(tokenizer), where,
                                             parse_tokenizer_config(config, where), where));
}

std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(std::string_view model,
                                                        const nlohmann::json& config,
                                                        const std::string& where) {
  return make_tokenizer(parse_sentencepiece_model(model, where),
                        parse_tokenizer_config(config, where), where);
}

}  // namespace regroup::models
