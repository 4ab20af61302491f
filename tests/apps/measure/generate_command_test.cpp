// `regroup generate` with the built program.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/language_model/generation.hpp"
#include "models/text/tokenizer.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/started_program.hpp"
#include "tests/fixtures/language_model/text_model.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

namespace {

constexpr const char* kGrouping =
    R"({"format": "regroup.grouping", "version": 1, "layers": [
        {"index": 0, "key_groups": [[0, 3], [1, 2]], "value_groups": [[0, 1, 2], [3]]},
        {"index": 1, "key_groups": [[0, 1, 2, 3]]}]})";

/// A tiny model with a tokenizer, context 16, and a grouping.
struct Scene {
  Scene() {
    write_text_model(scratch.path() / "model");
    scratch.write("g.json", kGrouping);
  }
  std::string path(const std::string& name) const { return (scratch.path() / name).string(); }
  apps::ProcessResult run(std::vector<std::string> more) const {
    more.insert(more.begin(), {"generate", path("model")});
    return run_regroup(more);
  }
  json result(std::vector<std::string> more) const {
    more.insert(more.end(), {"--json", "-q"});
    const apps::ProcessResult found = run(more);
    INFO(found.error);
    REQUIRE(found.exit_status == 0);
    CHECK(found.error.empty());
    return json::parse(found.output);
  }
  void refuses(const std::vector<std::string>& more, const std::string& part) const {
    CAPTURE(more);
    const apps::ProcessResult found = run(more);
    CHECK(found.exit_status == 2);
    CHECK_THAT(found.error, contains(part));
    CHECK(found.error.substr(0, 9) == "regroup: ");
    CHECK(count_lines(found.error) <= 4);
    CHECK(found.output.empty());
  }

  TemporaryDirectory scratch;
};

}  // namespace

TEST_CASE("generate writes the text on stdout, speed and cache on stderr") {
  const Scene scene;
  const apps::ProcessResult found = scene.run({"--prompt", "the in", "--max-tokens", "5"});
  REQUIRE(found.exit_status == 0);
  const json same = scene.result({"--prompt", "the in", "--max-tokens", "5"});
  CHECK(found.output == same.at("text").get<std::string>() + "\n");
  CHECK_THAT(found.error, contains("3 prompt tokens, 5 new"));
  CHECK_THAT(found.error, contains("KV cache 2,048 bytes (256 a token; source 256)"));
  CHECK(count_lines(found.error) == 1);
  CHECK(scene.run({"--prompt", "the in", "-q"}).error.empty());
}

TEST_CASE("generate gives ids, text, speed and cache as JSON") {
  const Scene scene;
  for (const bool is_grouped : {false, true}) {
    std::vector<std::string> arguments = {"--prompt", "the in", "--max-tokens", "6"};
    if (is_grouped) arguments.insert(arguments.end(), {"--grouping", scene.path("g.json")});
    const json found = scene.result(arguments);
    const std::vector<std::int32_t> prompt = {257, ' ', 260};
    CHECK(found.at("prompt_ids") == prompt);
    const auto pretrained = open_text_model(scene.path("model"));
    const std::vector<std::int32_t> ids = found.at("ids");
    CHECK(ids.size() == 6);
    CHECK(found.at("end") == "max_tokens");
    CHECK(found.at("tokens_per_second").at("decoding") > 0);
    CHECK(found.at("tokens_per_second").at("prompt") > 0);
    const json& cache = found.at("kv_cache");
    // Two layers of 4 + 4 heads of 4 numbers, or 2 + 2 and 1 + 1.
    const int per_token = is_grouped ? 6 * 4 * 4 : 16 * 4 * 4;
    CHECK(cache.at("bytes_per_token") == per_token);
    CHECK(cache.at("bytes") == 9 * per_token);
    CHECK(cache.at("positions") == 9);
    CHECK(cache.at("source_bytes_per_token") == 16 * 4 * 4);
    CHECK(cache.at("dtype") == "float32");
    if (is_grouped) continue;
    const models::LanguageModel model(pretrained, models::ComputeOptions{});
    CHECK(ids == models::generate(model, prompt, {.most_tokens = 6}, [](std::int32_t) {}, {}).ids);
  }
}

