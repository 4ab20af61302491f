#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "models/files/json_fields.hpp"
#include "models/text/pipeline/byte_alphabet.hpp"
#include "models/text/pipeline/byte_tokens.hpp"
#include "models/text/pipeline/decoder.hpp"
#include "models/text/pipeline/metaspace.hpp"
#include "models/text/pipeline/pattern.hpp"
#include "models/text/pipeline/unsupported.hpp"
#include "models/text/pipeline/utf8.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// What Hugging Face's decoder does to every token, in this order.
void clean_up(std::string& text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kReplacements = {
      {{" .", "."},
       {" ?", "?"},
       {" !", "!"},
       {" ,", ","},
       {" ' ", "'"},
       {" n't", "n't"},
       {" 'm", "'m"},
       {" do not", " don't"},
       {" 's", "'s"},
       {" 've", "'ve"},
       {" 're", "'re"}}};
  for (const auto& [from, to] : kReplacements) replace_all(text, from, to);
}

/// Blanks from their replacement; the one that was put before the text is left out.
Decoder::Step metaspace_step(const Metaspace& metaspace) {
  const bool leaves_first = metaspace.prepend != PrependScheme::kNever;
  return [replacement = metaspace.replacement, leaves_first](Decoder::Tokens& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      replace_all(tokens[i], replacement, i == 0 && leaves_first ? "" : " ");
    }
  };
}

/// Words end where their last token says so.
Decoder::Step bpe_step(const json& node, const std::string& where) {
  const std::string ending = optional_string(node, "suffix", where).value_or("</w>");
  if (ending.empty()) refuse_field(where, "suffix", "a text", "none");
  return [ending](Decoder::Tokens& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      replace_all(tokens[i], ending, i + 1 < tokens.size() ? " " : "");
    }
  };
}

void join_bytes(Decoder::Tokens& tokens) {
  for (std::string& token : tokens) {
    if (const auto byte = byte_of_token(token)) token.assign(1, *byte);
  }
}

void fuse(Decoder::Tokens& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += token;
  tokens.assign(1, std::move(text));
}

/// Takes so many times a character off both ends of every token.
Decoder::Step strip_step(const json& node, const std::string& where) {
  constexpr std::int64_t kMost = 1'000'000;
  const std::string content = required_string(node, "content", where);
  if (content.empty()) refuse_field(where, "content", "a character", "none");
  const auto start = required_int(node, "start", where, 0, kMost);
  const auto stop = required_int(node, "stop", where, 0, kMost);
  return [=](Decoder::Tokens& tokens) {
    for (std::string& token : tokens) {
      std::string_view rest = token;
      for (auto n = start; n > 0 && rest.starts_with(content); --n) {
        rest.remove_prefix(content.size());
      }
      for (auto n = stop; n > 0 && rest.ends_with(content); --n) rest.remove_suffix(content.size());
      token = std::string(rest);
    }
  };
}

Decoder::Step replace_step(const json& node, const std::string& where) {
  const std::string content = required_string(node, "content", where);
  const json& pattern = required_object(node, "pattern", where);
  if (const auto text = optional_string(pattern, "String", where)) {
    if (text->empty()) refuse_field(where, "pattern", "a text", "none");
    return [from = *text, content](Decoder::Tokens& tokens) {
      for (std::string& token : tokens) replace_all(token, from, content);
    };
  }
  const auto regex = std::make_shared<const Regex>(read_pattern(node, where));
  return [regex, content](Decoder::Tokens& tokens) {
    for (std::string& token : tokens) {
      if (!first_invalid_utf8(token)) token = replaced(token, *regex, content);
    }
  };
}

Decoder::Step read_one(const std::string& type, const json& node, const std::string& where) {
  if (type == "ByteLevel") return byte_level_step();
  if (type == "WordPiece") {
    return word_piece_step(optional_string(node, "prefix", where).value_or("##"),
                           optional_bool(node, "cleanup", where).value_or(true));
  }
  if (type == "Metaspace") return metaspace_step(read_metaspace(node, where));
  if (type == "BPEDecoder") return bpe_step(node, where);
  if (type == "ByteFallback") return join_bytes;
  if (type == "Fuse") return fuse;
  if (type == "Strip") return strip_step(node, where);
  if (type == "Replace") return replace_step(node, where);
  refuse_tokenizer("decoder of the tokenizer is not supported", where,
                   "ByteLevel, WordPiece, Metaspace, BPEDecoder, ByteFallback, Fuse, Strip, "
                   "Replace, Sequence",
                   type);
}

void append_steps(std::vector<Decoder::Step>& steps, const json& node, const std::string& where) {
  const std::string type = required_string(node, "type", where);
  if (type != "Sequence") return steps.push_back(read_one(type, node, where));
  for (const json& child : required_array(node, "decoders", where)) {
    append_steps(steps, child, where);
  }
}

}  // namespace

Decoder::Step byte_level_step() {
  return [](Decoder::Tokens& tokens) {
    for (std::string& token : tokens) token = from_byte_alphabet(token).value_or(token);
  };
}

Decoder::Step word_piece_step(std::string continuation, bool clean) {
  return [continuation = std::move(continuation), clean](Decoder::Tokens& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      std::string& token = tokens[i];
      if (i > 0 && token.starts_with(continuation)) {
        token.erase(0, continuation.size());
      } else if (i > 0) {
        token.insert(0, " ");
      }
      if (clean) clean_up(token);
    }
  };
}

Decoder::Step blank_step() {
  return [](Decoder::Tokens& tokens) {
    for (std::size_t i = 1; i < tokens.size(); ++i) tokens[i].insert(0, " ");
  };
}

std::vector<Decoder::Step> read_decoder_steps(const json& node, const std::string& where) {
  std::vector<Decoder::Step> steps;
  append_steps(steps, node, where);
  return steps;
}

}  // namespace regroup::models
