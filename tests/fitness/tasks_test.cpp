// Tasks on documents, against their definitions by plain loops on a tiny random model.

#include "fitness/tasks/task.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "search/base/error.hpp"
#include "tests/fixtures/language_model/text_model.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::fitness;
using namespace regroup::tests;
using nlohmann::json;

namespace {

using Ids = std::vector<std::int32_t>;

/// A tiny model that begins texts with id 262, and one of its tasks at work.
class Scene {
 public:
  Scene() : pretrained_(written()), model_(pretrained_, models::ComputeOptions{}) {}

  std::string write_lines(const std::string& name, const std::vector<json>& documents) const {
    std::string lines;
    for (const json& document : documents) lines += document.dump() + "\n";
    return write(name, lines);
  }
  std::string write(const std::string& name, const std::string& content) const {
    return scratch_.write(name, content).string();
  }
  std::unique_ptr<const PreparedTask> prepare(const std::string& task, const std::string& data,
                                              std::size_t limit = 0) const {
    return find_task(task).prepare({data, 16, limit}, *pretrained_);
  }
  TaskResult measure(const PreparedTask& prepared) const {
    search::SilentProgress silent;
    return prepared.measure({model_, model_}, {}, silent);
  }
  TaskResult measure(const std::string& task, const std::string& data) const {
    return measure(*prepare(task, data));
  }
  std::string refusal(const std::string& task, const std::string& data) const {
    return error_message<InputError>([&] { prepare(task, data); });
  }
  const models::LanguageModel& model() const { return model_; }

 private:
  std::shared_ptr<const models::PretrainedModel> written() const {
    write_text_model(scratch_.path() / "model",
                     {{"add_bos_token", true}, {"bos_token", "<|end|>"}});
    return open_text_model(scratch_.path() / "model");
  }

  TemporaryDirectory scratch_;
  std::shared_ptr<const models::PretrainedModel> pretrained_;
  models::LanguageModel model_;
};

LossEstimate metric(const TaskResult& result, const std::string& name) {
  for (const Metric& one : result.metrics) {
    if (one.name == name) return one.value;
  }
  FAIL("no metric " << name);
  return {};
}

/// Ids of text in which no letters merge: 262, then its bytes.
Ids begun(const std::string& text) {
  Ids ids = {262};
  for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
  return ids;
}

/// log p of the last `letters` bytes of a text that fits the context.
models::ContinuationScore score_end(const Scene& scene, const std::string& text,
                                    std::size_t letters) {
  return naive_score(scene.model(), begun(text), letters);
}

/// Sample deviation (n − 1) over √n.
double standard_error(const std::vector<double>& values) {
  double mean = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto n = static_cast<double>(values.size());
  return std::sqrt(squares / (n - 1)) / std::sqrt(n);
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

std::int32_t most_likely(const Scene& scene, const std::string& text) {
  const std::vector<float> logits = scene.model().logits(begun(text));
  const auto row = std::span(logits).last(263);
  return static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin());
}

/// A context of two letters that the model goes on with a blank and the letter returned with it.
std::pair<std::string, std::string> greedy_end(const Scene& scene) {
  for (char first = '!'; first < 't'; ++first) {
    for (char second = '!'; second < 't'; ++second) {
      const std::string context = {first, second};
      if (most_likely(scene, context) != ' ') continue;
      const std::int32_t next = most_likely(scene, context + " ");
      if (next > ' ' && next < 't') return {context, std::string(1, static_cast<char>(next))};
    }
  }
  FAIL("no text that goes on with a blank");
  return {};
}

}  // namespace

