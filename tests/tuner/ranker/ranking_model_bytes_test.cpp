#include "tuner/ranker/ranking_model_bytes.h"

#include <string>

#include <gmock/gmock.h>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/ranker/ranking_model.h"

namespace hyperfd {
namespace {

constexpr std::size_t kInputs = 2;

RankerOptions small_options() {
  RankerOptions options;
  options.hidden_units = 2;
  options.iterations_per_update = 2;
  return options;
}

std::string small_model() {
  RankingModel model(kInputs, small_options(), 1);
  model.update({{"a \"task\"\n", {{0, 0}, {1, 0}}, {0.1, 0.2}}}, 2);
  return model.serialize();
}

// Bytes whose digest is right, whatever the content.
std::string sealed(const std::string& content) {
  return "HyperFD ranker 1\n" + sha256(content) + "\n" + content;
}

// The number of weights of a ranker with 2 inputs, 2 units and these tasks, in bytes.
std::string weights(std::size_t tasks) {
  return std::string(2 * (2 + 2 + 3 + tasks) * sizeof(float), '\0');
}

std::string error_of(const std::string& bytes) {
  try {
    RankingModel::deserialize(bytes);
  } catch (const StoreError& error) {
    return error.what();
  }
  return "";
}

TEST(StoredRanker, IsRefusedWhenCutOffAnywhere) {
  const std::string bytes = small_model();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THROW(RankingModel::deserialize(bytes.substr(0, length)), StoreError) << length;
  }
  EXPECT_THROW(RankingModel::deserialize(bytes + '\0'), StoreError);
  EXPECT_NO_THROW(RankingModel::deserialize(bytes));
}

TEST(StoredRanker, IsRefusedWhenAnyByteIsFlipped) {
  const std::string bytes = small_model();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
    EXPECT_THROW(RankingModel::deserialize(flipped), StoreError) << i;
  }
}

TEST(StoredRanker, IsRefusedWhenTheContentMakesNoSense) {
  const std::string good_header = R"({"inputs": 2, "units": 2, "trained": true, "tasks": ["a"]})";
  EXPECT_EQ(error_of(sealed(good_header + "\n" + weights(1))), "");
  for (const std::string header : {
           R"([])",
           R"({)",
           R"(nonsense)",
           R"({"units": 2, "trained": true, "tasks": ["a"]})",
           R"({"inputs": "2", "units": 2, "trained": true, "tasks": ["a"]})",
           R"({"inputs": -2, "units": 2, "trained": true, "tasks": ["a"]})",
           R"({"inputs": 18446744073709551615, "units": 2, "trained": true, "tasks": ["a"]})",
           R"({"inputs": 4611686018427387904, "units": 4611686018427387904, "trained": true, "tasks": []})",
           R"({"inputs": 2, "units": 0, "trained": true, "tasks": []})",
           R"({"inputs": 2, "units": 2, "trained": 1, "tasks": ["a"]})",
           R"({"inputs": 2, "units": 2, "trained": true, "tasks": "a"})",
           R"({"inputs": 2, "units": 2, "trained": true, "tasks": [7]})",
           R"({"inputs": 2, "units": 2, "trained": true, "tasks": ["a", "b"]})",
       }) {
    EXPECT_THAT(error_of(sealed(header + "\n" + weights(1))), testing::StartsWith("stored ranker: ")) << header;
  }
  EXPECT_THAT(error_of(sealed(R"({"inputs": 2, "units": 2, "trained": true, "tasks": ["a", "a"]})"
                              "\n" +
                              weights(2))),
              testing::HasSubstr("twice"));
  EXPECT_THAT(error_of(sealed(std::string(100000, '[') + "\n")), testing::StartsWith("stored ranker: "));
}

TEST(StoredRanker, IsRefusedWithAWeightThatIsNotFinite) {
  std::string content = R"({"inputs": 2, "units": 2, "trained": true, "tasks": ["a"]})"
                        "\n" +
                        weights(1);
  content.replace(content.size() - 4, 4, std::string("\x00\x00\xc0\x7f", 4));  // a quiet NaN
  EXPECT_THAT(error_of(sealed(content)), testing::HasSubstr("not finite"));
}

TEST(StoredRanker, TakesItsWidthFromTheBytesAndTheRestFromTheOptions) {
  RankerOptions options;
  options.hidden_units = 64;
  options.learning_rate = 0.5;
  const RankingModelState state = ranking_model_from_bytes(small_model(), options);
  EXPECT_EQ(state.options.hidden_units, 2);
  EXPECT_EQ(state.options.learning_rate, 0.5);
  EXPECT_EQ(state.encoding_size(), kInputs);
  EXPECT_EQ(state.ranker.tasks, std::vector<std::string>{"a \"task\"\n"});
}

}  // namespace
}  // namespace hyperfd
