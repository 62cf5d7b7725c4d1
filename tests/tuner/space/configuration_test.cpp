#include <algorithm>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "tuner/base/error.h"
#include "tuner/space/search_space.h"
#include "tuner/space/snapping.h"

namespace hyperfd {
namespace {

const char* const kNested = R"({
  "layer": {"_type": "choice", "_value": [
    {"_name": "conv", "kernel": {"_type": "choice", "_value": [1, 3, 5]},
     "norm": {"_type": "choice", "_value": [{"_name": "batch", "eps": {"_type": "choice", "_value": [0.1, 0.01]}},
                                            {"_name": "none"}]}},
    {"_name": "dense", "units": {"_type": "randint", "_value": [16, 20]}},
    {"_name": "skip"}]},
  "dropout": {"_type": "quniform", "_value": [0, 0.5, 0.25]}})";

SearchSpace parse(const char* text) {
  return SearchSpace::parse(parse_json(text, "test"));
}

std::string check_error(const SearchSpace& space, const char* text) {
  try {
    space.check(parse_json(text, "test"));
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(HpoSpace, Has216Configurations) {
  const auto space = SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml");
  EXPECT_EQ(space.size(), 216u);
  std::set<std::string> distinct;
  for (std::uint64_t i = 0; i < 216; ++i) {
    const Configuration configuration = space.at(i);
    space.check(configuration);
    distinct.insert(fingerprint(configuration));
  }
  EXPECT_EQ(distinct.size(), 216u);
  EXPECT_EQ(space.at(0).dump(), R"({"optimizer":"sgd","learning_rate":0.0003,"min_crop_ratio":0.3,"iou_threshold":0.4,)"
                                R"("location_weight":2,"negative_ratio":2})");
}

TEST(Configurations, AreEnumeratedThroughNestedChoices) {
  const auto space = parse(kNested);
  EXPECT_EQ(space.size(), (3u * (2 + 1) + 4 + 1) * 3);
  std::set<std::string> enumerated, sampled;
  for (std::uint64_t i = 0; i < *space.size(); ++i) {
    space.check(space.at(i));
    enumerated.insert(fingerprint(space.at(i)));
  }
  EXPECT_EQ(enumerated.size(), *space.size());
  Rng rng(1);
  for (int i = 0; i < 3000; ++i) sampled.insert(fingerprint(space.sample(rng)));
  EXPECT_EQ(sampled, enumerated);
  EXPECT_THROW(space.at(*space.size()), std::out_of_range);
}

TEST(Configurations, HaveTheShapeOfNniAnswers) {
  const auto space = parse(kNested);
  std::set<std::string> layers;
  Rng rng(3);
  for (int i = 0; i < 500; ++i) {
    const Configuration configuration = space.sample(rng);
    EXPECT_TRUE(configuration["dropout"].is_number_float());
    layers.insert(configuration["layer"].dump());
  }
  EXPECT_TRUE(layers.count(R"({"_name":"skip"})"));
  EXPECT_TRUE(layers.count(R"({"_name":"dense","units":19})"));
  EXPECT_FALSE(layers.count(R"({"_name":"dense","units":20})"));
  EXPECT_TRUE(layers.count(R"({"_name":"conv","kernel":3,"norm":{"_name":"batch","eps":0.01}})"));
}

TEST(Configurations, FlatChoicesKeepAnyJsonValue) {
  const auto space = parse(R"({"x": {"_type": "choice", "_value": [true, null, "1", 1, [3, 3], {"a": 1}]}})");
  EXPECT_EQ(space.size(), 6u);
  for (std::uint64_t i = 0; i < 6; ++i) space.check(space.at(i));
  EXPECT_EQ(space.at(4).dump(), R"({"x":[3,3]})");
  EXPECT_EQ(check_error(space, R"({"x": false})"), R"(x: expected one of [true,null,"1",1,[3,3],{"a":1}], got false)");
}

TEST(Configurations, ARepeatedChoiceIsOneValueDrawnMoreOften) {
  const auto space = parse(R"({"x": {"_type": "choice", "_value": ["a", "a", "a", "b"]}})");
  EXPECT_EQ(space.size(), 2u);
  Rng rng(5);
  int a = 0;
  for (int i = 0; i < 4000; ++i) a += space.sample(rng)["x"] == "a";
  EXPECT_NEAR(a, 3000, 150);  // 5 standard deviations
}

TEST(Configurations, AnEmptySpaceHasOne) {
  const auto space = parse("{}");
  EXPECT_EQ(space.size(), 1u);
  EXPECT_EQ(space.at(0).dump(), "{}");
  EXPECT_EQ(space.encoding_size(), 0u);
}

TEST(Configurations, SizeSaturates) {
  Json definition = Json::object();
  for (int i = 0; i < 70; ++i) definition["x" + std::to_string(i)] = {{"_type", "choice"}, {"_value", {0, 1, 2}}};
  const auto space = SearchSpace::parse(definition);
  EXPECT_EQ(space.size(), std::numeric_limits<std::uint64_t>::max());
  space.check(space.at(*space.size() - 1));
  definition["y"] = {{"_type", "uniform"}, {"_value", {0, 1}}};
  EXPECT_EQ(SearchSpace::parse(definition).size(), std::nullopt);
}

TEST(CheckConfiguration, NamesThePathOfWhatIsWrong) {
  const auto space = parse(kNested);
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"layer": {"_name": "skip"}, "dropout": 0.25})", "accepted"},
      {R"({"dropout": 0, "layer": {"units": 16.0, "_name": "dense"}})", "accepted"},
      {R"(3)", "configuration: expected an object of parameters, got 3"},
      {R"({"layer": {"_name": "skip"}})", R"(configuration: missing key "dropout")"},
      {R"({"layer": {"_name": "skip"}, "dropout": 0, "drop_out": 0})",
       R"(configuration: unknown key "drop_out"; did you mean "dropout"?)"},
      {R"({"layer": {"_name": "skip"}, "dropout": 0.3})",
       "dropout: expected a multiple of 0.25 of [0.0, 0.5], got 0.3"},
      {R"({"layer": {"_name": "skip"}, "dropout": 0.75})",
       "dropout: expected a multiple of 0.25 of [0.0, 0.5], got 0.75"},
      {R"({"layer": "skip", "dropout": 0})", R"(layer: expected an object with "_name", got "skip")"},
      {R"({"layer": {"_name": "skap"}, "dropout": 0})", R"(layer._name: unknown choice "skap"; did you mean "skip"?)"},
      {R"({"layer": {"_name": "dense"}, "dropout": 0})", R"(layer: missing key "units")"},
      {R"({"layer": {"_name": "dense", "units": 20}, "dropout": 0})",
       "layer.units: expected an integer of [16, 20), got 20"},
      {R"({"layer": {"_name": "dense", "units": 16.5}, "dropout": 0})",
       "layer.units: expected an integer of [16, 20), got 16.5"},
      {R"({"layer": {"_name": "conv", "kernel": 3, "norm": {"_name": "batch", "eps": 1}}, "dropout": 0})",
       "layer.norm.eps: expected one of [0.1,0.01], got 1"},
  };
  for (const auto& [configuration, message] : cases) {
    EXPECT_EQ(check_error(space, configuration), message) << configuration;
  }
}

