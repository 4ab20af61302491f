// Every bad input ends with exit code 2 and one message of at most four lines on stderr, and leaves
// nothing behind.

#include <filesystem>
#include <fstream>
#include <limits>

#include "tests/apps/program.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
namespace fs = std::filesystem;

namespace {

/// A tiny model, ids for it, and a place for outputs.
class Scene {
 public:
  Scene() {
    TinyLlama().write(model());
    std::string ids;
    for (int i = 0; i < 100; ++i) ids += std::string{static_cast<char>(i % 20), '\0'};
    scratch_.write("ids.bin", ids);
  }

  std::string model() const { return (scratch_.path() / "model").string(); }
  std::string ids() const { return (scratch_.path() / "ids.bin").string(); }
  std::string out() const { return (scratch_.path() / "out").string(); }
  const TemporaryDirectory& scratch() const { return scratch_; }

  /// Runs a command that must be refused with `part` in its message, leaving no output.
  void refuses(const std::vector<std::string>& arguments, const std::string& part) const {
    CAPTURE(arguments);
    const apps::ProcessResult result = run_regroup(arguments);
    CHECK(result.exit_status == 2);
    CHECK_THAT(result.error, contains(part));
    CHECK(result.error.substr(0, 9) == "regroup: ");
    CHECK(count_lines(result.error) <= 4);
    CHECK(result.output.empty());
    CHECK_FALSE(fs::exists(out()));
  }

