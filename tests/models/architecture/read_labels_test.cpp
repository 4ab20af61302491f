#include <nlohmann/json.hpp>

#include "models/architecture/architecture_spec.hpp"
#include "models/architecture/families/families.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;

namespace {

ModelConfig with(const json& changes) {
  json config = tiny_config("BertForSequenceClassification");
  config.erase("id2label");
  config.update(changes);
  return read_model_config(config, find_architecture(config, "config.json"), "config.json");
}

std::string refusal_of(const json& changes) {
  return error_message<InputError>([&] { with(changes); });
}

}  // namespace

TEST_CASE("a classifier's labels are those of id2label, else as many as transformers has") {
  CHECK(with({{"id2label", {{"0", "no"}, {"1", "yes"}}}}).labels ==
        std::vector<std::string>{"no", "yes"});
  CHECK(with(json::object()).labels == std::vector<std::string>{"LABEL_0", "LABEL_1"});
  CHECK(with({{"num_labels", 3}}).labels ==
        std::vector<std::string>{"LABEL_0", "LABEL_1", "LABEL_2"});
  CHECK(with({{"num_labels", 3}, {"id2label", {{"0", "a"}, {"1", "b"}}}}).labels.size() == 2);
  CHECK(with({{"problem_type", "single_label_classification"}}).labels.size() == 2);
  const ModelConfig config = with(json::object());
  CHECK(config.kind == ModelKind::kText);
  CHECK(!config.tied_embeddings);
}

TEST_CASE("regression and several classes at once are refused by name") {
  CHECK_THAT(refusal_of({{"problem_type", "regression"}}), contains("regression"));
  CHECK_THAT(refusal_of({{"problem_type", "multi_label_classification"}}),
             contains("problem_type"));
  CHECK_THAT(refusal_of({{"num_labels", 1}}), contains("2 or more"));
  CHECK_THAT(refusal_of({{"id2label", {{"0", "no"}, {"2", "yes"}}}}), contains("id2label"));
}
