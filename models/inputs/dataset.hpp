#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "models/inputs/windows.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "models/text/document_join.hpp"

namespace regroup::models {

/// A text as the ids of one long stream.
struct TokenStream {
  std::vector<std::int32_t> ids;
  /// What a model of masked tokens wants around every window; empty: nothing.
  std::vector<std::int32_t> before;
  std::vector<std::int32_t> after;
};

/// A file or folder of data, as ids, pairs, texts with their classes or images that a model reads.
struct Dataset {
  std::filesystem::path file;
  std::string sha256;  ///< of what it holds, hexadecimal
  std::variant<TokenStream, std::vector<TokenPair>, std::shared_ptr<const ImageSet>> content;
  std::size_t documents = 0;  ///< that a text was joined of; 0: of none

  /// Tokens that can be scored, pairs or images.
  std::size_t size() const;
};

/// Reads what the model reads: a text, documents or token ids (see `read_token_data`); of an
/// encoder-decoder JSON lines with "source" and "target"; of a speech model features of sounds and
/// their targets; of a classifier of texts JSON lines with "text" and "label"; of an image model a
/// folder of images or CIFAR-10's binary files. Throws
/// InputError.
Dataset read_dataset(const std::filesystem::path& file, const PretrainedModel& model,
                     DocumentJoin join = DocumentJoin::kEnd);

/// Windows of the data: of a text of `context` tokens, of everything else the pairs and images
/// themselves. `most_tokens` > 0: of these as many, spread evenly over the data, as have no more
/// scored positions, so that every part of the data has a say. Throws InputError if there is not a
/// single window.
Windows windows_of(const Dataset& data, const ModelConfig& config, int context,
                   std::size_t most_tokens);

/// Pairs of texts as an encoder-decoder reads them.
struct PairFile {
  std::string sha256;  ///< of the file's bytes, hexadecimal
  std::vector<TokenPair> pairs;
};

/// Reads JSON lines, an object with the texts "source" and "target" a line, and tokenizes them;
/// each ends with the model's end-of-sequence token. Throws InputError, naming the line, for what
/// is not such an object, for a text that is too long, and for a file without lines.
PairFile read_pair_file(const std::filesystem::path& file, const PretrainedModel& model);

/// Texts with their classes, each class as a target of one number.
struct LabelledTexts {
  std::string sha256;  ///< of the file's bytes, hexadecimal
  std::vector<TokenPair> texts;
};

/// Reads JSON lines, an object with "text" and "label" a line: the class's number or its name.
/// Texts are tokenized with the special tokens that the tokenizer puts around them. Throws
/// InputError, naming the line, for what is not such an object, a class that the model does not
/// know, and a text that is empty or too long; and for a file without lines.
LabelledTexts read_labelled_texts(const std::filesystem::path& file, const PretrainedModel& model);

/// Reads a safetensors file with "input_features", [sounds, bands, frames], and "labels", I64
/// [sounds, tokens], negative where a target has ended, as transformers' collators pad them. Throws
/// InputError for tensors of other shapes, ids outside the vocabulary and empty targets.
PairFile read_sound_file(const std::filesystem::path& file, const PretrainedModel& model);

/// Whether it is such a file, and not a calibration, which has the same ending. Throws InputError
/// for a file that is no safetensors file.
bool holds_sounds(const std::filesystem::path& file);

}  // namespace regroup::models
