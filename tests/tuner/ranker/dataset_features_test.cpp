#include "tuner/ranker/dataset_features.h"

#include <limits>

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "tests/message_of.h"
#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/rng.h"
#include "tuner/ranker/local_dataset_client.h"

namespace hyperfd {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

DatasetFeatures example() {
  torch::manual_seed(1);
  return {sha256("weights"), to_half_precision(torch::randn({7, 6})), {"log1p(images)", "log1p(boxes)"}, {0.1, 1e-9}};
}

// A file with that header and that many bytes of features behind it, its digest right.
std::string file_with(const std::string& header, std::size_t bytes) {
  const std::string content = header + "\n" + std::string(bytes, '\0');
  return "HyperFD features 1\n" + sha256(content) + "\n" + content;
}

std::string refusal(const std::string& bytes) {
  return message_of([&] { DatasetFeatures::deserialize(bytes, "a.features"); });
}

TEST(DatasetFeatures, ComeBackAsTheyWere) {
  const DatasetFeatures original = example();
  const DatasetFeatures read = DatasetFeatures::deserialize(original.serialize(), "a.features");
  EXPECT_EQ(read.extractor, original.extractor);
  EXPECT_TRUE(read.images.equal(original.images));
  EXPECT_EQ(read.statistic_names, original.statistic_names);
  EXPECT_EQ(read.statistics, original.statistics);
  EXPECT_EQ(read.serialize(), original.serialize());
  EXPECT_TRUE(read.face_counts.empty());
}

TEST(DatasetFeatures, MayHaveFaceCounts) {
  DatasetFeatures original = example();
  original.face_counts = {3, 0, 12, 1};
  const DatasetFeatures read = DatasetFeatures::deserialize(original.serialize(), "a.features");
  EXPECT_EQ(read.face_counts, original.face_counts);
  original.face_counts[1] = -1;
  EXPECT_THAT(message_of([&] { original.serialize(); }), HasSubstr("face_counts"));
}

TEST(DatasetFeatures, AreThinnedEvenly) {
  DatasetFeatures features;
  features.images = torch::arange(7).reshape({7, 1}).to(torch::kFloat32);
  features.keep_images(9);
  EXPECT_EQ(features.images.size(0), 7);
  features.keep_images(3);
  ASSERT_EQ(features.images.size(0), 3);
  EXPECT_EQ(features.images[0].item<float>(), 0);
  EXPECT_EQ(features.images[1].item<float>(), 2);
  EXPECT_EQ(features.images[2].item<float>(), 4);
}

TEST(DatasetFeatures, MayHaveNumbersAlone) {
  DatasetFeatures original = example();
  original.images = torch::empty({0, 0});
  const DatasetFeatures read = DatasetFeatures::deserialize(original.serialize(), "a.features");
  EXPECT_EQ(read.images.size(0), 0);
  EXPECT_EQ(read.statistics, original.statistics);
  EXPECT_THROW(LocalDatasetClient{read}, InputError);
}

TEST(DatasetFeatures, EveryCutAndEveryChangedByteIsRefused) {
  const std::string bytes = example().serialize();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_THROW(DatasetFeatures::deserialize(bytes.substr(0, i), "a.features"), InputError) << i;
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_THROW(DatasetFeatures::deserialize(changed, "a.features"), InputError) << i;
  }
  EXPECT_THAT(refusal("PK\3\4"), HasSubstr("a.features: does not start with \"HyperFD features 1\""));
  EXPECT_THAT(refusal(bytes + "x"), HasSubstr("content and digest differ"));
}