  /// A quick search of the scene's model with more options.
  std::vector<std::string> search(std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {"search", model(),        "-o", out(),           "--eval",
                                    ids(),    "--population", "4",  "--generations", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return with_paper_recipe(all);
  }

 private:
  TemporaryDirectory scratch_;
};

}  // namespace

TEST_CASE("a quick search of the scene works, so that refusals mean something") {
  const Scene scene;
  const apps::ProcessResult result = run_regroup(scene.search({"--measure", "2"}));
  CHECK(result.exit_status == 0);
  CHECK(fs::exists(scene.out() + "/run.json"));
}

TEST_CASE("usage errors") {
  const Scene scene;
  scene.refuses({}, "subcommand");
  scene.refuses({"frobnicate"}, "");
  scene.refuses(scene.search({"--frobnicate"}), "--frobnicate");
  scene.refuses({"search", scene.model()}, "--output");
  scene.refuses(scene.search({"--method", "magic"}),
                "qcqa, qcqa-ec, asymgqa, kdgqa, dgqa, exact, exhaustive, neighbour, mqa, random");
  scene.refuses(scene.search({"--fitness", "magic"}), "wse");
  scene.refuses(scene.search({"--merge", "magic"}), "mean");
  scene.refuses(scene.search({"--partitions", "magic"}), "independent");
  scene.refuses(scene.search({"--stage-two", "magic"}), "bit");
  scene.refuses(scene.search({"--dgqa", "magic"}), "diff, ema");
  for (const char* method : {"kdgqa", "dgqa"}) {
    scene.refuses(scene.search({"--method", method, "--partitions", "independent"}),
                  std::string("joint, for --method ") + method);
    scene.refuses(scene.search({"--method", method, "--layout", "standard"}),
                  std::string("any, for --method ") + method);
  }
  scene.refuses(scene.search({"--distance", "magic"}), "activation, weight");
  scene.refuses(scene.search({"--iterations", "-1"}), "--iterations");
  scene.refuses(scene.search({"--accept", "1.5"}), "--accept");
  scene.refuses(scene.search({"--accept", "nan"}), "--accept");
  scene.refuses(scene.search({"--reset", "-0.1"}), "--reset");
  scene.refuses(scene.search({"--fitness", "loss"}), "--method asymgqa");
  scene.refuses(scene.search({"--selection", scene.ids()}), "--fitness loss");
  scene.refuses(scene.search({"--method", "exact", "--seed-grouping", scene.ids()}),
                "--seed-grouping");
  scene.refuses(scene.search({"--refit", "magic"}), "none, output, query, both");
  scene.refuses(scene.search({"--merge", "medoid", "--renorm"}), "--renorm");
  scene.refuses(scene.search({"--method", "kdgqa", "--merge", "optimal"}), "--merge");
  scene.refuses(scene.search({"--allocation", "magic"}), "proxy, measured");
  scene.refuses(scene.search({"--allocation", "measured", "--method", "random"}), "exact");
  scene.refuses({"calibrate", scene.model(), "-o", scene.out() + ".bin"}, ".safetensors");
  scene.refuses({"calibrate", scene.model(), "--data", scene.ids(), "--tokens", "-1", "-o",
                 scene.out() + ".safetensors"},
                "--tokens");
  scene.refuses(scene.search({"--layout", "expand"}), "any, per-layer, standard");
  scene.refuses(scene.search({"--min-groups", "9"}), "--min-groups");
  scene.refuses(scene.search({"--freeze-layers", "7"}), "--freeze-layers");
  scene.refuses(scene.search({"--cache-budget", "lots"}), "--cache-budget");
  scene.refuses(scene.search({"--cache-budget", "1B"}), "does not fit into the budget");
  scene.refuses(scene.search({"--seconds", "-1"}), "--seconds");
  scene.refuses(scene.search({"--nodes", "0"}), "--nodes");
  scene.refuses(scene.search({"--kv", "0"}), "--kv");
  scene.refuses(scene.search({"--kv", "0.5,1.5"}), "1.5");
  scene.refuses(scene.search({"--kv", "half"}), "--kv");
  scene.refuses(scene.search({"--kv", "0.2"}), "at least 0.25");
  scene.refuses(scene.search({"--threads", "0"}), "--threads");
  scene.refuses(scene.search({"--device", "tpu"}), "--device");
  scene.refuses(scene.search({"--device", "cuda:99"}), "cuda:99");
  scene.refuses(scene.search({"--device-memory", "8GB"}), "--device cuda");
  scene.refuses(scene.search({"--device-memory", "some"}), "--device-memory");
  scene.refuses(scene.search({"--reconstruct", "-1"}), "--reconstruct");
  scene.refuses(scene.search({"--dtype", "int8"}), "--dtype");
  scene.refuses(scene.search({"--population", "1"}), "--population");
  scene.refuses(scene.search({"--measure", "-1"}), "--measure");
  scene.refuses(scene.search({"--seed", "-1"}), "--seed");
  scene.refuses(scene.search({"--seed", "99999999999999999999"}), "--seed");
  scene.refuses(scene.search({"--eval-tokens", "-5"}), "--eval-tokens");
  scene.refuses({"search", scene.model(), "-o", scene.out(), "--eval-tokens", "16"}, "--eval FILE");
  scene.refuses({"report", scene.model(), "-o", scene.out() + ".svg"}, ".html");
  scene.refuses(scene.search({"--force", "--resume"}), "--");
  scene.refuses({"eval", scene.model(), "--data", scene.ids(), "--task", "chess"}, "perplexity");
  scene.refuses({"eval", scene.model(), "--data", scene.ids(), "--task", "divergence"},
                "--grouping");
  scene.refuses({"eval", scene.model(), "--data", scene.ids(), "--context", "17"}, "--context");
  scene.refuses({"eval", scene.model(), "--data", scene.ids(), "--limit", "-1"}, "--limit");
  scene.refuses({"eval", scene.model(), "--data", scene.ids(), "--limit", "1"}, "no documents");
  scene.refuses({"convert", scene.model(), "-o", scene.out()}, "--grouping");
  scene.refuses({"convert", scene.model(), "-o", scene.out(), "--grouping", scene.out() + ".json",
                 "--max-shard-size", "big"},
                "--max-shard-size");
}

TEST_CASE("broken checkpoints") {
  const Scene scene;
  const auto search = [&](const std::string& model) {
    return std::vector<std::string>{"search", model, "-o", scene.out(), "--eval", scene.ids()};
  };
  scene.refuses(search(scene.model() + "-absent"), "-absent");
  scene.refuses(search(scene.ids()), "ids.bin");
  const auto variant = [&](const std::string& name) {
    const fs::path copy = scene.scratch().path() / name;
    fs::copy(scene.model(), copy);
    return copy;
  };

  const fs::path bare = variant("bare");
  fs::remove(bare / "config.json");
  scene.refuses(search(bare.string()), "config.json");

  const fs::path empty = variant("empty");
  std::ofstream(empty / "model.safetensors", std::ios::trunc).close();
  scene.refuses(search(empty.string()), "model.safetensors");

  const fs::path truncated = variant("truncated");
  fs::resize_file(truncated / "model.safetensors",
                  fs::file_size(truncated / "model.safetensors") - 5);
  scene.refuses(search(truncated.string()), "model.safetensors");

  const fs::path weightless = variant("weightless");
  fs::remove(weightless / "model.safetensors");
  scene.refuses(search(weightless.string()), "safetensors");

  const fs::path foreign = variant("foreign");
  std::ofstream(foreign / "config.json") << R"({"architectures": ["RwkvForCausalLM"]})";
  scene.refuses(search(foreign.string()), "RwkvForCausalLM");

  TinyLlama shape;
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    auto tensors = shape.tensors();
    tensors.at("model.layers.1.self_attn.v_proj.weight")[7] = bad;
    const fs::path poisoned = scene.scratch().path() / "poisoned";
    shape.write(poisoned, tensors);
    scene.refuses(search(poisoned.string()), "v_proj");
    std::vector<std::string> proxy_only = search(poisoned.string());
    proxy_only.insert(proxy_only.end(), {"--measure", "0"});
    scene.refuses(proxy_only, "v_proj");
    scene.refuses({"inspect", poisoned.string()}, "v_proj");
  }
}

