#include "tuner/ranker/ranking_model_bytes.h"

#include <string>

#include <gmock/gmock.h>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/json.h"
#include "tuner/ranker/ranking_model.h"

namespace hyperfd {
namespace {

constexpr std::size_t kInputs = 2;

RankerOptions small_options() {
  RankerOptions options;
  options.hidden_units = 2;
  options.iterations_per_update = 2;
  options.warm_up_iterations = 0;
  return options;
}

std::string small_model() {
  RankingModel model(kInputs, small_options(), 1);
  model.update({{"a \"task\"\n", {{{0, 0}}, {{1, 0}}}, {0.1, 0.2}}}, 2);
  return model.serialize();
}

// Bytes whose digest is right, whatever the content.
std::string sealed(const std::string& content, int version = 3) {
  return "HyperFD ranker " + std::to_string(version) + "\n" + sha256(content) + "\n" + content;
}

// A header with some fields changed; null removes one.
std::string header_with(const std::string& changes) {
  Json header = parse_json(
      R"({"inputs": 2, "node_features": 0, "units": 2, "trained": true, "tasks": ["a"], "numbers": 0,
          "extractor": null, "version": 0, "references": [], "versions": [], "seen": [], "importance": false, "effects": null})",
      "header");
  header.merge_patch(parse_json(changes, "changes"));
  return header.dump() + "\n";
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
  EXPECT_EQ(error_of(sealed(header_with("{}") + weights(1))), "");
  for (const std::string header : {"[]\n", "{\n", "nonsense\n"}) {
    EXPECT_THAT(error_of(sealed(header + weights(1))), testing::StartsWith("stored ranker: ")) << header;
  }
  for (const std::string changes : {
           R"({"inputs": null})",
           R"({"inputs": "2"})",
           R"({"inputs": -2})",
           R"({"inputs": 3})",
           R"({"inputs": 18446744073709551615})",
           R"({"inputs": 4611686018427387904, "units": 4611686018427387904, "tasks": []})",
           R"({"inputs": 1048576})",
           R"({"units": 1048576})",
           R"({"node_features": 1048576})",
           R"({"node_features": 1})",
           R"({"units": 0, "tasks": []})",
           R"({"trained": 1})",
           R"({"tasks": "a"})",
           R"({"tasks": [7]})",
           R"({"tasks": ["a", "b"]})",
           R"({"numbers": 1})",
           R"({"numbers": 1048576})",
           R"({"extractor": 7})",
           R"({"extractor": {"image_features": 1}})",
           R"({"extractor": {"image_features": 1048576, "statistics": 1}})",
           R"({"references": [7]})",
           R"({"versions": [[1, 1]]})",
           R"({"versions": [[1, 1048576]]})",
           R"({"versions": [[1]]})",
           R"({"versions": {"a": 1}})",
           R"({"seen": [["a", 1]]})",
           R"({"seen": 7})",
           R"({"importance": true})",
           R"({"importance": 7})",
           R"({"effects": 7})",
           R"({"effects": {"parameters": [], "width": 2, "numbers": 0}})",
           R"({"effects": {"parameters": [], "width": 2, "numbers": 1048576, "groups": 0}})",
           R"({"effects": {"parameters": [], "width": 2, "numbers": 0, "groups": 1048576}})",
           R"({"effects": {"parameters": [[0, 1]], "width": 2, "numbers": 0, "groups": 0}})",
           R"({"effects": {"parameters": [[0, 3, -1]], "width": 2, "numbers": 0, "groups": 0}})",
           R"({"effects": {"parameters": [[0, 1, 7]], "width": 2, "numbers": 0, "groups": 0}})",
           R"({"effects": {"parameters": [[0, 1048576, -1]], "width": 1048576, "numbers": 0, "groups": 0}})",
       }) {
    EXPECT_THAT(error_of(sealed(header_with(changes) + weights(1))), testing::StartsWith("stored ranker: ")) << changes;
  }
  EXPECT_THAT(error_of(sealed(header_with(R"({"tasks": ["a", "a"]})") + weights(2))), testing::HasSubstr("twice"));
  EXPECT_THAT(error_of(sealed(std::string(100000, '[') + "\n")), testing::StartsWith("stored ranker: "));
}

TEST(StoredRanker, IsReadInItsFirstVersion) {
  const std::string header = R"({"inputs": 2, "units": 2, "trained": true, "tasks": ["a"]})"
                             "\n";
  const RankingModelState state = ranking_model_from_bytes(sealed(header + weights(1), 1), {});
  EXPECT_TRUE(state.trained);
  EXPECT_EQ(state.ranker.tasks, std::vector<std::string>{"a"});
  EXPECT_THAT(ranking_model_to_bytes(state), testing::StartsWith("HyperFD ranker 3\n"));
  EXPECT_THAT(error_of(sealed(header + weights(1), 4)), testing::HasSubstr("does not start with"));
  EXPECT_EQ(error_of(sealed(header_with(R"({"effects": null})") + weights(1), 2)), "");  // the second has no effects
}

TEST(StoredRanker, IsRefusedWithAWeightThatIsNotFinite) {
  std::string content = header_with("{}") + weights(1);
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
  EXPECT_EQ(state.shape().flat, kInputs);
  EXPECT_EQ(state.ranker.tasks, std::vector<std::string>{"a \"task\"\n"});
}

}  // namespace
}  // namespace hyperfd
