#include "tuner/ranker/ranker_options.h"

#include <gtest/gtest.h>

#include "tests/message_of.h"

namespace hyperfd {
namespace {

TEST(RankerOptions, OfThePaperAreTable12s) {
  const RankerOptions options = paper_options();
  EXPECT_EQ(options.hidden_units, 64);
  EXPECT_EQ(options.learning_rate, 1e-4);
  EXPECT_EQ(options.transformation_learning_rate, 1e-4);
  EXPECT_EQ(options.tasks_per_iteration, 4);
  EXPECT_EQ(options.iterations_per_update, 50);
  EXPECT_EQ(options.transformation_steps, 20);
  EXPECT_EQ(options.triplet_weight, 0.03);
  EXPECT_EQ(options.triplet_margin, 0.5);
  EXPECT_EQ(options.si_weight, 10000);
  EXPECT_EQ(options.offline_share / options.past_share, 5);
  EXPECT_EQ(options.current_share, options.past_share);
  EXPECT_EQ(options.dropout, 0.2);
}

TEST(RankerOptions, AreReadFromText) {
  const RankerOptions options = parse_ranker_options({{"loss", "mse"},
                                                      {"rank_by", "label"},
                                                      {"z", "oracle"},
                                                      {"triplet", "0"},
                                                      {"si", "1e3"},
                                                      {"iterations", "7"},
                                                      {"deviations", "off"}});
  EXPECT_EQ(options.loss, LossKind::kMse);
  EXPECT_EQ(options.rank_by, RankBy::kLabel);
  EXPECT_EQ(options.transformation, TransformationKind::kOracle);
  EXPECT_EQ(options.triplet_weight, 0);
  EXPECT_EQ(options.si_weight, 1000);
  EXPECT_EQ(options.iterations_per_update, 7);
  EXPECT_FALSE(options.deviations);
  EXPECT_EQ(parse_ranker_options({}, paper_options()).learning_rate, 1e-4);
}

TEST(RankerOptions, AreWrittenAsTheyAreRead) {
  const std::map<std::string, std::string> paper = ranker_option_values(paper_options());
  EXPECT_EQ(ranker_option_values(parse_ranker_options(paper)), paper);
  EXPECT_NE(ranker_option_values({}), paper);
  EXPECT_EQ(paper.at("effects"), "off");
  EXPECT_EQ(paper.at("z"), "sgd");
  EXPECT_EQ(paper.at("rate"), "0.0001");
  EXPECT_EQ(paper.at("iterations"), "50");
}

TEST(RankerOptions, NameKeyAndValueInErrors) {
  const auto error = [](const std::string& key, const std::string& value) {
    return message_of([&] { parse_ranker_options({{key, value}}); });
  };
  EXPECT_EQ(error("loss", "msr"), "loss: expected one of ranking, pairwise, mse, got \"msr\"");
  EXPECT_EQ(error("iterations", "1.5"), "iterations: expected a whole number from 0 to 1000000, got \"1.5\"");
  EXPECT_EQ(error("dropout", "1"), "dropout: expected a number from 0.0 to 0.9, got \"1\"");
  EXPECT_EQ(error("rate", "nan"), "rate: expected a number from 0.0 to 1.0, got \"nan\"");
  EXPECT_EQ(error("lss", "mse"), "unknown option \"lss\"; did you mean \"loss\"?");
}

}  // namespace
}  // namespace hyperfd
