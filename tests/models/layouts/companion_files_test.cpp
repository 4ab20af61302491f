#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "models/layouts/converted_config.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::models {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryDirectory;
using Names = std::set<std::string>;

/// Every file below a directory, by its path there.
Names files_below(const fs::path& directory) {
  Names names;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_directory()) names.insert(entry.path().lexically_relative(directory).string());
  }
  return names;
}

/// What of a source with these files goes along.
Names copied(const Names& source) {
  const TemporaryDirectory directory;
  for (const std::string& name : source) directory.write("from/" + name, "content of " + name);
  fs::create_directory(directory.path() / "to");
  copy_companion_files(directory.path() / "from", directory.path() / "to");
  const Names found = files_below(directory.path() / "to");
  for (const std::string& name : found) {
    CHECK(tests::read_file(directory.path() / "to" / name) == "content of " + name);
  }
  return found;
}

TEST_CASE("all that is neither weights nor made anew goes along with a converted checkpoint") {
  const Names companions = {"tokenizer.json",        "tokenizer.model",
                            "chat_template.jinja",   "modeling_own.py",
                            "tokenization_own.py",   "sentence_bert_config.json",
                            "USE_POLICY.md",         "notes.unheard-of",
                            "1_Pooling/config.json", "additional_chat_templates/tool_use.jinja",
                            "deep/er/file.txt"};
  Names source = companions;
  source.insert({"config.json", "README.md", "model.safetensors", "model.safetensors.index.json",
                 "model-00001-of-00002.safetensors", "pytorch_model.bin", "training_args.bin",
                 "tf_model.h5", "flax_model.msgpack", "model.gguf", "optimizer.pt",
                 ".gitattributes", ".cache/x.json", "__pycache__/x.pyc", "old.json.partial"});
  CHECK(copied(source) == companions);
}

TEST_CASE("folders with weights stay, unless modules.json names them") {
  const Names without = {"onnx/config.json", "onnx/model.onnx", "checkpoint-5/trainer_state.json",
                         "checkpoint-5/global/optimizer.pt", "vocab.txt"};
  CHECK(copied(without) == Names{"vocab.txt"});
  const TemporaryDirectory directory;
  directory.write("from/modules.json", R"([{"path": ""}, {"path": "2_Dense"}, {}, 3])");
  directory.write("from/2_Dense/config.json", "{}");
  directory.write("from/2_Dense/model.safetensors", "weights");
  directory.write("from/3_Other/model.safetensors", "weights");
  copy_companion_files(directory.path() / "from", directory.path() / "from/to");
  CHECK(files_below(directory.path() / "from/to") ==
        Names{"2_Dense/config.json", "2_Dense/model.safetensors", "modules.json"});
  // Again, with the output inside of the source.
  copy_companion_files(directory.path() / "from", directory.path() / "from/to");
  CHECK(files_below(directory.path() / "from/to").size() == 3);
}

TEST_CASE("linked files go along, links in circles do not") {
  const TemporaryDirectory directory;
  directory.write("blobs/a", "the blob");
  directory.write("from/b/c.json", "{}");
  fs::create_symlink("../blobs/a", directory.path() / "from/tokenizer.json");
  fs::create_symlink("absent", directory.path() / "from/dangling.json");
  fs::create_directory_symlink("..", directory.path() / "from/b/up");
  fs::create_directory_symlink(".", directory.path() / "from/self");
  fs::create_directory(directory.path() / "to");
  copy_companion_files(directory.path() / "from", directory.path() / "to");
  CHECK(files_below(directory.path() / "to") == Names{"b/c.json", "tokenizer.json"});
  CHECK_FALSE(fs::is_symlink(directory.path() / "to/tokenizer.json"));
  CHECK(tests::read_file(directory.path() / "to/tokenizer.json") == "the blob");
}

TEST_CASE("of a source's own code the tokenizer stays named, its models do not") {
  const nlohmann::json own = {{"AutoConfig", "configuration_own.C"},
                              {"AutoModel", "modeling_own.M"},
                              {"AutoModelForCausalLM", "modeling_own.L"},
                              {"AutoTokenizer", {"tokenization_own.T", nullptr}}};
  const nlohmann::json map = remote_auto_map(own, kRemoteDecoder);
  CHECK(map == nlohmann::json{{"AutoConfig", "configuration_regrouped.RegroupedConfig"},
                              {"AutoModelForCausalLM", "modeling_regrouped.RegroupedForCausalLM"},
                              {"AutoTokenizer", {"tokenization_own.T", nullptr}}});
  CHECK(remote_auto_map(nlohmann::json::object(), kRemoteBase) ==
        nlohmann::json{{"AutoConfig", "configuration_regrouped.RegroupedConfig"},
                       {"AutoModel", "modeling_regrouped.RegroupedModel"}});
}

}  // namespace
}  // namespace regroup::models
