#include "trial/data/coco_files.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "trial/data/coco_results.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/json.h"
#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

class CocoFiles : public ::testing::Test {
 protected:
  CocoFiles()
      : folder_(
            (std::filesystem::temp_directory_path() / ("hyperfd_coco_files" + std::to_string(::getpid()))).string()),
        truths_(folder_ + "/truths.json"),
        detections_(folder_ + "/detections.json") {}
  ~CocoFiles() override { std::filesystem::remove_all(folder_); }

  CocoTruths read(const std::string& truths, const std::string& detections) {
    write_file_atomically(truths_, truths);
    write_file_atomically(detections_, detections);
    CocoTruths all = read_coco_truths(truths_, warnings_);
    read_coco_detections(detections_, all, warnings_);
    return all;
  }

  std::string folder_, truths_, detections_;
  Warnings warnings_;
};

const char* const kTruths = R"({
  "annotations": [
    {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2.5, 30, 40], "iscrowd": 1},
    {"id": 2, "image_id": 7, "category_id": 4, "bbox": [1, 2, 30, 40]},
    {"id": 3, "image_id": 8, "category_id": 3, "bbox": [1, 2, 30, 40]},
    {"id": 4, "image_id": 2, "category_id": 3, "bbox": [1, NaN, 30, 40]}],
  "images": [{"id": 10, "file_name": "a.jpg"}, {"id": 7}, {"id": 2}, {"id": 7}],
  "categories": [{"id": 4, "name": "hat"}, {"id": 3, "name": "face"}]})";

TEST_F(CocoFiles, AreReadAsTheyStand) {
  const CocoTruths all = read(kTruths, R"([{"image_id": 10, "bbox": [-1, 2, 3e1, 4], "score": 0.25, "category_id": 3},
                                           {"image_id": 10, "bbox": [1, 2, 3, 4], "score": 1, "category_id": 4}])");
  EXPECT_EQ(all.ids, (std::vector<std::string>{"2", "7", "10"}));
  ASSERT_EQ(all.images[1].truths.size(), 1u);
  EXPECT_TRUE(all.images[1].truths[0].ignored);
  EXPECT_EQ(all.images[1].truths[0].y, 2.5);
  EXPECT_TRUE(all.images[0].truths.empty());
  ASSERT_EQ(all.images[2].detections.size(), 1u);
  EXPECT_EQ(all.images[2].detections[0].width, 30);
  EXPECT_EQ(all.images[2].detections[0].score, 0.25);
  EXPECT_EQ(all.by_name.at("a.jpg"), 2u);
  EXPECT_EQ(warnings_.lines().size(), 5u);
}

TEST_F(CocoFiles, AreReadTheSameWhetherPlainOrNot) {
  // "\u0062box" is "bbox", which only the parser knows.
  const std::string plain = R"([{"image_id": 7, "bbox": [1, 2, 3, 4], "score": 0.1}])";
  const std::string other = R"([{"image_id": 7, "\u0062box": [1, 2, 3, 4], "score": 0.1, "more": [[{}]]}])";
  for (const std::string& text : {plain, other}) {
    const ScoredBox box = read(kTruths, text).images[1].detections.at(0);
    EXPECT_EQ(box.height, 4);
    EXPECT_EQ(box.score, 0.1);
  }
}

TEST_F(CocoFiles, ReadWhatCocoResultsWrites) {
  CocoResults results("3");
  results.add("7", "photos/\"a\" \xff.jpg", -1, {{{1.1f, 2.2f, 3.3f, 4.4f}, 0.7f, {}}, {{}, 0.1f, {}}});
  results.add("10", "film.mp4", 3, {{{1, 2, 3, 4}, 1, {}}});
  results.write(detections_);
  const std::string written = read_file(detections_);
  const CocoTruths all = read(kTruths, written);
  EXPECT_EQ(all.images[1].detections.at(0).score, static_cast<double>(0.7)) << "as short as possible";
  EXPECT_EQ(static_cast<float>(all.images[1].detections.at(0).x), 1.1f);
  const Json json = parse_json(written, detections_);
  EXPECT_EQ(json[0]["keypoints"].size(), 15u);
  EXPECT_FALSE(json[0].contains("frame"));
  EXPECT_EQ(json[2]["frame"], 3);
  CocoResults().write(detections_);
  EXPECT_TRUE(parse_json(read_file(detections_), detections_).empty());
}

// The quick way must not let through what the parser would refuse, nor crash on anything.
TEST_F(CocoFiles, BrokenFilesAreErrorsAndValidOnesAreRead) {
  const std::string good =
      R"([{"image_id": 7, "bbox": [1, -2.5e0, 3, 4], "score": 0.1, "keypoints": [1, 2], "file_name": "a"},)"
      R"( {"image_id": 10, "bbox": [0, 2, 3, 4], "score": 1, "x": null}])";
  const std::string letters = "[]{},:\"\\0123456789-+.eE nulltrue\x80\x01";
  write_file_atomically(truths_, kTruths);
  const CocoTruths truths = read_coco_truths(truths_, warnings_);
  Rng rng(1);
  int read_well = 0;
  for (int i = 0; i < 1500; ++i) {
    std::string text = good;
    for (std::uint64_t changes = 1 + rng.below(2); changes > 0; --changes) {
      const std::size_t place = rng.below(text.size());
      const char letter = letters[rng.below(letters.size())];
      switch (rng.below(3)) {
        case 0:
          text[place] = letter;
          break;
        case 1:
          text.insert(place, 1, letter);
          break;
        default:
          text.erase(place, rng.below(2) == 0 ? 1 : std::string::npos);
      }
      if (text.empty()) break;
    }
    std::ofstream(detections_, std::ios::binary) << text;  // thousands of files need no flush to disk
    bool valid = true;
    try {
      parse_json(text, "");
    } catch (const InputError&) {
      valid = false;
    }
    CocoTruths all = truths;
    try {
      read_coco_detections(detections_, all, warnings_);
      EXPECT_TRUE(valid) << text;
      ++read_well;
    } catch (const InputError& error) {
      EXPECT_EQ(std::string(error.what()).rfind(detections_ + ": ", 0), 0u) << error.what();
    }
  }
  EXPECT_GT(read_well, 75);
}

}  // namespace
}  // namespace hyperfd
