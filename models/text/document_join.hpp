#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/files/json_lines.hpp"
#include "models/text/tokenizer.hpp"
#include "search/base/options.hpp"

namespace regroup::models {

/// What stands between the documents of a text that is read as one stream.
enum class DocumentJoin {
  kEnd,        ///< the end-of-sequence id; every document is tokenized by itself
  kNewline,    ///< "\n"; the whole is tokenized as one text
  kBlankLine,  ///< "\n\n", the same
  kNone,       ///< nothing, the same
};

inline constexpr std::array kDocumentJoins = {
    search::Named<DocumentJoin>{"eos", DocumentJoin::kEnd},
    search::Named<DocumentJoin>{"newline", DocumentJoin::kNewline},
    search::Named<DocumentJoin>{"blank-line", DocumentJoin::kBlankLine},
    search::Named<DocumentJoin>{"none", DocumentJoin::kNone}};

/// "eos", "newline", "blank-line", "none".
std::string_view join_name(DocumentJoin join);

/// The option `--join` of what reads text, bound to `join`. It has no key: a record names it with
/// the data, where there are documents.
search::Option join_option(DocumentJoin& join);

/// The text of a document: the field `text` or, as in WikiText, `page`. Throws InputError, naming
/// the line, if it has neither.
std::string document_text(const JsonLine& line);

/// The documents of a file of JSON lines. Throws InputError for what is no such file, or holds
/// none.
std::vector<std::string> document_texts(std::string_view file, const std::string& where);

/// Documents as one stream of ids. With `special`, what the tokenizer adds to a text stands once,
/// before and after all of them. `end`: the model's end-of-sequence id, which kEnd puts between
/// documents; without one that is what the tokenizer puts after a text. Throws InputError, naming
/// `where`, if kEnd finds neither.
std::vector<std::int32_t> encode_joined(std::span<const std::string> documents, DocumentJoin join,
                                        std::optional<std::int32_t> end, const Tokenizer& tokenizer,
                                        bool special, const std::string& where);

}  // namespace regroup::models
