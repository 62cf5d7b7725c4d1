#include "trial/data/split.h"

#include <map>

#include <gmock/gmock.h>

#include "tests/trial/data/temporary_dataset.h"

namespace hyperfd {
namespace {

using testing::HasSubstr;

TEST(Split, IsSixToOneToThree) {
  std::map<Split, int> counts;
  for (int i = 0; i < 10000; ++i) ++counts[split_of("image_" + std::to_string(i) + ".jpg")];
  EXPECT_NEAR(counts[Split::kTrain], 6000, 200);
  EXPECT_NEAR(counts[Split::kValidation], 1000, 120);
  EXPECT_NEAR(counts[Split::kTest], 3000, 200);
}

TEST(Split, FollowsTheFilesNameAlone) {
  // Fixed for ever: results of two versions of the program must be about the same images.
  EXPECT_EQ(split_of("a.jpg"), split_of("images/deep/a.jpg"));
  EXPECT_STREQ(name_of(split_of("images/a.jpg")), "val");
  EXPECT_STREQ(name_of(split_of("images/b.jpg")), "train");
  EXPECT_STREQ(name_of(split_of("images/e.jpg")), "test");
}

TEST(SplitList, NamesWhatIsWrong) {
  const TemporaryDataset data;
  const auto message = [&](const std::string& content) {
    data.write("splits.json", content);
    return input_error_of([&] { read_splits(data.folder() + "/splits.json"); });
  };
  EXPECT_THAT(message("[]"), HasSubstr("splits.json: expected an object"));
  EXPECT_THAT(message(R"({"tran": []})"), HasSubstr("unknown key \"tran\"; did you mean \"train\"?"));
  EXPECT_THAT(message(R"({"train": "a.jpg"})"), HasSubstr("train: expected a list of file names, got \"a.jpg\""));
  EXPECT_THAT(message(R"({"train": ["a.jpg", 3]})"), HasSubstr("train[1]: expected a file name, got 3"));
  EXPECT_THAT(message(R"({"train": ["a.jpg"], "test": ["a.jpg"]})"),
              HasSubstr("test[0]: \"a.jpg\" is already in train"));
}

}  // namespace
}  // namespace hyperfd