TEST_CASE("last-word is whether all tokens are greedy, and exp of what whole words cost") {
  const Scene scene;
  std::vector<json> documents;
  std::vector<double> greedy;
  std::vector<double> losses;
  const auto add = [&](const std::string& context, const std::string& word) {
    documents.push_back({{"context", context}, {"continuation", word}});
    const bool joined = context.back() != ' ';
    const auto score = score_end(scene, context + (joined ? " " : "") + word, word.size() + 1);
    greedy.push_back(score.greedy);
    losses.push_back(-score.log_probability);
  };
  for (const std::string context : {"ab", "cd ", "xyz", "q", "k l m "}) {
    for (const char* word : {"o", "bcd", "u7"}) add(context, word);
  }
  const auto [context, letter] = greedy_end(scene);
  add(context, letter);
  const TaskResult result = scene.measure("last-word", scene.write_lines("words.jsonl", documents));
  CHECK(metric(result, "acc").mean == Approx(mean(greedy)));
  CHECK(metric(result, "acc").standard_error.value() == Approx(standard_error(greedy)));
  const double perplexity = std::exp(mean(losses));
  CHECK(metric(result, "perplexity").mean == Approx(perplexity).epsilon(1e-4));
  CHECK(metric(result, "perplexity").standard_error.value() ==
        Approx(perplexity * standard_error(losses)).epsilon(1e-4));
  CHECK(greedy.back() == 1);
  CHECK(mean(greedy) < 0.5);
}

TEST_CASE("multiple-choice takes the most likely choice, and the most likely by character") {
  const Scene scene;
  std::vector<json> documents;
  std::vector<double> right;
  std::vector<double> right_by_length;
  int differ = 0;
  const std::vector<std::string> choices = {"b", "uvwx", "p\u00e9q", "k7", "\u4f60z"};
  const std::vector<double> lengths = {1, 4, 3, 2, 2};
  for (const std::string query : {"ab", "cd ", "xyz", "q", "", "R:", "o p "}) {
    std::vector<double> sums;
    std::vector<double> means;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      const std::string space = query.ends_with(' ') ? "" : " ";
      const std::size_t scored = choices[i].size() + 1;
      sums.push_back(score_end(scene, query + space + choices[i], scored).log_probability);
      means.push_back(sums.back() / lengths[i]);
    }
    const auto best = std::ranges::max_element(sums) - sums.begin();
    const auto best_by_length = std::ranges::max_element(means) - means.begin();
    differ += best != best_by_length;
    for (const int gold : {0, 1, 2, 3, 4}) {
      documents.push_back({{"query", query}, {"choices", choices}, {"gold", gold}});
      right.push_back(best == gold ? 1 : 0);
      right_by_length.push_back(best_by_length == gold ? 1 : 0);
    }
    // For one gold less, so that the two shares differ from one another and from 1/5.
    if (best == 0) documents.pop_back(), right.pop_back(), right_by_length.pop_back();
  }
  const TaskResult result =
      scene.measure("multiple-choice", scene.write_lines("d.jsonl", documents));
  CHECK(metric(result, "acc").mean == Approx(mean(right)));
  CHECK(metric(result, "acc").standard_error.value() == Approx(standard_error(right)));
  CHECK(metric(result, "acc_norm").mean == Approx(mean(right_by_length)));
  CHECK(metric(result, "acc_norm").standard_error.value() ==
        Approx(standard_error(right_by_length)));
  CHECK(differ > 2);
}

TEST_CASE("multiple-choice with contexts asks for the same continuation after each") {
  const Scene scene;
  std::vector<json> documents;
  std::vector<double> right;
  const std::vector<std::string> contexts = {"ab", "cd ", "xyz"};
  for (const std::string continuation : {"b", "uv", "pqr", "k7", "zz", "M"}) {
    std::vector<double> sums;
    for (const std::string& context : contexts) {
      const std::string space = context.ends_with(' ') ? "" : " ";
      sums.push_back(score_end(scene, context + space + continuation, continuation.size() + 1)
                         .log_probability);
    }
    const auto best = std::ranges::max_element(sums) - sums.begin();
    documents.push_back(
        {{"context_options", contexts}, {"continuation", continuation}, {"gold", 1}});
    right.push_back(best == 1 ? 1 : 0);
    documents.push_back(
        {{"context_options", contexts}, {"continuation", continuation}, {"gold", best}});
    right.push_back(1);
  }
  const TaskResult result =
      scene.measure("multiple-choice", scene.write_lines("d.jsonl", documents));
  CHECK(metric(result, "acc").mean == Approx(mean(right)));
  CHECK(metric(result, "acc_norm").mean == metric(result, "acc").mean);
  CHECK(mean(right) < 1);
}

