#include "models/text/pipeline/unicode.hpp"

#include "models/text/pipeline/normalizer.hpp"
#include "tests/support/catch.hpp"

namespace regroup::models {

TEST_CASE("normal forms of UAX #15") {
  CHECK(normal_form("e\u0301 \u00e9", NormalForm::kNfc) == "\u00e9 \u00e9");
  CHECK(normal_form("e\u0301 \u00e9", NormalForm::kNfd) == "e\u0301 e\u0301");
  CHECK(normal_form("\ufb01 \u2163 e\u0301", NormalForm::kNfkc) == "fi IV \u00e9");
  CHECK(normal_form("\ufb01 \u00e9", NormalForm::kNfkd) == "fi e\u0301");
  CHECK(normal_form("q\u0307\u0323", NormalForm::kNfc) == "q\u0323\u0307");  // marks in order
  CHECK(normal_form("\uac00", NormalForm::kNfd) == "\u1100\u1161");
  CHECK(normal_form("\u212b", NormalForm::kNfc) == "\u00c5");
  CHECK(normal_form(std::string("a\0\u00e9", 4), NormalForm::kNfd) == std::string("a\0e\u0301", 5));
  CHECK(normal_form("", NormalForm::kNfc).empty());
}

TEST_CASE("lower case of single characters") {
  CHECK(lower_case("AbC ÄΣ 1 \U00010400") == "abc äσ 1 \U00010428");
  CHECK(lower_case("\u0130") == "i\u0307");
}

TEST_CASE("BERT's normalization, each part by itself and all together") {
  const BertNormalizer none = {false, false, false, false};
  const std::string text = "Na\u00efve\t\u200b\u4f60 \u0000x";
  CHECK(none(text) == text);
  CHECK(BertNormalizer{true, false, false, false}("a\tb\u00a0c\u200d\x07\ufffd") == "a b c");
  CHECK(BertNormalizer{true, false, false, false}(std::string("a\0b", 3)) == "ab");
  CHECK(BertNormalizer{false, true, false, false}("a\u4f60\u3042") == "a \u4f60 \u3042");
  CHECK(BertNormalizer{false, false, true, false}("Na\u00efve") == "Naive");
  CHECK(BertNormalizer{false, false, false, true}("Na\u00cf") == "na\u00ef");
  CHECK(BertNormalizer()("\u00c9\u4f60!") == "e \u4f60 !");
}

}  // namespace regroup::models
