#include "tuner/wire/dataset_hub.h"

#include <cmath>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hyperfd::wire {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::size_t kImageFeatures = 3, kStatistics = 1, kUnits = 4;
constexpr std::size_t kWeights =
    8 * kUnits * kUnits + (kImageFeatures + kStatistics + 12) * kUnits + 2 * (kImageFeatures + kStatistics);
const std::string kSession(32, 's');

double norm(const Floats& numbers) {
  double squares = 0;
  for (const double number : numbers) squares += number * number;
  return std::sqrt(squares);
}

class DatasetHubTest : public ::testing::Test {
 protected:
  DatasetHubTest() { hub_.open(1, "e", kSession, {"hash", kImageFeatures, kStatistics}); }

  static Floats weights() { return Floats(kWeights, 1.0f); }
  static NextOrder feature_answer(Floats feature, Floats twin, const std::string& extractor = "hash") {
    NextOrder answer;
    answer.session = kSession;
    answer.feature = ComputedFeature{extractor, std::move(feature), std::move(twin)};
    return answer;
  }
  std::optional<Body> poll(NextOrder answer = {}) {
    answer.session = kSession;
    return hub_.poll("e", answer);
  }
  // The order that comes within a while.
  Body next() {
    for (int i = 0; i < 1000; ++i) {
      if (const auto order = hub_.next_order(kSession)) return *order;
      std::this_thread::sleep_for(2ms);
    }
    ADD_FAILURE() << "no order";
    return NoOrder{};
  }
  // What the learner gets where a client answers forward() like this; its message where it is not reachable.
  std::string forward(NextOrder answer, MetaFeaturePair* result = nullptr) {
    const auto loan = hub_.lend(1);
    if (!loan) return "not served";
    std::thread client([&] {
      answer.order = std::get<ComputeFeature>(next()).order;
      poll(answer);
    });
    std::string message;
    try {
      const MetaFeaturePair pair = loan->forward(weights(), 7);
      if (result) *result = pair;
    } catch (const DatasetUnreachable& error) {
      message = error.what();
    }
    client.join();
    return message;
  }

  DatasetHub hub_{[] {}, {2s, 3s}};
};

TEST_F(DatasetHubTest, CarriesAnOrderToTheClientAndItsAnswerBack) {
  EXPECT_TRUE(std::holds_alternative<NoOrder>(*poll())) << "the first poll is told that there is nothing";
  EXPECT_FALSE(poll()) << "the next one waits";
  MetaFeaturePair pair;
  EXPECT_EQ(forward(feature_answer({1, 2, 0, 0}, {0, 0, 1, 2}), &pair), "");
  EXPECT_EQ(pair.feature, (Floats{1, 2, 0, 0}));
  EXPECT_EQ(pair.twin, (Floats{0, 0, 1, 2}));
}

TEST_F(DatasetHubTest, DropsAClientWhoseAnswerIsNone) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::pair<NextOrder, std::string>> cases = {
      {feature_answer({1, 2, 3}, {1, 2, 3, 4}), "a meta-feature of 3 numbers, expected 4"},
      {feature_answer({1, 2, 3, nan}, {1, 2, 3, 4}), "a number that is not finite"},
      {feature_answer({1, 2, 3, 4}, {1, 2, 3, 4}, "other"), "by another extractor"},
      {NextOrder{}, "no meta-feature in its answer"},
  };
  for (const auto& [answer, message] : cases) {
    hub_.open(1, "e", kSession, {"hash", kImageFeatures, kStatistics});
    EXPECT_THAT(forward(answer), HasSubstr(message));
    EXPECT_FALSE(hub_.serves(1)) << message;
    EXPECT_THAT(std::get<Dismissed>(*poll()).reason, HasSubstr(message)) << "it hears why";
  }
}

TEST_F(DatasetHubTest, ShortensWhatIsLongerThanAnHonestAnswer) {
  MetaFeaturePair pair;
  EXPECT_EQ(forward(feature_answer({1e20f, 0, 0, 0}, {1, 0, 0, 0}), &pair), "");
  EXPECT_NEAR(norm(pair.feature), longest_feature(weights(), kUnits), 1e-3);
  EXPECT_EQ(pair.twin, (Floats{1, 0, 0, 0}));

  const auto loan = hub_.lend(1);
  std::thread client([&] {
    NextOrder answer;
    answer.order = std::get<ComputeFeature>(next()).order;
    answer.feature = ComputedFeature{"hash", Floats(kUnits), Floats(kUnits)};
    poll(answer);
    Body order = next();
    answer = {};
    answer.order = std::get<ComputeGradient>(order).order;
    answer.gradient = Floats(kWeights, 1e12f);
    poll(answer);
  });
  loan->forward(weights(), 1);
  const Floats gradient = loan->backward({{3, 0, 0, 0}, {0, 4, 0, 0}});
  client.join();
  EXPECT_EQ(gradient.size(), kWeights);
  EXPECT_NEAR(norm(gradient), 5000, 1);
}