TEST_CASE("of choices that are equally likely the first is taken") {
  const Scene scene;
  const json document = {{"query", "ab"}, {"choices", {"xy", "xy", "xy"}}};
  for (const int gold : {0, 1, 2}) {
    json with_gold = document;
    with_gold["gold"] = gold;
    const TaskResult result =
        scene.measure("multiple-choice", scene.write_lines("d.jsonl", {with_gold}));
    CHECK(metric(result, "acc").mean == (gold == 0 ? 1 : 0));
    CHECK(metric(result, "acc_norm").mean == (gold == 0 ? 1 : 0));
    CHECK_FALSE(metric(result, "acc").standard_error);
  }
}

TEST_CASE("rolling-perplexity scores every token once and divides by words and bytes") {
  const Scene scene;
  const std::vector<std::string> texts = {"ab cd", " q\u00e9 \n", "",
                                          "abcdefg hijklm opqrs uvw xyz 12"};
  std::vector<json> documents;
  double loss = 0;
  double bytes = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    documents.push_back({{i % 2 == 0 ? "text" : "page", texts[i]}});
    const Ids ids = begun(texts[i]);  // the prefix is the same id
    for (std::size_t at = 1; at < ids.size(); ++at) {
      // 16 tokens a window; the last window of 31 reaches back to read 16 as well.
      const std::size_t window = (at - 1) / 16 * 16 + 16;
      const std::size_t end = std::min(window, ids.size() - 1);
      const std::size_t begin = end > 16 ? end - 16 : 0;
      loss -= naive_score(scene.model(), std::span(ids).subspan(begin, at + 1 - begin), 1)
                  .log_probability;
    }
    bytes += static_cast<double>(texts[i].size());
  }
  const double words = 2 + 3 + 1 + 6;
  const std::string data = scene.write_lines("texts.jsonl", documents);
  const TaskResult result = scene.measure("rolling-perplexity", data);
  CHECK(metric(result, "word_perplexity").mean == Approx(std::exp(loss / words)).epsilon(1e-4));
  CHECK(metric(result, "byte_perplexity").mean == Approx(std::exp(loss / bytes)).epsilon(1e-5));
  CHECK(metric(result, "bits_per_byte").mean == Approx(loss / bytes / std::log(2.0)).epsilon(1e-5));
  CHECK(scene.prepare("rolling-perplexity", data)->original_samples() == 4);

  const TaskResult one = scene.measure("rolling-perplexity", scene.write("d.txt", texts[3]));
  const TaskResult line =
      scene.measure("rolling-perplexity", scene.write_lines("d.jsonl", {{{"text", texts[3]}}}));
  CHECK(metric(one, "byte_perplexity").mean == metric(line, "byte_perplexity").mean);
}

TEST_CASE("a limit takes the first documents") {
  const Scene scene;
  std::vector<json> documents;
  for (const char* word : {"b", "cd", "u7", "qq"}) {
    documents.push_back({{"context", "xyz"}, {"continuation", word}});
  }
  const auto prepared = scene.prepare("last-word", scene.write_lines("all.jsonl", documents), 2);
  CHECK(prepared->original_samples() == 4);
  CHECK(prepared->effective_samples() == 2);
  documents.resize(2);
  const std::string two = scene.write_lines("two.jsonl", documents);
  CHECK(metric(scene.measure(*prepared), "perplexity").mean ==
        metric(scene.measure("last-word", two), "perplexity").mean);
  CHECK(scene.prepare("last-word", two, 9)->effective_samples() == 2);
  CHECK_THAT(error_message<InputError>([&] { scene.prepare("perplexity", two, 2); }),
             contains("--limit"));
}

