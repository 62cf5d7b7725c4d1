#include "tuner/platform/policy_options.h"

#include <gtest/gtest.h>

#include "tests/message_of.h"
#include "tuner/platform/selection_policy.h"

namespace hyperfd {
namespace {

PolicyOptions options_of(const std::string& text) {
  std::string name;
  return PolicyOptions::parse(text, &name);
}

TEST(PolicyOptions, ReadsNumbersAndWords) {
  std::string name;
  PolicyOptions options = PolicyOptions::parse("tree:rate=1e-2:depth=7:loss=mse", &name);
  EXPECT_EQ(name, "tree");
  EXPECT_EQ(options.number("rate", 0.5, 0, 1), 0.01);
  EXPECT_EQ(options.integer("depth", 3, 1, 9), 7);
  EXPECT_EQ(options.word("loss", "rank", {"rank", "mse"}), "mse");
  EXPECT_EQ(options.number("absent", 0.25, 0, 1), 0.25);
  EXPECT_NO_THROW(options.check_all_known());
}

TEST(PolicyOptions, LeavesTheRestToAnotherReader) {
  PolicyOptions options = options_of("hyperfd:rate=0.5:loss=mse");
  options.number("rate", 1, 0, 1);
  EXPECT_EQ(options.take_rest(), (std::map<std::string, std::string>{{"loss", "mse"}}));
  EXPECT_NO_THROW(options.check_all_known());
}

TEST(PolicyOptions, SaysWhatIsWrong) {
  EXPECT_EQ(message_of([] { options_of("a:b"); }), "a: expected key=value after the colon, got \"b\"");
  EXPECT_EQ(message_of([] { options_of("a:b=1:b=2"); }), "a: b is given twice");
  EXPECT_EQ(message_of([] { options_of("a:b=1x").number("b", 0, 0, 1); }),
            "b: expected a number from 0 to 1, got \"1x\"");
  EXPECT_EQ(message_of([] { options_of("a:b=nan").number("b", 0, 0, 1); }),
            "b: expected a number from 0 to 1, got \"nan\"");
  EXPECT_EQ(message_of([] { options_of("a:b=1.5").integer("b", 0, 0, 9); }),
            "b: expected a whole number from 0 to 9, got \"1.5\"");
  EXPECT_EQ(message_of([] {
              options_of("a:b=msr").word("b", "mse", {"mse", "rank"});
            }),
            "unknown b \"msr\"; did you mean \"mse\"?");
  EXPECT_EQ(message_of([] { make_policy("random:depth=1"); }), "random: takes no options, got \"depth\"");
  EXPECT_EQ(message_of([] { make_policy("randm"); }), "unknown policy \"randm\"; did you mean \"random\"?");
}

}  // namespace
}  // namespace hyperfd
