// Text that models write with a KV cache.

#include "models/language_model/generation.hpp"

#include <algorithm>

#include "models/merge/operators/merge_table.hpp"
#include "models/tensors/compute.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using search::Grouping;
using search::LayerGrouping;
using search::Partition;

namespace {

using Ids = std::vector<std::int32_t>;

LanguageModel open(const std::filesystem::path& directory) {
  return {std::make_shared<const PretrainedModel>(open_model(directory)), ComputeOptions{}};
}

LanguageModel tiny(std::string_view architecture, const TemporaryDirectory& scratch) {
  const nlohmann::json config = tiny_config(architecture);
  write_checkpoint(scratch.path(), config, random_values(config, 5));
  return open(scratch.path());
}

/// The most likely next id, by a forward pass over all ids before it without a cache.
Ids naive_greedy(const LanguageModel& model, const Ids& prompt, std::size_t count) {
  Ids ids = prompt;
  const auto vocabulary = static_cast<std::size_t>(model.config().vocabulary);
  while (ids.size() < prompt.size() + count) {
    const std::vector<float> logits = model.logits(ids);
    const auto last = logits.end() - static_cast<std::ptrdiff_t>(vocabulary);
    ids.push_back(static_cast<std::int32_t>(std::max_element(last, logits.end()) - last));
  }
  return {ids.begin() + std::ssize(prompt), ids.end()};
}

Generation run(const LanguageModel& model, const Ids& prompt, const GenerationOptions& options) {
  Ids seen;
  Generation result =
      generate(model, prompt, options, [&](std::int32_t id) { seen.push_back(id); }, {});
  CHECK(seen == result.ids);
  return result;
}

/// The source, and groupings of unlike layers, keys apart from values.
std::vector<LanguageModel> versions(const LanguageModel& model) {
  const bool has_four = model.config().kv_heads == 4;
  const auto parse = [&](const char* of_four, const char* of_two) {
    return Partition::parse(has_four ? of_four : of_two);
  };
  const LayerGrouping unequal{parse("0 1 3 | 2", "0 1"), parse("0 1 3 | 2", "0 1")};
  const LayerGrouping apart{parse("0 1 3 | 2", "0 | 1"), parse("0 3 | 1 | 2", "0 1")};
  const LayerGrouping single{parse("0 1 2 3", "0 1"), parse("0 | 1 | 2 | 3", "0 | 1")};
  const MergeRecipe mean(find_merge("mean"));
  return {model, model.grouped(Grouping{{unequal, apart}}, mean),
          model.grouped(Grouping{{apart, single}}, mean)};
}

std::string refusal(const LanguageModel& model, const Ids& prompt) {
  return error_message<InputError>([&] { run(model, prompt, {}); });
}

}  // namespace

TEST_CASE("in every causal family greedy text with a cache is that of whole forward passes") {
  int families = 0;
  for (const std::string_view architecture : tiny_families()) {
    const TemporaryDirectory scratch;
    const LanguageModel source = tiny(architecture, scratch);
    if (source.config().kind != ModelKind::kCausal || !source.config().has_head) continue;
    ++families;
    for (const LanguageModel& model : versions(source)) {
      for (const Ids& prompt : {Ids{3}, Ids{1, 5, 19, 7}, Ids{2, 2, 9, 0, 4, 11, 6, 8}}) {
        CAPTURE(architecture, prompt);
        const Generation found = run(model, prompt, {.most_tokens = 8});
        CHECK(found.ids == naive_greedy(model, prompt, 8));
        CHECK(found.end == GenerationEnd::kMostTokens);
      }
    }
  }
  CHECK(families == 26);
}

TEST_CASE("the cache takes the bytes of the heads that are stored") {
  const TemporaryDirectory scratch;
  const LanguageModel source = tiny("LlamaForCausalLM", scratch);
  const MergeRecipe mean(find_merge("mean"));
  const auto grouping = [](const char* keys, const char* values) {
    return Grouping{{{Partition::parse(keys), Partition::parse(values)},
                     {Partition::parse("0 1 2 3"), Partition::parse("0 1 2 3")}}};
  };
  for (const auto& [keys, values, heads] :
       {std::tuple("0 1 2 3", "0 1 2 3", 4), std::tuple("0 1 | 2 3", "0 | 1 | 2 | 3", 8)}) {
    const LanguageModel model = source.grouped(grouping(keys, values), mean);
    const Generation found = run(model, {1, 2, 3}, {.most_tokens = 5});
    CHECK(found.cache_positions == 8);
    CHECK(found.cache_bytes == 8 * kv_bytes_per_token(model.config(), heads, DType::kF32));
  }
  CHECK(run(source, {1}, {.most_tokens = 2}).cache_bytes ==
        3 * kv_bytes_per_token(source.config(), 16, DType::kF32));
}

