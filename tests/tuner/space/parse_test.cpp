#include <limits>

#include <gtest/gtest.h>

#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

std::string parse_error(const Json& definition) {
  try {
    SearchSpace::parse(definition);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::string parse_error(const char* text) {
  return parse_error(parse_json(text, "test"));
}

TEST(ParseSearchSpace, NamesThePathOfWhatIsWrong) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"([1, 2])", "search space: expected an object of parameters, got [1,2]"},
      {R"({"lr": 0.1})", R"(lr: expected an object with "_type" and "_value", got 0.1)"},
      {R"({"lr": {"_value": [1]}})", R"(lr: missing "_type" in {"_value":[1]})"},
      {R"({"lr": {"_type": "choice"}})", R"(lr: missing "_value" in {"_type":"choice"})"},
      {R"({"lr": {"_type": 3, "_value": []}})", "lr._type: expected a string, got 3"},
      {R"({"lr": {"_type": "choise", "_value": [1]}})", R"(lr._type: unknown type "choise"; did you mean "choice"?)"},
      {R"({"lr": {"_type": "choice", "_value": 3}})", "lr._value: expected a list, got 3"},
      {R"({"lr": {"_type": "choice", "_value": []}})", "lr._value: expected at least one choice, got []"},
      {R"({"lr": {"_type": "uniform", "_value": ["abc", 1]}})", R"(lr._value[0]: expected a number, got "abc")"},
      {R"({"lr": {"_type": "uniform", "_value": [true, 1]}})", "lr._value[0]: expected a number, got true"},
      {R"({"lr": {"_type": "uniform", "_value": [0]}})", "lr._value: expected [low, high] for uniform, got [0]"},
      {R"({"lr": {"_type": "quniform", "_value": [0, 1]}})",
       "lr._value: expected [low, high, q] for quniform, got [0,1]"},
      {R"({"lr": {"_type": "quniform", "_value": [0, 1, 0]}})", "lr._value[2]: expected q > 0, got 0"},
      {R"({"lr": {"_type": "quniform", "_value": [0, 1, 1e-300]}})",
       "lr._value[2]: q is too small for the range of values, got [0,1,1e-300]"},
      {R"({"lr": {"_type": "uniform", "_value": [1, 1]}})", "lr._value: expected low < high, got [1,1]"},
      {R"({"lr": {"_type": "uniform", "_value": [-1e308, 1e308]}})",
       "lr._value: the range is too wide for a double, got [-1e+308,1e+308]"},
      {R"({"lr": {"_type": "loguniform", "_value": [0, 1]}})", "lr._value[0]: expected low > 0 for loguniform, got 0"},
      {R"({"lr": {"_type": "normal", "_value": [0, -1]}})", "lr._value[1]: expected sigma > 0, got -1"},
      {R"({"lr": {"_type": "lognormal", "_value": [1000, 1]}})",
       "lr._value: values would be too large for a double (mu and sigma are of the logarithm), got [1000,1]"},
      {R"({"n": {"_type": "randint", "_value": [0, 2.5]}})",
       "n._value[1]: expected an integer of at most 2^53, got 2.5"},
      {R"({"n": {"_type": "randint", "_value": [3, 3]}})",
       "n._value: expected low < high (high itself is never drawn), got [3,3]"},
      {R"({"_name": {"_type": "randint", "_value": [0, 3]}})",
       "_name: this key is only for the branches of a nested choice"},
      {R"({"l": {"_type": "choice", "_value": [{"_name": "a"}, 3]}})",
       R"(l._value[1]: expected an object with "_name" like the other choices, got 3)"},
      {R"({"l": {"_type": "choice", "_value": [{"_name": 7}]}})", "l._value[0]._name: expected a string, got 7"},
      {R"({"l": {"_type": "choice", "_value": [{"_name": "a"}, {"_name": "a"}]}})",
       R"(l._value[1]._name: "a" appears twice)"},
      {R"({"l": {"_type": "choice", "_value": [{"_name": "a", "k": {"_type": "uniform", "_value": [0, "x"]}}]}})",
       R"(l._value[0].k._value[1]: expected a number, got "x")"},
  };
  for (const auto& [definition, message] : cases) EXPECT_EQ(parse_error(definition), message) << definition;
}