TEST_CASE("a prompt comes from a file or standard input as it is") {
  const Scene scene;
  const std::string file = scene.scratch.write("prompt.txt", "the in").string();
  const std::string text = scene.run({"--prompt", "the in"}).output;
  CHECK(scene.run({"--prompt-file", file}).output == text);
  const std::vector<std::string> arguments = {program_path(), "generate", scene.path("model"),
                                              "--prompt-file", "-"};
  CHECK(apps::run_program(arguments, "the in").output == text);
  // Without a token of its own, a text begins with the model's first one.
  CHECK(scene.result({"--prompt", ""}).at("prompt_ids") == json::array({1}));
}

TEST_CASE("generation stops at the context, and says so") {
  const Scene scene;
  const apps::ProcessResult found = scene.run({"--prompt", "the in"});
  CHECK(found.exit_status == 0);
  CHECK_THAT(found.error, contains("context of 16 tokens is full"));
  CHECK_THAT(found.error, contains("13 new"));
  CHECK(scene.result({"--prompt", "the in"}).at("end") == "context");
}

TEST_CASE("generation stops where the model ends its text") {
  const Scene scene;
  const std::vector<std::int32_t> ids =
      scene.result({"--prompt", "the in", "--max-tokens", "6"}).at("ids");
  scene.scratch.write("model/generation_config.json", json{{"eos_token_id", {262, ids[2]}}}.dump());
  const json stopped = scene.result({"--prompt", "the in", "--max-tokens", "6"});
  const auto end = std::find(ids.begin(), ids.end(), ids[2]) + 1;
  CHECK(stopped.at("ids") == std::vector<std::int32_t>(ids.begin(), end));
  CHECK(stopped.at("end") == "eos");
  CHECK(scene.result({"--prompt", "the in", "--max-tokens", "6", "--ignore-eos"}).at("ids") == ids);
}

TEST_CASE("a seed gives the same bytes for one thread and several") {
  const Scene scene;
  const auto text = [&](const char* seed, const char* threads) {
    return scene
        .run({"--prompt", "the", "--temperature", "1.3", "--top-k", "200", "--top-p", "0.99",
              "--seed", seed, "-j", threads, "--grouping", scene.path("g.json")})
        .output;
  };
  const std::string one = text("5", "1");
  CHECK(text("5", "3") == one);
  CHECK(text("6", "1") != one);
  CHECK_FALSE(one.empty());
}

TEST_CASE("Ctrl-C ends generation with what was written so far") {
  const TemporaryDirectory scratch;
  TinyLlama endless;
  endless.vocabulary = 263;
  endless.context = 200000;
  endless.write(scratch.path());
  scratch.write("tokenizer.json", tiny_bpe().dump());
  StartedProgram program(
      {"generate", scratch.path().string(), "--prompt", "the", "--max-tokens", "199000"});
  REQUIRE(program.waits_for_output());
  program.send(SIGINT);
  const ProgramEnd end = program.end();
  CHECK_FALSE(end.was_ended);  // by the signal, as without a handler
  CHECK(end.code == 130);
  CHECK(end.error == "regroup: interrupted\n");
  CHECK_FALSE(end.output.empty());
}

TEST_CASE("generate puts the prompt into a conversation by the model's template") {
  const Scene scene;
  scene.refuses({"--prompt", "the", "--chat"}, "no chat template");
  scene.refuses({"--prompt", "the", "--system", "in"}, "--chat");
  scene.scratch.write("model/chat_template.jinja",
                      "{% for m in messages %}{{ m.content }}<{% endfor %}the");
  const json plain = scene.result({"--prompt", "in<the<the"});
  const json chat = scene.result({"--prompt", "the", "--chat", "--system", "in"});
  // A template writes what stands before a text itself.
  const auto tokenizer = models::load_tokenizer(scene.path("model"));
  CHECK(chat.at("prompt_ids").get<std::vector<std::int32_t>>() ==
        tokenizer->encode("in<the<the", false));
  CHECK(chat.at("config").at("chat") == true);
  CHECK(plain.at("config").at("chat") == false);
  scene.scratch.write("model/chat_template.jinja", "{% include 'x' %}");
  scene.refuses({"--prompt", "the", "--chat"}, "include");
}

