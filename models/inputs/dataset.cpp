#include "models/inputs/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/images/image_files.hpp"
#include "models/text/token_data.hpp"
#include "models/text/tokenizer.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Moves what the tokenizer puts around a text to where it belongs: around every window.
void take_specials(TokenStream& stream, const PretrainedModel& model) {
  const std::vector<std::int32_t> around =
      load_tokenizer(model.checkpoint.directory())->encode("", /*special=*/true);
  if (around.size() != 2 || stream.ids.size() < 2) return;
  stream.before = {around.front()};
  stream.after = {around.back()};
  stream.ids.erase(stream.ids.begin());
  stream.ids.pop_back();
}

/// Windows of a stream with the same ids around each.
Windows wrapped_windows(const TokenStream& stream, int context, const std::string& where) {
  const auto around = static_cast<int>(stream.before.size() + stream.after.size());
  if (context <= around) {
    throw InputError({.what = "window has no room for text",
                      .expected = fmt::format("at least {} tokens", around + 1),
                      .found = std::to_string(context)});
  }
  const Windows inner = Windows::of_stream(stream.ids, context - around, where);
  std::vector<std::int32_t> ids;
  for (std::size_t w = 0; w < inner.size(); ++w) {
    const auto own = inner[w];
    ids.insert(ids.end(), stream.before.begin(), stream.before.end());
    ids.insert(ids.end(), own.begin(), own.end() - 1);
    ids.insert(ids.end(), stream.after.begin(), stream.after.end());
    ids.push_back(own.back());
  }
  return {context, std::move(ids)};
}

Dataset read_images(std::filesystem::path file, const PretrainedModel& model) {
  if (!file.has_filename()) file = file.parent_path();  // "images/"
  const ImageConfig& image = model.config.image;
  const ImageProcessor processor =
      read_image_processor(model.checkpoint.directory(), {image.size, image.size});
  // Without a head there are no classes to find: the folders' names may be any.
  const auto labels = model.config.has_head ? model.config.labels : std::vector<std::string>();
  std::shared_ptr<const ImageFiles> images = open_image_files(file, processor, labels);
  std::string sha256 = images->sha256();
  return {std::move(file), std::move(sha256), std::shared_ptr<const ImageSet>(std::move(images))};
}

Windows all_windows(const Dataset& data, const ModelConfig& config, int context) {
  if (const auto* stream = std::get_if<TokenStream>(&data.content)) {
    const std::string where = data.file.string();
    if (!stream->before.empty()) return wrapped_windows(*stream, context, where);
    return Windows::of_stream(stream->ids, context, where);
  }
  if (const auto* pairs = std::get_if<std::vector<TokenPair>>(&data.content)) {
    return config.kind == ModelKind::kText ? Windows::of_texts(*pairs) : Windows::of_pairs(*pairs);
  }
  return Windows::of_images(std::get<std::shared_ptr<const ImageSet>>(data.content),
                            config.context);
}

/// As many of the windows, spread evenly, as score no more than `most_tokens`.
Windows spread_within(const Windows& all, std::size_t most_tokens, const std::string& where) {
  // Pairs differ in length: where the mean misleads, some fewer do.
  std::size_t count = std::min(all.size(), most_tokens * all.size() / all.tokens());
  for (; count > 0; --count) {
    Windows some = all.spread(count);
    if (some.tokens() <= most_tokens) return some;
  }
  throw InputError({.what = "token limit is shorter than one window",
                    .where = where,
                    .expected = fmt::format("at least {}", all.tokens(0, 1)),
                    .found = fmt::format("{}", most_tokens)});
}

}  // namespace

std::size_t Dataset::size() const {
  if (const auto* stream = std::get_if<TokenStream>(&content)) {
    return stream->ids.empty() ? 0 : stream->ids.size() - 1;
  }
  if (const auto* pairs = std::get_if<std::vector<TokenPair>>(&content)) return pairs->size();
  return std::get<std::shared_ptr<const ImageSet>>(content)->size();
}

Dataset read_dataset(const std::filesystem::path& file, const PretrainedModel& model,
                     DocumentJoin join) {
  if (model.config.kind == ModelKind::kSpeech) {
    PairFile sounds = read_sound_file(file, model);
    return {file, std::move(sounds.sha256), std::move(sounds.pairs)};
  }
  if (model.config.kind == ModelKind::kSequence) {
    PairFile pairs = read_pair_file(file, model);
    return {file, std::move(pairs.sha256), std::move(pairs.pairs)};
  }
  if (model.config.kind == ModelKind::kText) {
    LabelledTexts texts = read_labelled_texts(file, model);
    return {file, std::move(texts.sha256), std::move(texts.texts)};
  }
  if (model.config.kind == ModelKind::kImage) {
    return read_images(file, model);
  }
  TokenData data = read_token_data(file, model, join);
  TokenStream stream{std::move(data.ids), {}, {}};
  if (model.config.kind == ModelKind::kMasked && !holds_ids(file)) take_specials(stream, model);
  return {file, std::move(data.sha256), std::move(stream), data.documents};
}

Windows windows_of(const Dataset& data, const ModelConfig& config, int context,
                   std::size_t most_tokens) {
  Windows all = all_windows(data, config, context);
  return most_tokens == 0 ? all : spread_within(all, most_tokens, data.file.string());
}

}  // namespace regroup::models