TEST(ParseSearchSpace, RefusesNumbersThatAreNotFinite) {
  const double not_a_number = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(parse_error({{"lr", {{"_type", "uniform"}, {"_value", {0.0, infinity}}}}}),
            "lr._value[1]: expected a number, got null");
  EXPECT_EQ(parse_error({{"lr", {{"_type", "normal"}, {"_value", {not_a_number, 1.0}}}}}),
            "lr._value[0]: expected a number, got null");
  EXPECT_EQ(parse_error({{"lr", {{"_type", "choice"}, {"_value", {1.0, not_a_number}}}}}),
            "lr._value[1]: expected a finite number");
}

TEST(ParseSearchSpace, RefusesAHugeListAndEndlessNesting) {
  Json options = Json::array();
  for (int i = 0; i < 30000; ++i) options.push_back(i);
  EXPECT_EQ(parse_error({{"n", {{"_type", "choice"}, {"_value", options}}}}),
            "n._value[19999]: the search space has too many keys and choices");

  Json nested = {{"_name", "leaf"}};
  for (int i = 0; i < 5000; ++i) {
    nested = Json{{"_name", "level"}, {"inner", {{"_type", "choice"}, {"_value", Json::array({std::move(nested)})}}}};
  }
  EXPECT_EQ(parse_error({{"outer", {{"_type", "choice"}, {"_value", Json::array({std::move(nested)})}}}}),
            "search space: nested deeper than 64 levels");
}

TEST(ParseSearchSpace, RefusesTextThatIsNotUtf8) {
  const std::string message = parse_error({{"\xff", {{"_type", "choice"}, {"_value", {1}}}}});
  EXPECT_NE(message.find("not UTF-8"), std::string::npos) << message;
}

TEST(ParseSearchSpace, TakesNumbersWrittenAsText) {
  // PyYAML hands an unquoted 1e-4 to NNI as a string, and NNI's tuners convert it.
  const auto space = SearchSpace::parse({{"lr", {{"_type", "loguniform"}, {"_value", {"1e-4", 0.1}}}}});
  space.check({{"lr", 1e-4}});
  EXPECT_THROW(space.check({{"lr", 0.9e-4}}), InputError);
}

TEST(ParseSearchSpace, SignatureDoesNotDependOnNotation) {
  const auto a = SearchSpace::parse(parse_json(R"({"x": {"_type": "choice", "_value": [1, 2, 4]},
      "l": {"_type": "choice", "_value": [{"_name": "a", "k": {"_type": "uniform", "_value": [0, 1]}}, {"_name": "b"}]}})",
                                               "a"));
  const auto b = SearchSpace::parse(parse_json(R"({
      "l": {"_value": [{"_name": "b"}, {"k": {"_value": [0.0, 1.0], "_type": "uniform"}, "_name": "a"}], "_type": "choice"},
      "x": {"_type": "choice", "_value": [4.0, 1.0, 2, 2]}})",
                                               "b"));
  const auto c = SearchSpace::parse(parse_json(R"({"x": {"_type": "choice", "_value": [1, 2, 5]},
      "l": {"_type": "choice", "_value": [{"_name": "a", "k": {"_type": "uniform", "_value": [0, 1]}}, {"_name": "b"}]}})",
                                               "c"));
  EXPECT_EQ(a.signature(), b.signature());
  EXPECT_NE(a.signature(), c.signature());
  // Experience is shared by signature, so the encodings must agree too.
  const Configuration point = parse_json(R"({"x": 2, "l": {"_name": "a", "k": 0.25}})", "point");
  EXPECT_EQ(a.encode(point), b.encode(point));
}

TEST(ParseSearchSpace, LoadNamesTheFile) {
  const std::string file = testing::TempDir() + "bad_space.yaml";
  write_file_atomically(file, "lr: {_type: uniform, _value: [abc, 1]}\n");
  try {
    SearchSpace::load(file);
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()), file + R"(: lr._value[0]: expected a number, got "abc")");
  }
}

}  // namespace
}  // namespace hyperfd