TEST_CASE("generate refuses what it cannot do") {
  const Scene scene;
  scene.refuses({}, "--prompt TEXT");
  scene.refuses({"--prompt", "a", "--prompt-file", "b"}, "--prompt");
  scene.refuses({"--prompt-file", scene.path("absent")}, "absent");
  scene.refuses({"--prompt", "\xff"}, "not UTF-8");
  scene.refuses({"--prompt", "a", "--max-tokens", "0"}, "--max-tokens");
  scene.refuses({"--prompt", "a", "--temperature", "-1"}, "--temperature");
  scene.refuses({"--prompt", "a", "--temperature", "nan"}, "--temperature");
  scene.refuses({"--prompt", "a", "--top-k", "-1"}, "--top-k");
  scene.refuses({"--prompt", "a", "--top-p", "0"}, "--top-p");
  scene.refuses({"--prompt", "a", "--seed", "-1"}, "--seed");
  scene.refuses({"--prompt", "a", "--device", "tpu"}, "--device");
  scene.refuses({"--prompt", std::string(16, 'x')}, "at most 15 tokens");
  scene.refuses({"--prompt", "a", "--grouping", scene.path("absent.json")}, "absent.json");
  scene.scratch.write("model/generation_config.json", R"({"eos_token_id": true})");
  scene.refuses({"--prompt", "a"}, "generation_config.json");
  std::filesystem::remove(scene.path("model/tokenizer.json"));
  std::filesystem::remove(scene.path("model/generation_config.json"));
  scene.refuses({"--prompt", "a"}, "no tokenizer");
  const json bert = tiny_config("BertForMaskedLM");
  write_checkpoint(scene.path("bert"), bert, random_values(bert, 1));
  const apps::ProcessResult found = run_regroup({"generate", scene.path("bert"), "--prompt", "a"});
  CHECK(found.exit_status == 2);
  CHECK_THAT(found.error, contains("causal language model"));
}

TEST_CASE("a grouping of books-llama writes text, with the cache that it promises") {
  REGROUP_NEEDS_SHARED_DATA("checkpoints/books-llama");
  const TemporaryDirectory scratch;
  json grouping = {{"format", "regroup.grouping"}, {"version", 1}, {"layers", json::array()}};
  for (int layer = 0; layer < 8; ++layer) {
    grouping["layers"].push_back(
        {{"index", layer}, {"key_groups", {{0, 3, 5}, {1, 2}, {4, 6}, {7}}}});
  }
  const std::string file = scratch.write("g.json", grouping.dump()).string();
  const std::string model = shared_data("checkpoints/books-llama").string();
  const auto tokenizer = models::load_tokenizer(model);
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{}, std::vector<std::string>{"--grouping", file}}) {
    std::vector<std::string> arguments = {"generate",     model, "--prompt", "It was a dark",
                                          "--max-tokens", "20",  "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const apps::ProcessResult found = run_regroup(arguments);
    REQUIRE(found.exit_status == 0);
    const json result = json::parse(found.output);
    CHECK(result.at("prompt_ids")[0] == 1);
    // 8 layers of 8 + 8, or 4 + 4, heads of 32 float32 numbers.
    CHECK(result.at("kv_cache").at("bytes_per_token") == (more.empty() ? 16384 : 8192));
    CHECK(result.at("kv_cache").at("source_bytes_per_token") == 16384);
    std::vector<std::int32_t> ids = result.at("prompt_ids");
    const std::vector<std::int32_t> fresh = result.at("ids");
    ids.insert(ids.end(), fresh.begin(), fresh.end());
    CHECK(tokenizer->decode(ids) == "It was a dark" + result.at("text").get<std::string>());
  }
}
