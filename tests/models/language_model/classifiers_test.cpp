// Classifiers of texts against the same model without its head, and the head in plain loops.

#include <cmath>
#include <functional>

#include "models/language_model/language_model.hpp"
#include "search/base/error.hpp"
#include "search/base/progress.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/near.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

/// What stands in the head of one family: the names of its two maps, and what is between them.
struct Head {
  std::string architecture;
  std::string base;
  std::string dense;
  std::string last;
  std::function<double(double)> activation;
};

std::vector<Head> heads() {
  const auto tanh = [](double x) { return std::tanh(x); };
  const auto relu = [](double x) { return std::max(x, 0.0); };
  return {{"BertForSequenceClassification", "BertModel", "bert.pooler.dense", "classifier", tanh},
          {"RobertaForSequenceClassification", "RobertaModel", "classifier.dense",
           "classifier.out_proj", tanh},
          {"DistilBertForSequenceClassification", "DistilBertModel", "pre_classifier", "classifier",
           relu}};
}

LanguageModel open(const std::filesystem::path& directory) {
  return LanguageModel(std::make_shared<const PretrainedModel>(open_model(directory)),
                       ComputeOptions{});
}

/// weight · x + bias, weight [out, in].
std::vector<double> linear(const TensorValues& values, const std::string& name,
                           const std::vector<double>& x) {
  const std::vector<float>& weight = values.at(name + ".weight");
  std::vector<double> result;
  for (const float bias : values.at(name + ".bias")) {
    double sum = bias;
    for (std::size_t i = 0; i < x.size(); ++i) sum += weight[result.size() * x.size() + i] * x[i];
    result.push_back(sum);
  }
  return result;
}

}  // namespace

TEST_CASE("a classifier's logits are its head's, of the first token's state") {
  for (const Head& head : heads()) {
    CAPTURE(head.architecture);
    const TemporaryDirectory scratch;
    nlohmann::json config = tiny_config(head.architecture);
    const TensorValues values = random_values(config, 5);
    write_checkpoint(scratch.path() / "classifier", config, values);
    config["architectures"] = {head.base};
    write_checkpoint(scratch.path() / "base", config, values);
    const LanguageModel classifier = open(scratch.path() / "classifier");
    const LanguageModel base = open(scratch.path() / "base");
    const std::vector<std::int32_t> ids = {3, 7, 7, 11, 5, 19};
    const std::vector<float> states = base.logits(ForwardInput{ids, {}, {}, {}});
    REQUIRE(states.size() == 6 * 16);
    std::vector<double> hidden = linear(values, head.dense, {states.begin(), states.begin() + 16});
    for (double& number : hidden) number = head.activation(number);
    const std::vector<double> wanted = linear(values, head.last, hidden);
    const std::vector<float> logits = classifier.logits(ForwardInput{ids, {}, {}, {}});
    REQUIRE(logits.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(logits[i] == near(wanted[i], 1e-4));
  }
}

TEST_CASE("a text's loss is that of its class, one text after another") {
  const TemporaryDirectory scratch;
  const nlohmann::json config = tiny_config("BertForSequenceClassification");
  write_checkpoint(scratch.path() / "model", config, random_values(config, 6));
  const LanguageModel model = open(scratch.path() / "model");
  const Windows texts = random_windows(model.config(), 7, 2);
  CHECK(texts.size_text() == "7 texts");
  CHECK(texts.tokens() == 7);
  search::SilentProgress silent;
  const std::vector<double> losses = model.window_losses(texts, {}, silent);
  const std::vector<int> ranks = model.class_ranks(texts, {}, silent);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const TokenPair& text = texts.pairs()[i];
    const std::vector<float> logits = model.logits(ForwardInput{text.source, {}, {}, {}});
    const auto label = static_cast<std::size_t>(text.target.front());
    double sum = 0;
    int rank = 0;
    for (const float logit : logits) {
      sum += std::exp(logit);
      rank += logit > logits[label];
    }
    CHECK(losses[i] == Approx(std::log(sum) - logits[label]).epsilon(1e-5));
    CHECK(ranks[i] == rank);
  }
  CHECK_THAT(error_message<InputError>([&] {
               model.window_losses(Windows::of_texts({{{3, 4}, {3}}}), {}, silent);
             }),
             contains("0 to 2"));
  CHECK_THROWS_AS(Windows::of_texts({{{3, 4}, {1, 2}}}), WorkError);
}
