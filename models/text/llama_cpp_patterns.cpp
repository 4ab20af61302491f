#include "models/text/llama_cpp_patterns.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace regroup::models {
namespace {

constexpr std::string_view kGpt2Words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3Words =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Words =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35Words =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekkenWords =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4oWords =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kSeedCoderWords =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kLineEnd = R"([\r\n])";
constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kDigits = R"(\p{N}+)";
constexpr std::string_view kThreeDigits = R"(\p{N}{1,3})";

// DeepSeek's.
// Characters that Unicode's normal form C would replace are escapes, so that no editor does.
constexpr std::string_view kDeepSeekLetters =
    R"(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-)"
    "\u1f7d"
    R"(ᾀ-ᾴᾶ-ᾼ)"
    "\u1fbe"
    R"(ῂ-ῄῆ-ῌῐ-)"
    "\u1fd3"
    R"(ῖ-)"
    "\u1fdb"
    R"(ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ)"
    "\u2126"
    R"(ℨ)"
    "\u212a"
    R"(-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)";
constexpr std::string_view kDeepSeekMarks = R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)";
constexpr std::string_view kLastBlanks = R"(\s+$)";
constexpr std::string_view kCjk = R"([一-龥ࠀ-一가-퟿]+)";
constexpr std::string_view kCjkAndKana = R"([一-龥぀-ゟ゠-ヿ]+)";
constexpr std::string_view kDeepSeek3Words =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// Of files from before llama.cpp told models apart.
constexpr std::string_view kOldMarks = R"([\p{P}\$\+<=>\^~\|]+)";
constexpr std::string_view kFalconMarks = R"([\p{P}\$\+<=>\^~\|`]+)";
constexpr std::string_view kJustThreeDigits = R"([0-9][0-9][0-9])";

const std::vector<LlamaCppPattern>& table() {
  static const std::vector<LlamaCppPattern> patterns = {
      {.name = "gpt-2", .expressions = {kGpt2Words}, .covers_text = true},
      {.name = "llama-bpe",
       .expressions = {kLlama3Words},
       .whole_words = true,
       .add_begin = true,
       .covers_text = true},
      {.name = "smaug-bpe", .expressions = {kLlama3Words}, .covers_text = true},
      {.name = "qwen2", .expressions = {kQwen2Words}, .covers_text = true},
      {.name = "qwen35", .expressions = {kQwen35Words}, .covers_text = true},
      {.name = "tekken",
       .expressions = {kTekkenWords},
       .whole_words = true,
       .add_begin = true,
       .covers_text = true},
      {.name = "gpt-4o", .expressions = {kGpt4oWords}, .covers_text = true},
      {.name = "seed-coder", .expressions = {kSeedCoderWords}, .covers_text = true},
      {.name = "smollm", .expressions = {kDigit, kGpt2Words}},
      {.name = "deepseek-llm",
       .expressions = {kLineEnd, kDeepSeekLetters, kDeepSeekMarks, kLastBlanks, kCjk, kDigits},
       .keeps_digits = true},
      {.name = "deepseek-coder",
       .expressions = {kLineEnd, R"(\s?\p{L}+)", R"(\s?\p{P}+)", kCjk, kDigit}},
      {.name = "deepseek-v3", .expressions = {kThreeDigits, kCjkAndKana, kDeepSeek3Words}},
      {.name = "falcon", .expressions = {kFalconMarks, kGpt2Words, kJustThreeDigits}},
      {.name = "default", .expressions = {kOldMarks, kGpt2Words, kDigits, kJustThreeDigits}}};
  return patterns;
}

/// Other names for one of the table.
struct Alias {
  std::string_view name;
  std::string_view meaning;
};
constexpr std::array kAliases = {Alias{"llama3", "llama-bpe"},
                                 Alias{"llama-v3", "llama-bpe"},
                                 Alias{"falcon3", "llama-bpe"},
                                 Alias{"falcon-h1", "llama-bpe"},
                                 Alias{"pixtral", "llama-bpe"},
                                 Alias{"midm-2.0", "llama-bpe"},
                                 Alias{"lfm2", "llama-bpe"},
                                 Alias{"dbrx", "smaug-bpe"},
                                 Alias{"deepseek-r1-qwen", "qwen2"},
                                 Alias{"stablelm2", "qwen2"},
                                 Alias{"megrez", "qwen2"},
                                 Alias{"hunyuan", "qwen2"},
                                 Alias{"solar-open", "qwen2"},
                                 Alias{"grok-2", "qwen2"},
                                 Alias{"llama4", "gpt-4o"},
                                 Alias{"minimax-m2", "gpt-4o"},
                                 Alias{"starcoder", "smollm"},
                                 Alias{"refact", "smollm"},
                                 Alias{"command-r", "smollm"},
                                 Alias{"codeshell", "smollm"},
                                 Alias{"exaone", "smollm"},
                                 Alias{"minerva-7b", "smollm"},
                                 Alias{"phi-2", "gpt-2"},
                                 Alias{"mpt", "gpt-2"},
                                 Alias{"olmo", "gpt-2"},
                                 Alias{"jais", "gpt-2"},
                                 Alias{"trillion", "gpt-2"},
                                 Alias{"exaone4", "gpt-2"},
                                 Alias{"granite-docling", "gpt-2"},
                                 Alias{"gigachat", "gpt-2"},
                                 Alias{"a.x-4.0", "gpt-2"},
                                 Alias{"mellum", "gpt-2"},
                                 Alias{"hunyuan-dense", "deepseek-v3"},
                                 Alias{"joyai-llm", "deepseek-v3"}};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

std::span<const LlamaCppPattern> llama_cpp_patterns() {
  return table();
}

const LlamaCppPattern* find_llama_cpp_pattern(std::string_view name) {
  for (const Alias& alias : kAliases) {
    if (alias.name == name) return find_llama_cpp_pattern(alias.meaning);
  }
  const auto found = std::find_if(table().begin(), table().end(),
                                  [&](const LlamaCppPattern& entry) { return entry.name == name; });
  return found == table().end() ? nullptr : &*found;
}

std::string canonical_expression(std::string_view expression) {
  constexpr std::string_view kContractions = R"((?i:'s|'t|'re|'ve|'m|'ll|'d))";
  constexpr std::string_view kSpelledOut =
      R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]))";
  std::string result(expression);
  replace_all(result, "\r", R"(\r)");
  replace_all(result, "\n", R"(\n)");
  replace_all(result, kSpelledOut, kContractions);
  return result;
}

}  // namespace regroup::models