TEST_CASE("inputs that do not fit are counted") {
  const Scene scene;
  const json fits = {{"context", "ab"}, {"continuation", "c"}};
  const json long_one = {{"context", std::string(40, 'a')}, {"continuation", "c"}};
  CHECK(scene.prepare("last-word", scene.write_lines("d.jsonl", {fits}))->remark().empty());
  CHECK_THAT(
      scene.prepare("last-word", scene.write_lines("d.jsonl", {fits, long_one, fits}))->remark(),
      contains("1 of 3 inputs"));
}

TEST_CASE("documents that a task cannot use are refused with file and line") {
  const Scene scene;
  const json good_word = {{"context", "ab"}, {"continuation", "c"}};
  const json good_choice = {{"query", "ab"}, {"choices", {"c", "d"}}, {"gold", 1}};
  const auto refuses = [&](const std::string& task, const json& good, const json& patch,
                           const std::string& part) {
    json bad = good;
    bad.merge_patch(patch);
    const std::string file = scene.write_lines("docs.jsonl", {good, bad});
    CAPTURE(bad.dump());
    CHECK_THAT(scene.refusal(task, file), contains("docs.jsonl, line 2"));
    CHECK_THAT(scene.refusal(task, file), contains(part));
  };
  refuses("last-word", good_word, {{"context", nullptr}}, "field \"context\"");
  refuses("last-word", good_word, {{"continuation", 5}}, "a string");
  refuses("last-word", good_word, {{"continuation", ""}}, "empty");
  refuses("multiple-choice", good_choice, {{"gold", nullptr}}, "field \"gold\"");
  refuses("multiple-choice", good_choice, {{"gold", 2}}, "0 to 1");
  refuses("multiple-choice", good_choice, {{"gold", "1"}}, "an integer");
  refuses("multiple-choice", good_choice, {{"query", nullptr}}, "field \"query\"");
  refuses("multiple-choice", good_choice, {{"choices", "c"}}, "an array");
  refuses("multiple-choice", good_choice, {{"choices", {"c"}}}, "at least 2");
  refuses("multiple-choice", good_choice, {{"choices", {"c", 7}}}, "element 1");
  refuses("multiple-choice", good_choice, {{"choices", {"c", ""}}}, "choice is empty");
  refuses("multiple-choice", good_choice, {{"context_options", {"c", "d"}}}, "continuation");
  refuses("rolling-perplexity", {{"text", "ab"}}, {{"text", nullptr}}, "field \"text\"");
  refuses("rolling-perplexity", {{"text", "ab"}}, {{"text", 5}}, "a string");
  for (const char* task : {"last-word", "multiple-choice", "rolling-perplexity"}) {
    CAPTURE(task);
    CHECK_THAT(scene.refusal(task, scene.write("d.jsonl", "")), contains("no documents"));
    CHECK_THAT(scene.refusal(task, scene.write("d.jsonl", "{}\n{")), contains("line 2, column 2"));
    CHECK_THAT(scene.refusal(task, "absent.jsonl"), contains("absent.jsonl"));
  }
  CHECK_THAT(scene.refusal("rolling-perplexity", scene.write("d.npy", "x")),
             contains("neither words nor bytes"));
  CHECK_THAT(scene.refusal("rolling-perplexity", scene.write("d.txt", "")), contains("empty"));
  CHECK_THAT(scene.refusal("rolling-perplexity", scene.write("d.txt", "a\xff")), contains("UTF-8"));
}

TEST_CASE("tasks are known by their names") {
  for (const Task* task : all_tasks()) {
    CHECK(&find_task(task->name()) == task);
    CHECK_FALSE(task->summary().empty());
    CHECK(task->compares() == (task->name() == "divergence"));
  }
  CHECK_THAT(error_message<InputError>([] { find_task("chess"); }),
             contains("perplexity, rolling-perplexity, divergence, last-word, multiple-choice"));
}
