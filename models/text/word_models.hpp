#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "models/text/pipeline/bpe.hpp"
#include "models/text/pipeline/vocabulary.hpp"
#include "models/text/pipeline/word_model.hpp"

namespace regroup::models {

/// The kinds of `model` that a tokenizer.json may have.
enum class WordModelKind { kBpe, kWordPiece, kUnigram, kWordLevel };

/// What it says of itself, or what its fields show, where an older file does not say. Throws
/// InputError for another kind; `where` names the object.
WordModelKind word_model_kind(const nlohmann::json& model, const std::string& where);

/// The tokens of a model. Throws InputError for broken ones.
Vocabulary read_model_vocabulary(const nlohmann::json& model, const std::string& where);

/// The model itself; with `bytes` its words are bytes. Throws InputError for broken fields and for
/// options that are not supported.
std::unique_ptr<WordModel> read_word_model(const nlohmann::json& model, Vocabulary vocabulary,
                                           bool bytes, const std::string& where);

/// The merges of a BPE, the "model" of a tokenizer.json. Throws InputError, naming `where`.
std::vector<Merge> read_merges(const nlohmann::json& model, const std::string& where);

}  // namespace regroup::models