TEST(EncodeConfiguration, OneHotNormalisedAndMasked) {
  const auto space = parse(R"({
    "rate": {"_type": "choice", "_value": [0.1, 0.001, 0.01]},
    "layer": {"_type": "choice", "_value": [{"_name": "conv", "kernel": {"_type": "uniform", "_value": [1, 5]}},
                                            {"_name": "skip"}]}})");
  // Keys sorted: layer (conv, skip, kernel), rate (three ascending options, value on a logarithmic scale).
  ASSERT_EQ(space.encoding_size(), 7u);
  const auto conv = space.encode(parse_json(R"({"rate": 0.01, "layer": {"_name": "conv", "kernel": 2}})", "conv"));
  const std::vector<float> expected_conv = {1, 0, 0.25, 0, 1, 0, 0.5};
  for (std::size_t i = 0; i < 7; ++i) EXPECT_NEAR(conv[i], expected_conv[i], 1e-6) << i;
  const auto skip = space.encode(parse_json(R"({"rate": 0.1, "layer": {"_name": "skip"}})", "skip"));
  EXPECT_EQ(skip, (std::vector<float>{0, 1, 0, 0, 0, 1, 1}));
  EXPECT_THROW(space.encode(parse_json(R"({"rate": 0.5, "layer": {"_name": "skip"}})", "bad")), InputError);
}

TEST(EncodeConfiguration, StaysWithinTheUnitInterval) {
  const auto space = parse(R"({
    "a": {"_type": "qlognormal", "_value": [0, 2, 1]}, "b": {"_type": "normal", "_value": [5, 3]},
    "c": {"_type": "qloguniform", "_value": [0.3, 30, 1]}, "d": {"_type": "randint", "_value": [7, 8]},
    "e": {"_type": "choice", "_value": [5]}, "f": {"_type": "qnormal", "_value": [0, 1, 0.5]}})");
  Rng rng(11);
  for (int i = 0; i < 1000; ++i) {
    const Configuration configuration = space.sample(rng);
    space.check(configuration);
    for (const float number : space.encode(configuration)) {
      EXPECT_GE(number, 0) << configuration;
      EXPECT_LE(number, 1) << configuration;
    }
  }
}