TEST_CASE("broken data") {
  const Scene scene;
  const auto eval = [&](const fs::path& data) {
    return std::vector<std::string>{"search",      scene.model(),  "-o", scene.out(),     "--eval",
                                    data.string(), "--population", "4",  "--generations", "1"};
  };
  const auto& scratch = scene.scratch();
  scene.refuses(eval(scratch.path() / "absent.bin"), "absent.bin");
  scene.refuses(eval(scratch.write("bad.txt", "abc\xff")), "UTF-8");
  scene.refuses(eval(scratch.write("text.txt", "abc")), "no tokenizer");
  scene.refuses(eval(scratch.write("empty.bin", "")), "empty");
  scene.refuses(eval(scratch.write("short.bin", std::string(2 * 16, '\0'))), "shorter");
  scene.refuses(eval(scratch.write("odd.bin", "abc")), "token ids");
  scene.refuses(eval(scratch.write("beyond.bin", std::string(100, '\x7f'))), "vocabulary");
  scene.refuses(scene.search({"--calibration", scene.ids()}), "same data");
  const auto measured = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--method", "asymgqa", "--fitness", "loss"});
    return scene.search(more);
  };
  scene.refuses(measured({"--selection", scene.ids()}), "selection and evaluation");
  const std::string other = scratch.write("other.bin", std::string(2 * 17, '\0')).string();
  scene.refuses(measured({"--selection", other, "--calibration", other}),
                "calibration and selection");
  scene.refuses(measured({"--calibration", other}), "--selection FILE");
}

TEST_CASE("documents that eval cannot use") {
  const Scene scene;
  const std::string good = R"({"context": "ab", "continuation": "c"})";
  const auto refuses = [&](const std::string& task, const std::string& content,
                           const std::string& part) {
    const std::string file = scene.scratch().write("docs.jsonl", content).string();
    scene.refuses({"eval", scene.model(), "--task", task, "--data", file}, part);
  };
  refuses("last-word", good, "no tokenizer");
  refuses("last-word", good + "\n" + good + ",\n", "docs.jsonl, line 2, column 39");
  refuses("last-word", "\xff", "docs.jsonl, line 1");
  refuses("multiple-choice", good, "docs.jsonl, line 1, field \"query\"");
  refuses("rolling-perplexity", good, "docs.jsonl, line 1, field \"text\"");
  scene.refuses({"eval", scene.model(), "--task", "rolling-perplexity", "--data", scene.ids()},
                "neither words nor bytes");
}

TEST_CASE("texts and tokenizers that tokenize cannot use") {
  const Scene scene;
  const auto refuses = [&](std::vector<std::string> more, const std::string& part) {
    more.insert(more.begin(), {"tokenize", scene.model()});
    scene.refuses(more, part);
  };
  refuses({"--text", "a"}, "no tokenizer");
  scene.scratch().write("model/tokenizer.json", R"({"model": {"type": "Letters"}})");
  refuses({"--text", "a"}, "token ids as .bin or .npy");
  scene.scratch().write("model/tokenizer.json", tiny_bpe().dump());
  refuses({}, "--data");
  refuses({"--data", scene.out()}, scene.out());
  refuses({"--text", "a", "--data", "-"}, "--text");
  refuses({"--text", "a", "-o", scene.out()}, ".npy");
  refuses({"--text", "a", "-o", scene.out() + "/ids.npy"}, "--output");
  const std::string bad = scene.scratch().write("bad.txt", "ab\xff").string();
  const std::string output = (scene.scratch().path() / "ids.npy").string();
  refuses({"--data", bad, "-o", output}, "offset 2");
  CHECK_FALSE(fs::exists(output));
}

TEST_CASE("output places that cannot be used") {
  const Scene scene;
  const auto search_into = [&](const fs::path& out) {
    return std::vector<std::string>{"search",     scene.model(), "-o",
                                    out.string(), "--eval",      scene.ids()};
  };
  const fs::path full = scene.scratch().path() / "full";
  scene.scratch().write("full/notes.txt", "mine");
  scene.refuses(search_into(full), "--force or --resume");
  scene.refuses(search_into("/proc/regroup"), "/proc/regroup");
  scene.refuses(search_into(scene.ids()), "ids.bin");
  scene.refuses(search_into(fs::path(scene.ids()) / "below"), "below");
  scene.refuses({"eval", scene.model(), "--data", scene.ids(), "-o",
                 (scene.scratch().path() / "no/such/folder.json").string()},
                "--output");
  CHECK(read_file(full / "notes.txt") == "mine");
}
