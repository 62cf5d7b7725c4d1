#include "trial/training/checkpoint.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "tests/tuner/temporary_folder.h"
#include "trial/training/weights_file.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/json.h"

namespace hyperfd {
namespace {

class CheckpointFile : public testing::Test {
 protected:
  CheckpointFile() {
    Checkpoint checkpoint;
    checkpoint.run = "run";
    checkpoint.layout = "layout";
    checkpoint.best_epoch = 3;
    checkpoint.schedule = {0.25, 4, 2, 0.01};
    checkpoint.optimizer = "state";
    save_checkpoint(file_, checkpoint);
  }

  std::string failure(const std::string& run, const std::string& layout) const {
    try {
      load_checkpoint(file_, run, layout);
      return "";
    } catch (const InputError& error) {
      return error.what();
    }
  }

  const TemporaryFolder folder_;
  const std::string file_ = folder_.file("checkpoint.pt");
};

TEST_F(CheckpointFile, GivesBackWhatWasSaved) {
  const auto loaded = load_checkpoint(file_, "run", "layout");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->layout, "layout");
  EXPECT_EQ(loaded->best_epoch, 3);
  EXPECT_EQ(loaded->schedule.best, 0.25);
  EXPECT_EQ(loaded->schedule.stagnant, 4);
  EXPECT_EQ(loaded->schedule.since_fall, 2);
  EXPECT_EQ(loaded->schedule.plateau, 0.01);
  EXPECT_EQ(loaded->optimizer, "state");
}

TEST_F(CheckpointFile, OfAnotherLayoutIsAnErrorThatSaysWhatToDo) {
  EXPECT_EQ(failure("run", "other"),
            file_ +
                ": of another version of hyperfd-trial (another layout of the optimizer's state); end the training "
                "with that version, or delete the file to start anew");
  EXPECT_TRUE(std::filesystem::exists(file_));
}

TEST_F(CheckpointFile, OfAnotherRunIsNotUsedWhateverItsLayout) {
  EXPECT_FALSE(load_checkpoint(file_, "another run", "other"));
}

TEST_F(CheckpointFile, ADamagedOneNeverTakesThePlaceOfTheGoodOneBefore) {
  const Checkpoint good = *load_checkpoint(file_, "run", "layout");
  save_checkpoint(file_, good);
  write_file_atomically(file_, "torn");
  EXPECT_TRUE(load_checkpoint(file_, "run", "layout"));
  save_checkpoint(file_, good);
  write_file_atomically(file_, "torn again");
  EXPECT_TRUE(load_checkpoint(file_, "run", "layout"));
  remove_checkpoint(file_);
  for (const char* ending : {"", ".previous", ".link", ".damaged"})
    EXPECT_FALSE(std::filesystem::exists(file_ + ending));
}

TEST_F(CheckpointFile, OfAnotherFormatIsAnError) {
  Weights content = load_weights(file_);
  Json state = parse_json(content.description, file_);
  for (const int format : {1, 99}) {
    state["format"] = format;
    content.description = state.dump();
    save_weights(file_, content);
    EXPECT_THAT(failure("run", "layout"), testing::HasSubstr("(format " + std::to_string(format) + ", expected 2)"));
  }
}

}  // namespace
}  // namespace hyperfd
