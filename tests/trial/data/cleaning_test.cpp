#include "trial/data/cleaning.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/trial/data/temporary_dataset.h"
#include "trial/data/annotation_writer.h"
#include "trial/data/annotations.h"
#include "trial/data/assignment.h"
#include "trial/data/import/import.h"
#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

TEST(BestAssignment, IsAsGoodAsTheBestOfAllPermutations) {
  Rng rng(1);
  for (int round = 0; round < 500; ++round) {
    const std::size_t rows = 1 + rng.below(6), columns = 1 + rng.below(6);
    std::vector<std::vector<double>> values(rows, std::vector<double>(columns));
    for (auto& row : values) {
      for (double& value : row) value = std::max(0.0, rng.uniform(-0.5, 1));
    }
    // Permutations of the longer side's size; places beyond the matrix mean no partner.
    std::vector<std::size_t> order(std::max(rows, columns));
    std::iota(order.begin(), order.end(), 0);
    double best = 0;
    do {
      double sum = 0;
      for (std::size_t i = 0; i < rows; ++i) sum += order[i] < columns ? values[i][order[i]] : 0;
      best = std::max(best, sum);
    } while (std::next_permutation(order.begin(), order.end()));
    double sum = 0;
    std::vector<bool> taken(columns);
    const auto match = best_assignment(values);
    for (std::size_t i = 0; i < rows; ++i) {
      if (!match[i]) continue;
      EXPECT_FALSE(taken[*match[i]]);
      taken[*match[i]] = true;
      sum += values[i][*match[i]];
    }
    EXPECT_NEAR(sum, best, 1e-12);
  }
}

TEST(CleanLabels, ReplacesAddsAndReviews) {
  const Landmarks points{{{2, 2}, {8, 2}, {5, 5}, {3, 8}, {7, 8}}};
  const std::vector<Face> labels = {{{0, 0, 10, 10}, false, std::nullopt},
                                    {{50, 0, 10, 10}, false, std::nullopt},
                                    {{100, 0, 40, 40}, true, std::nullopt}};
  const std::vector<Detection> detections = {{{1, 0, 10, 10}, 0.9f, points},
                                             {{0, 80, 10, 10}, 0.96f, {}},
                                             {{30, 80, 10, 10}, 0.8f, {}},
                                             {{105, 5, 10, 10}, 0.99f, {}},
                                             {{50, 0, 10, 10}, 0.2f, {}}};
  const CleaningResult result = clean_labels(labels, detections, {});
  ASSERT_EQ(result.faces.size(), 4u);
  EXPECT_EQ(result.faces[0].box.x, 1);
  EXPECT_TRUE(result.faces[0].landmarks);
  EXPECT_EQ(result.faces[1].box.x, 50);
  EXPECT_EQ(result.faces[3].box.y, 80);
  ASSERT_EQ(result.review.size(), 2u);
  EXPECT_EQ(result.review[0].doubt, Doubt::kUnsupportedLabel);
  EXPECT_EQ(result.review[1].doubt, Doubt::kUncertainDetection);
  CleaningOptions only;
  only.landmarks_only = true;
  const CleaningResult kept = clean_labels(labels, detections, only);
  EXPECT_EQ(kept.faces.size(), 3u);
  EXPECT_EQ(kept.faces[0].box.x, 0);
  EXPECT_TRUE(kept.faces[0].landmarks);
}

TEST(AnnotationWriter, RoundTrips) {
  TemporaryDataset data;
  data.write("images/a b.jpg", "");
  AnnotatedImage image;
  image.file = "images/a b.jpg";
  image.width = 100;
  image.height = 80;
  image.faces = {{{0.1f, 1.0f / 3, 20.7f, 30}, false, Landmarks{{{1, 2}, {3.3f, 4}, {5, 6}, {7, 8}, {9, 10}}}},
                 {{1, 2, 3, 4}, true, std::nullopt}};
  write_annotations(data.folder() + "/annotations.json", {image});
  Warnings warnings;
  const auto back = read_annotations(data.folder(), warnings);
  ASSERT_EQ(back.at(0).faces.size(), 2u);
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(back[0].width, 100);
  EXPECT_EQ(back[0].faces[0].box.y, 1.0f / 3);
  EXPECT_EQ((*back[0].faces[0].landmarks)[1].x, 3.3f);
  EXPECT_TRUE(back[0].faces[1].ignored);
}