TEST(EncodeConfiguration, ALongListSharesPositions) {
  Json options = Json::array();
  for (int i = 0; i < 1000; ++i) options.push_back("file" + std::to_string(i));
  const auto space = SearchSpace::parse({{"x", {{"_type", "choice"}, {"_value", options}}}});
  EXPECT_EQ(space.encoding_size(), 256u);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto encoding = space.encode(space.at(i));
    EXPECT_EQ(std::count(encoding.begin(), encoding.end(), 1.0f), 1);
  }
}

TEST(PartOfASpace, HasJustItsPoints) {
  const auto whole = parse(R"({"lr": {"_type": "uniform", "_value": [0, 1]}})");
  const auto at = [](double lr) { return Configuration{{"lr", lr}}; };
  const SearchSpace part = whole.only({at(0.5), at(0.25)});
  EXPECT_EQ(part.signature(), whole.signature());
  EXPECT_NE(part.identity(), whole.identity());
  EXPECT_NE(part.identity(), whole.only({at(0.25), at(0.5)}).identity()) << "at() differs";
  ASSERT_EQ(part.size(), 2u);
  EXPECT_EQ(part.at(1), at(0.25));
  EXPECT_EQ(part.encode(at(0.25)), whole.encode(at(0.25)));
  part.check(at(0.25));
  Rng rng(1);
  std::set<Configuration> drawn;
  for (int i = 0; i < 30; ++i) drawn.insert(part.sample(rng));
  EXPECT_EQ(drawn, (std::set<Configuration>{at(0.25), at(0.5)}));

  EXPECT_EQ(check_error(part, R"({"lr": 0.75})"),
            "configuration: {\"lr\":0.75} is not one of the 2 of this part of the space");
  EXPECT_THROW(whole.only({at(2)}), InputError);
  EXPECT_THROW(whole.only({at(0.5), at(0.5)}), InputError);
  EXPECT_THROW(whole.only({}), InputError);
}

TEST(Fingerprint, IsEqualExactlyForEqualConfigurations) {
  const auto of = [](const char* text) { return fingerprint(parse_json(text, "test")); };
  EXPECT_EQ(of(R"({"a": 1, "b": {"c": [1.0, -0.0]}})"), of(R"({"b": {"c": [1, 0]}, "a": 1.0})"));
  EXPECT_EQ(of("9007199254740993"), of("9007199254740993"));
  EXPECT_NE(of("9007199254740993"), of("9007199254740992"));
  EXPECT_NE(of("0.1"), of("0.10000000000000002"));
  EXPECT_NE(of(R"("1")"), of("1"));
  EXPECT_NE(of("true"), of("1"));
  EXPECT_NE(of("null"), of("0"));
  EXPECT_NE(of("[[1], 2]"), of("[1, [2]]"));
  EXPECT_NE(of(R"({"a\":1,\"b": 2})"), of(R"({"a": 1, "b": 2})"));
}

TEST(ConfigurationKey, IsEqualExactlyWhereFingerprintsAre) {
  std::vector<Configuration> configurations;
  for (const char* text : {R"({"a": 1, "b": {"c": [1.0, -0.0]}})",
                           R"({"b": {"c": [1, 0]}, "a": 1.0})",
                           R"({"a": 1, "b": 2})",
                           R"({"a": 2, "b": 1})",
                           R"({"b": 2, "a": 1})",
                           R"({"ab": 1})",
                           R"({"a": {"b": 1}})",
                           "9007199254740993",
                           "9007199254740992",
                           "9007199254740992.0",
                           "-1",
                           "18446744073709551615",
                           "18446744073709551615.0",
                           "0.1",
                           "0.10000000000000002",
                           R"("1")",
                           "1",
                           "1.0",
                           "true",
                           "false",
                           "null",
                           "0",
                           "-0.0",
                           "{}",
                           "[]",
                           R"("")",
                           "[0]",
                           "[0, 0]",
                           "[[1], 2]",
                           "[1, [2]]",
                           "[1, 2]",
                           "[2, 1]",
                           "1e300",
                           "-1e300"}) {
    configurations.push_back(parse_json(text, "test"));
  }
  const auto space = SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml");
  for (std::uint64_t i = 0; i < *space.size(); ++i) configurations.push_back(space.at(i));
  for (const Configuration& a : configurations) {
    for (const Configuration& b : configurations) {
      EXPECT_EQ(configuration_key(a) == configuration_key(b), fingerprint(a) == fingerprint(b)) << a << " " << b;
    }
  }
}

