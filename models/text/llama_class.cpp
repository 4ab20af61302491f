#include "models/text/llama_class.hpp"

#include "models/text/pipeline/blank_parts.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

bool takes_bytes(const json& pre_tokenizer) {
  return pre_tokenizer.dump().find("\"ByteLevel\"") != std::string::npos;
}

json visible_blanks(const TokenizerConfig& config) {
  const char* scheme = config.legacy ? "always" : "first";
  return {{"type", "Metaspace"},
          {"replacement", kVisibleBlank},
          {"prepend_scheme", config.no_prefix_space ? "never" : scheme},
          {"split", false}};
}

json decoder(const TokenizerConfig& config) {
  json steps = json::array(
      {{{"type", "Replace"}, {"pattern", {{"String", kVisibleBlank}}}, {"content", " "}},
       {{"type", "ByteFallback"}},
       {{"type", "Fuse"}}});
  if (!config.no_prefix_space) {
    steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  return {{"type", "Sequence"}, {"decoders", steps}};
}

}  // namespace

void rebuild_as_llama_class(TokenizerJson& source) {
  const bool is_bpe =
      word_model_kind(source.model(), source.part_where("model")) == WordModelKind::kBpe;
  if (!source.config.llama_class || !is_bpe || takes_bytes(source.part("pre_tokenizer"))) return;
  source.file["normalizer"] = nullptr;
  source.file["pre_tokenizer"] = visible_blanks(source.config);
  source.file["decoder"] = decoder(source.config);
  json& model = source.file["model"];
  model["unk_token"] = nullptr;
  model["fuse_unk"] = true;
  model["byte_fallback"] = true;
  model["ignore_merges"] = false;
}

}  // namespace regroup::models