// Malformed labels are refused or counted, by name; nothing crashes.
TEST(ReadLabels, NamesWhatIsWrong) {
  const std::string lm = " 1 1 0 2 2 0 3 3 0 4 4 0 5 5 0 0.9\n";
  const auto object = [](const std::string& box) {
    return "<annotation><object><name>face</name><bndbox>" + box + "</bndbox></object></annotation>";
  };
  const struct {
    const char *format, *file;
    std::string content, message;
  } cases[] = {
      {"wider", "l.txt", "hello\n", "l.txt:1: expected an image's file name, got \"hello\""},
      {"wider", "l.txt", "a.jpg\nx\n", "l.txt:2: expected the number of faces of \"a.jpg\", got \"x\""},
      {"wider", "l.txt", "a.jpg\n-1\n", "got \"-1\""},
      {"wider", "l.txt", "a.jpg\n", "l.txt:1: expected the number of faces of \"a.jpg\", the file ends"},
      {"wider", "l.txt", "a.jpg\n2\n1 2 3 4\nb.jpg\n", "l.txt:4: expected face 2 of 2 of \"a.jpg\", got \"b.jpg\""},
      {"wider", "l.txt", "a.jpg\n1\n1 2 x 4\n", "l.txt:3: \"1 2 x 4\""},
      {"retinaface", "l.txt", "1 2 3 4\n", "before the first face, got \"1 2 3 4\""},
      {"retinaface", "l.txt", "#\n", "l.txt:1: expected an image's file name after #"},
      {"retinaface", "l.txt", "# a.jpg\n1 2" + lm, "l.txt:2: \"1 2 1 1 0"},
      {"voc", "a.xml", "<annotation><object>", "a.xml: byte "},
      {"voc", "a.xml", "<html/>", "a.xml: expected <annotation>, got \"html\""},
      {"voc", "a.xml", object("<xmin>1</xmin><ymin>two</ymin>"), "a.xml: object 1: ymin: \"two\""},
      {"voc", "a.xml", "<annotation><object><name>dog</name></object></annotation>", "there are dog (1)"},
      {"yolo", "a.txt", "0 0.5 0.5 0.1\n", "a.txt:1: \"0 0.5 0.5 0.1\""},
      {"yolo", "a.txt", "0.5 0.5 0.5 0.1 0.1\n", "class is not an index"},
      {"yolo", "a.txt", "0 120 80 30 40\n", "a.txt:1: \"0 120 80 30 40\""},
      {"yolo", "a.txt", "3 0.5 0.5 0.1 0.1\n", "there are 3 (1)"},
  };
  for (const auto& one : cases) {
    TemporaryDataset data;
    data.write(one.file, one.content);
    const bool is_folder = std::string(one.format) == "voc" || std::string(one.format) == "yolo";
    const std::string source = is_folder ? data.folder() : data.folder() + "/" + one.file;
    Warnings warnings;
    std::string said = input_error_of([&] { choose_label_format(one.format, source).read(source, {}, warnings); });
    for (const std::string& line : warnings.lines()) said += "\n" + line;
    EXPECT_NE(said.find(one.message), std::string::npos) << one.content << " → " << said;
  }
}