TEST(DatasetFeatures, HeadersThatLieAreRefusedWithoutTheMemoryTheyAskFor) {
  const std::string hash = sha256("");
  const auto header = [&](const std::string& images, const std::string& features, const std::string& names,
                          const std::string& statistics) {
    return R"({"extractor": ")" + hash + R"(", "images": )" + images + R"(, "features": )" + features +
           R"(, "statistic_names": )" + names + R"(, "statistics": )" + statistics + "}";
  };
  EXPECT_EQ(refusal(file_with(header("2", "3", R"(["a"])", "[1]"), 12)), "no InputError");
  EXPECT_THAT(refusal(file_with(header("16000000", "16000", "[]", "[]"), 12)), HasSubstr("12 bytes of features"));
  EXPECT_THAT(refusal(file_with(header("18446744073709551615", "3", "[]", "[]"), 12)), HasSubstr("\"images\""));
  EXPECT_THAT(refusal(file_with(header("2", "-3", "[]", "[]"), 12)), HasSubstr("\"features\" is -3"));
  EXPECT_THAT(refusal(file_with(header("2", "3", R"(["a", "a"])", "[1, 2]"), 12)), HasSubstr("a is there twice"));
  EXPECT_THAT(refusal(file_with(header("2", "3", R"(["a"])", "[]"), 12)), HasSubstr("a name for each"));
  EXPECT_THAT(refusal(file_with(header("2", "3", R"(["a"])", "[\"1\"]"), 12)), HasSubstr("is no number"));
  EXPECT_THAT(refusal(file_with(header("2", "3", R"(["a"])", "[1e999]"), 12)), HasSubstr("header"));
  EXPECT_THAT(refusal(file_with(header("2", "3", "7", "[]"), 12)), HasSubstr("statistic_names"));
  for (const std::string counts : {"[1.5]", "[\"1\"]", "[-1]", "{\"a\": 1}, \"b\": [", "7"}) {
    std::string with_counts = header("2", "3", R"(["a"])", "[1]");
    with_counts.insert(with_counts.size() - 1, ", \"face_counts\": " + counts);
    EXPECT_THAT(refusal(file_with(with_counts, 12)), AnyOf(HasSubstr("face_counts"), HasSubstr("header"))) << counts;
  }
  EXPECT_THAT(refusal(file_with("[]", 12)), HasSubstr("header is []"));
  EXPECT_THAT(refusal(file_with(std::string(100000, '['), 12)), HasSubstr("header"));
  std::string not_a_number = file_with(header("1", "1", "[]", "[]"), 2);
  const std::size_t begin = not_a_number.find('\n', not_a_number.find('\n') + 1) + 1;
  not_a_number.replace(not_a_number.size() - 2, 2, "\xff\x7f");
  not_a_number.replace(begin - 65, 64, sha256(not_a_number.substr(begin)));
  EXPECT_THAT(refusal(not_a_number), HasSubstr("finite"));
}

TEST(DatasetFeatures, OfAnotherExtractorAreRefused) {
  const DatasetFeatures features = example();
  EXPECT_NO_THROW(features.require_extractor(sha256("weights"), "a.features"));
  EXPECT_THAT(message_of([&] { features.require_extractor(sha256("others"), "a.features"); }),
              HasSubstr("a.features: described by extractor " + sha256("weights").substr(0, 12)));
}

TEST(DatasetFeatures, AreCheckedBeforeTheyAreWritten) {
  DatasetFeatures features = example();
  features.images[0][0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(features.serialize(), InputError);
  features = example();
  features.statistics[1] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(features.serialize(), InputError);
  features = example();
  features.statistic_names[0] = "\xff";
  EXPECT_THROW(features.serialize(), InputError);
}

TEST(DatasetFeatures, GiveTheClientThatTheirTensorsGive) {
  const DatasetFeatures features = example();
  Rng rng(1);
  const std::vector<float> weights = MetaFeatureExtractor(6, 2, 8, rng).flat();
  LocalDatasetClient described(features, 4), direct(features.images, torch::tensor({0.1f, 1e-9f}), 4);
  EXPECT_EQ(described.forward(weights, 3).feature, direct.forward(weights, 3).feature);
}

TEST(HalfPrecision, KeepsLargeNumbersFinite) {
  EXPECT_TRUE(to_half_precision(torch::tensor({1e9f, -1e9f, 0.5f})).equal(torch::tensor({65504.0f, -65504.0f, 0.5f})));
}

}  // namespace
}  // namespace hyperfd