TEST(ConfigurationKeys, HoldWhatWasInsertedAndNothingElse) {
  ConfigurationKeys keys;
  EXPECT_FALSE(keys.contains(7));
  // Neighbours in the table, and around its end.
  std::set<ConfigurationKey> inserted;
  Rng rng(1);
  for (int i = 0; i < 5000; ++i) {
    const ConfigurationKey key = 1 + (i % 3 == 0 ? rng.bits() >> 1 : rng.below(4000));
    EXPECT_EQ(keys.insert(key), inserted.insert(key).second) << key;
  }
  EXPECT_EQ(keys.size(), inserted.size());
  for (ConfigurationKey key = 1; key <= 4100; ++key) EXPECT_EQ(keys.contains(key), inserted.count(key) > 0) << key;
  EXPECT_TRUE(ConfigurationKeys({3, 5}).contains(5));
}

// The columns of encode(): a flat choice, a choice of numbers and a nested choice with a choice inside.
TEST(EncodingColumns, SayWhatBelongsTogetherAndWhatMasksIt) {
  const SearchSpace space = SearchSpace::parse(parse_json(
      R"({"a": {"_type": "choice", "_value": ["p", "q", "r"]}, "b": {"_type": "choice", "_value": [1, 2]},
          "c": {"_type": "choice", "_value": [{"_name": "y", "k": {"_type": "choice", "_value": ["s", "t"]}},
                                              {"_name": "x", "u": {"_type": "uniform", "_value": [0, 1]}}]}})",
      "space"));
  const EncodingColumns columns = space.encoding_columns();
  std::vector<std::size_t> features;
  std::vector<std::ptrdiff_t> masks;
  for (const EncodingColumn& column : columns) {
    features.push_back(column.feature);
    masks.push_back(column.mask);
  }
  EXPECT_EQ(columns.size(), space.encoding_size());
  EXPECT_EQ(features, (std::vector<std::size_t>{0, 0, 0, 1, 1, 2, 3, 3, 4, 5, 5}));
  EXPECT_EQ(masks, (std::vector<std::ptrdiff_t>{-1, -1, -1, -1, -1, -1, -1, -1, 6, 7, 7}));
  EXPECT_FLOAT_EQ(columns[0].middle, 1.0f / 3);
  EXPECT_FLOAT_EQ(columns[8].middle, 0.5f);
  // Masks are 1 exactly where the column is active.
  const auto encoded = space.encode({{"a", "p"}, {"b", 2}, {"c", {{"_name", "x"}, {"u", 0.25}}}});
  EXPECT_EQ(encoded[6], 1);
  EXPECT_EQ(encoded[8], 0.25f);
  EXPECT_EQ(encoded[7], 0);
}

TEST(Snapped, GivesQuantisedNumbersTheirOneForm) {
  const SearchSpace space = SearchSpace::parse(parse_json(R"({
    "p": {"_type": "quniform", "_value": [0.05, 0.5, 0.1]}, "n": {"_type": "qnormal", "_value": ["1e-1", 1, "1e-1"]},
    "u": {"_type": "uniform", "_value": [0, 1]}, "c": {"_type": "choice", "_value": [0.3, 7]},
    "net": {"_type": "choice", "_value": [{"_name": "a", "d": {"_type": "qloguniform", "_value": [0.1, 9, 0.1]}},
                                          {"_name": "b", "d": {"_type": "uniform", "_value": [0, 1]}}]}})",
                                                          "space"));
  const Configuration typed =
      parse_json(R"({"p": 0.3, "n": -0.3, "u": 0.3, "c": 0.3, "net": {"_name": "a", "d": 0.7}})", "configuration");
  const Configuration exact = snapped(space, typed);
  EXPECT_EQ(exact["p"], 0.1 * 3);
  EXPECT_EQ(exact["n"], 0.1 * -3);
  EXPECT_EQ(exact["u"], 0.3);
  EXPECT_EQ(exact["c"], 0.3);
  EXPECT_EQ(exact["net"]["d"], 0.1 * 7);
  EXPECT_EQ(snapped(space, exact), exact);
  Configuration other = typed;
  other["net"] = {{"_name", "b"}, {"d", 0.7}};
  other["p"] = 0.05;  // clipped to the bound
  EXPECT_EQ(snapped(space, other)["net"]["d"], 0.7);
  EXPECT_EQ(snapped(space, other)["p"], 0.05);
  for (const Json& no_value : {Json(0.31), Json("text"), Json(nullptr)}) {
    other["p"] = no_value;
    EXPECT_EQ(snapped(space, other)["p"], no_value);
  }
  EXPECT_EQ(snapped(space, Json(3)), Json(3));
}

}  // namespace
}  // namespace hyperfd