TEST(ImportImages, TakesEachFormat) {
  const std::string absent = " -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 0.9\n";
  const struct {
    const char *format, *file;
    std::string content;
  } cases[] = {
      {"wider", "l.txt", "\xEF\xBB\xBFs/a.png\r\n0\r\n0 0 0 0 0 0 0 0 0 0\r\nt/a.png\n1\n10 20 30 40 0 0 0 1 0 0 \n"},
      {"retinaface", "l.txt", "# s/a.png\n# t/a.png\n10 20 30 40" + absent},
      {"voc", "t/a.xml",
       "<!DOCTYPE x [<!ENTITY a \"&b;&b;\">]><annotation><filename>a.png</filename><object><name>face</name>"
       "<difficult>1</difficult><bndbox><xmin>10</xmin><ymin>20</ymin><xmax>40</xmax><ymax>60</ymax></bndbox>"
       "</object></annotation>"},
      {"yolo", "labels/t/a.txt", "0 0.25 0.5 0.3 0.5\n"},
  };
  for (const auto& one : cases) {
    TemporaryDataset data;
    std::filesystem::create_directories(data.folder() + "/images/s");
    std::filesystem::create_directories(data.folder() + "/images/t");
    data.write_image("images/s/a.png", cv::Mat::zeros(80, 100, CV_8UC3));
    data.write_image("images/t/a.png", cv::Mat::zeros(80, 100, CV_8UC3));
    data.write(one.file, one.content);
    const bool is_folder = std::string(one.format) == "voc" || std::string(one.format) == "yolo";
    const std::string source = is_folder ? data.folder() : data.folder() + "/" + one.file;
    Warnings warnings;
    const LabelFormat& format = choose_label_format("auto", source);
    EXPECT_STREQ(format.name, one.format);
    const auto labelled = format.read(source, {}, warnings);
    const std::string images = find_images_folder(source, labelled), out = data.folder() + "/out";
    import_images(labelled, {images, out, false}, warnings, [](std::size_t) {});
    const auto back = read_annotations(out, warnings);
    EXPECT_TRUE(warnings.empty()) << one.format << warnings.lines().front();
    EXPECT_EQ(back.back().file, "images/t/a.png");
    EXPECT_EQ(back.back().width, 100);
    ASSERT_EQ(back.back().faces.size(), 1u) << one.format;
    EXPECT_NEAR(back.back().faces[0].box.x, 10, 1e-4);
    EXPECT_NEAR(back.back().faces[0].box.height, 40, 1e-4);
    EXPECT_FALSE(back.back().faces[0].landmarks);
    EXPECT_EQ(back.back().faces[0].ignored, one.format[0] == 'w' || one.format[0] == 'v');
  }
}

TEST(ImportImages, KeepsTheLandmarksOfRetinaFaceLabels) {
  TemporaryDataset data;
  data.write_image("images/a.png", cv::Mat::zeros(80, 100, CV_8UC3));
  const std::string source = data.folder() + "/label.txt", out = data.folder() + "/out";
  data.write("label.txt", "# a.png\n10 20 30 40 17 31 0 33 30.5 0 25 40 1 18 51 0 32 52 0 0.9\n");
  Warnings warnings;
  const auto labelled = choose_label_format("auto", source).read(source, {}, warnings);
  import_images(labelled, {find_images_folder(source, labelled), out, false}, warnings, [](std::size_t) {});
  const auto back = read_annotations(out, warnings);
  ASSERT_EQ(back.at(0).faces.size(), 1u);
  ASSERT_TRUE(back[0].faces[0].landmarks);
  const Landmarks expected{{{17, 31}, {33, 30.5f}, {25, 40}, {18, 51}, {32, 52}}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ((*back[0].faces[0].landmarks)[i].x, expected[i].x) << i;
    EXPECT_EQ((*back[0].faces[0].landmarks)[i].y, expected[i].y) << i;
  }
}

TEST(ReadLabels, TakesWidersOwnFile) {
  const std::string file = HYPERFD_SOURCE_DIR "/../shared/data/reference/wider_gt/wider_face_val_bbx_gt.txt";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not there";
  Warnings warnings;
  const auto images = read_wider_labels(file, {}, warnings);
  EXPECT_EQ(images.size(), 3226u);
  std::size_t faces = 0, ignored = 0;
  for (const auto& image : images) {
    for (const auto& face : image.faces) {
      ++faces;
      ignored += face.face.ignored;
    }
  }
  // Counted with awk: 39,708 lines of numbers, of which 4 are all zeros; 585 of them invalid.
  EXPECT_EQ(faces, 39704u);
  EXPECT_EQ(ignored, 585u);
  EXPECT_TRUE(warnings.empty());
}

}  // namespace
}  // namespace hyperfd