TEST_CASE("generation ends behind a stop id, and at the context") {
  const TemporaryDirectory scratch;
  const LanguageModel model = tiny("LlamaForCausalLM", scratch);
  const Ids greedy = naive_greedy(model, {1, 2}, 14);
  const std::int32_t stop = greedy[4];
  const auto first = std::find(greedy.begin(), greedy.end(), stop);
  const Generation stopped = run(model, {1, 2}, {.most_tokens = 14, .stop_ids = {-7, stop}});
  CHECK(stopped.ids == Ids(greedy.begin(), first + 1));
  CHECK(stopped.end == GenerationEnd::kStopId);
  const Generation full = run(model, {1, 2}, {.most_tokens = 1000});
  CHECK(full.ids == greedy);
  CHECK(full.end == GenerationEnd::kContext);
  CHECK(full.cache_positions == 16);
  CHECK(run(model, {1, 2}, {.most_tokens = 14}).end == GenerationEnd::kMostTokens);
}

TEST_CASE("sampled text follows its key, whatever the number of threads") {
  const TemporaryDirectory scratch;
  const LanguageModel model = tiny("Qwen3ForCausalLM", scratch);
  const auto sampled = [&](std::uint64_t seed) {
    return run(model, {4, 5},
               {.sampling = {.temperature = 1.5, .top_k = 15, .top_p = 0.95},
                .key = search::RandomKey(seed),
                .most_tokens = 12})
        .ids;
  };
  use_one_thread_per_operation();
  const Ids one = sampled(1);
  search::set_threads(3);
  CHECK(sampled(1) == one);
  search::set_threads(1);
  CHECK(sampled(2) != one);
}

TEST_CASE("top-k 1 is greedy at any temperature") {
  const TemporaryDirectory scratch;
  const LanguageModel model = tiny("GPT2LMHeadModel", scratch);
  CHECK(run(model, {4, 5}, {.sampling = {.temperature = 9, .top_k = 1}, .most_tokens = 10}).ids ==
        naive_greedy(model, {4, 5}, 10));
}

TEST_CASE("what cannot be continued is refused") {
  const TemporaryDirectory scratch;
  const LanguageModel model = tiny("LlamaForCausalLM", scratch);
  CHECK_THAT(refusal(model, {}), contains("no tokens"));
  CHECK_THAT(refusal(model, {1, 20}), contains("vocabulary"));
  CHECK_THAT(refusal(model, Ids(16, 1)), contains("at most 15 tokens"));
  for (const char* architecture :
       {"BertForMaskedLM", "T5ForConditionalGeneration", "ViTForImageClassification"}) {
    const TemporaryDirectory other;
    CHECK_THAT(refusal(tiny(architecture, other), {1}), contains(architecture));
  }
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS(generate(
                      model, Ids{1}, {}, [](std::int32_t) {}, stop.get_token()),
                  Interrupted);
}

TEST_CASE("logits that are no numbers end generation") {
  const TemporaryDirectory scratch;
  const nlohmann::json config = tiny_config("LlamaForCausalLM");
  TensorValues values = random_values(config, 5);
  for (float& value : values.at("model.norm.weight")) value = 3e38F;  // finite, products are not
  write_checkpoint(scratch.path(), config, values);
  CHECK_THROWS_AS(run(open(scratch.path()), {1, 2}, {}), WorkError);
}

TEST_CASE("where texts end is in generation_config.json, else in config.json") {
  const auto ends = [](const char* of_model, const char* of_generation) {
    const TemporaryDirectory scratch;
    nlohmann::json config = tiny_config("LlamaForCausalLM");
    config["eos_token_id"] = nlohmann::json::parse(of_model);
    write_checkpoint(scratch.path(), config, random_values(config, 5));
    if (of_generation != nullptr) scratch.write("generation_config.json", of_generation);
    return end_ids(open_model(scratch.path()));
  };
  CHECK(ends("null", nullptr).empty());
  CHECK(ends("2", nullptr) == Ids{2});
  CHECK(ends("[2, 3, 99, -1]", nullptr) == Ids{2, 3});
  CHECK(ends("2", R"({"eos_token_id": [7, 5]})") == Ids{7, 5});
  CHECK(ends("2", R"({"eos_token_id": 4})") == Ids{4});
  CHECK(ends("2", R"({"temperature": 1})") == Ids{2});
  CHECK_THAT(error_message<InputError>([&] { ends("2", R"({"eos_token_id": "x"})"); }),
             contains("generation_config.json"));
  CHECK_THAT(error_message<InputError>([&] { ends("2", "[]"); }),
             contains("generation_config.json"));
}