TEST_F(DatasetHubTest, ASlowClientIsDropped) {
  const auto loan = hub_.lend(1);
  EXPECT_THROW(loan->forward(weights(), 1), DatasetUnreachable);
  EXPECT_FALSE(hub_.serves(1));
  EXPECT_THROW(loan->forward(weights(), 1), DatasetUnreachable) << "and not waited for again";
}

TEST_F(DatasetHubTest, AClientThatRefusesIsNotAskedAgain) {
  NextOrder refusal;
  refusal.refusal = "budget spent";
  forward(refusal);
  EXPECT_EQ(hub_.lend(1), nullptr);
  EXPECT_TRUE(hub_.serves(1)) << "its φ may be stored; it is dismissed in the end like the others";
}

TEST_F(DatasetHubTest, AnswersOfAnotherOrderAreIgnored) {
  poll();
  const auto loan = hub_.lend(1);
  std::thread client([&] {
    const std::int64_t order = std::get<ComputeFeature>(next()).order;
    NextOrder wrong = feature_answer({9, 9, 9, 9}, {9, 9, 9, 9});
    wrong.order = order - 1;
    EXPECT_TRUE(std::holds_alternative<ComputeFeature>(*poll(wrong)));
    NextOrder right = feature_answer({1, 0, 0, 0}, {0, 1, 0, 0});
    right.order = order;
    poll(right);
    poll(right);  // repeated, as by a client that did not hear
  });
  EXPECT_EQ(loan->forward(weights(), 1).feature, (Floats{1, 0, 0, 0}));
  client.join();
}

TEST_F(DatasetHubTest, AsksForAFeatureBesideUpdatesOnly) {
  hub_.request_feature(1, 5, weights(), 7);
  NextOrder answer = feature_answer({1, 2, 0, 0}, {0, 0, 1, 2});
  answer.order = std::get<ComputeFeature>(*poll()).order;
  EXPECT_TRUE(std::holds_alternative<NoOrder>(*poll(answer)));
  const std::vector<FeatureAnswer> features = hub_.take_features();
  ASSERT_EQ(features.size(), 1u);
  EXPECT_EQ(features[0].version, 5);
  EXPECT_EQ(features[0].feature, (Floats{1, 2, 0, 0}));

  const auto loan = hub_.lend(1);
  hub_.request_feature(1, 6, weights(), 7);
  EXPECT_FALSE(poll()) << "would come between forward() and backward()";
}

TEST_F(DatasetHubTest, ADatasetWithoutUpdatesGivesFeaturesAlone) {
  hub_.open(1, "e", kSession, {"hash", kImageFeatures, kStatistics}, /*updates=*/false);
  EXPECT_EQ(hub_.lend(1), nullptr);
  hub_.request_feature(1, 5, weights(), 7);
  EXPECT_TRUE(std::holds_alternative<ComputeFeature>(*poll()));
}

TEST_F(DatasetHubTest, PollsOfStrangersAreRefused) {
  EXPECT_THROW(hub_.poll("another experiment", NextOrder{kSession, 0}), UnknownSession);
  EXPECT_THROW(hub_.poll("e", NextOrder{"never opened", 0}), UnknownSession);
}

TEST_F(DatasetHubTest, ALaterSessionTakesThePlaceOfAnEarlierOne) {
  hub_.open(1, "e", "another session", {"hash", kImageFeatures, kStatistics});
  EXPECT_THAT(std::get<Dismissed>(*poll()).reason, HasSubstr("another client"));
  EXPECT_TRUE(hub_.serves(1));
}

TEST_F(DatasetHubTest, AClientThatIsSilentIsGone) {
  std::this_thread::sleep_for(3100ms);
  EXPECT_FALSE(hub_.serves(1));
  EXPECT_EQ(hub_.lend(1), nullptr);
  for (int i = 0; i < 2; ++i) EXPECT_THROW(poll(), UnknownSession) << "it opens the data set again";
  hub_.open(1, "e", kSession, {"hash", kImageFeatures, kStatistics});
  EXPECT_TRUE(hub_.serves(1));
  EXPECT_TRUE(std::holds_alternative<NoOrder>(*poll()));
}

TEST_F(DatasetHubTest, ADatasetThatIsOpenedAnewEndsWhatTheLearnerHadUnderWay) {
  const auto loan = hub_.lend(1);
  std::thread client([&] {
    next();
    hub_.open(1, "e", kSession, {"hash", kImageFeatures, kStatistics});
  });
  EXPECT_THROW(loan->forward(weights(), 7), DatasetUnreachable) << "at once, not when the time for an answer is over";
  client.join();
  EXPECT_TRUE(hub_.serves(1));
}

TEST_F(DatasetHubTest, EndsAllWaitingWhenItShutsDown) {
  const auto loan = hub_.lend(1);
  std::thread closing([&] {
    std::this_thread::sleep_for(20ms);
    hub_.shut_down();
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THROW(loan->forward(weights(), 1), DatasetUnreachable);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1500ms);
  closing.join();
}

}  // namespace
}  // namespace hyperfd::wire
