#include "tuner/base/names.h"

#include <gtest/gtest.h>

namespace hyperfd {
namespace {

TEST(NearestName, FindsATypingErrorAndNothingForAStranger) {
  const std::vector<std::string> known = {"optimizer", "learning_rate", "epochs"};
  EXPECT_EQ(nearest_name("learnign_rate", known), "learning_rate");
  EXPECT_EQ(nearest_name("epoch", known), "epochs");
  EXPECT_EQ(nearest_name("zebra", known), "");
}

TEST(UnknownNameMessage, SuggestsOrLists) {
  EXPECT_EQ(unknown_name_message("key", "epoch", {"epochs", "lr"}), "unknown key \"epoch\"; did you mean \"epochs\"?");
  EXPECT_EQ(unknown_name_message("key", "zebra", {"epochs", "lr"}), "unknown key \"zebra\"; known: epochs, lr");
}

}  // namespace
}  // namespace hyperfd
