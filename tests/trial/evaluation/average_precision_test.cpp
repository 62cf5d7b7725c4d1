#include "trial/evaluation/average_precision.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "tuner/base/error.h"
#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

using Detections = std::vector<std::vector<Detection>>;
using Faces = std::vector<std::vector<Face>>;

Detection detection(Box box, float score) {
  return {box, score, {}};
}
Face face(Box box, bool ignored = false) {
  return {box, ignored, std::nullopt};
}

const Box kLeft{10, 10, 40, 40}, kRight{100, 10, 40, 40}, kNowhere{200, 200, 40, 40};

// AP straight from its definition: for every distinct recall, the best precision among all cuts of the ranked list that
// reach it. Boxes are visited one at a time from the whole set, nothing is sorted, so it shares no code or order with
// what it checks.
double slow_average_precision(const Detections& detections, const Faces& faces, float threshold) {
  struct Item {
    std::size_t image, index;
    bool visited = false;
  };
  std::vector<Item> items;
  double positives = 0;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    for (std::size_t d = 0; d < detections[i].size(); ++d) items.push_back({i, d});
    for (const Face& f : faces[i]) positives += !f.ignored;
  }
  std::vector<std::vector<bool>> taken;
  for (const auto& f : faces) taken.emplace_back(f.size());
  std::vector<std::pair<double, double>> cuts;  // recall, precision
  double right = 0, wrong = 0;
  for (std::size_t step = 0; step < items.size(); ++step) {
    Item* next = nullptr;
    for (Item& item : items) {
      if (item.visited) continue;
      if (!next || detections[item.image][item.index].score > detections[next->image][next->index].score) next = &item;
    }
    next->visited = true;
    const Box& box = detections[next->image][next->index].box;
    int best = -1;
    for (std::size_t f = 0; f < faces[next->image].size(); ++f) {
      const float overlap = iou(box, faces[next->image][f].box);
      if (overlap >= threshold &&
          (best < 0 || overlap > iou(box, faces[next->image][static_cast<std::size_t>(best)].box))) {
        best = static_cast<int>(f);
      }
    }
    if (best < 0) {
      ++wrong;
    } else if (!faces[next->image][static_cast<std::size_t>(best)].ignored) {
      auto owner = taken[next->image].begin() + best;
      *owner ? ++wrong : ++right;
      *owner = true;
    }
    if (right + wrong > 0) cuts.emplace_back(right / positives, right / (right + wrong));
  }
  double area = 0, previous = 0;
  for (double found = 1; found <= right; ++found) {
    const double recall = found / positives;
    double best = 0;
    for (const auto& [r, p] : cuts) {
      if (r >= recall - 1e-12) best = std::max(best, p);
    }
    area += (recall - previous) * best;
    previous = recall;
  }
  return area;
}

struct Scene {
  Detections detections;
  Faces faces;
};

Scene random_scene(std::uint64_t seed, std::size_t images, std::size_t most_faces, std::size_t most_detections) {
  Rng rng(seed);
  const auto box = [&] {
    return Box{static_cast<float>(rng.uniform(0, 200)), static_cast<float>(rng.uniform(0, 200)),
               static_cast<float>(rng.uniform(5, 60)), static_cast<float>(rng.uniform(5, 60))};
  };
  Scene scene;
  for (std::size_t i = 0; i < images; ++i) {
    scene.faces.emplace_back(rng.below(most_faces + 1));
    for (Face& f : scene.faces.back()) f = face(box(), rng.uniform() < 0.2);
    scene.detections.emplace_back(rng.below(most_detections + 1));
    for (Detection& d : scene.detections.back()) {
      d = detection(box(), static_cast<float>(rng.uniform()));
      if (!scene.faces.back().empty() && rng.uniform() < 0.7) {
        d.box = scene.faces.back()[rng.below(scene.faces.back().size())].box;
        d.box.x += static_cast<float>(rng.uniform(-0.3, 0.3)) * d.box.width;
        d.box.y += static_cast<float>(rng.uniform(-0.3, 0.3)) * d.box.height;
      }
    }
  }
  return scene;
}

TEST(AveragePrecision, IsOneWhenEveryFaceIsFoundFirst) {
  EXPECT_DOUBLE_EQ(average_precision({{detection(kLeft, 0.9f), detection(kNowhere, 0.1f)}}, {{face(kLeft)}}), 1);
}

TEST(AveragePrecision, IsZeroWithoutFacesOrDetections) {
  EXPECT_EQ(average_precision({{detection(kLeft, 0.9f)}}, {{}}), 0);
  EXPECT_EQ(average_precision({{}}, {{face(kLeft)}}), 0);
  EXPECT_EQ(average_precision({}, {}), 0);
}

TEST(AveragePrecision, OfAHandCase) {
  // Ranked: wrong, right, wrong, right of 4 faces: precision envelope 1/2 up to recall 1/2.
  const Faces faces{{face(kLeft), face(kRight)}, {face(kLeft), face(kRight)}};
  const Detections detections{{detection(kNowhere, 0.9f), detection(kLeft, 0.8f)},
                              {detection(kNowhere, 0.7f), detection(kRight, 0.6f)}};
  EXPECT_DOUBLE_EQ(average_precision(detections, faces), 0.25);
}

TEST(AveragePrecision, CountsASecondDetectionOfAFaceAsWrongEvenIfAnotherFaceIsFree) {
  const Box shifted{14, 10, 40, 40};  // overlaps kLeft most, the free face by IoU 0.6
  const Box free{24, 10, 40, 40};
  EXPECT_GT(iou(shifted, free), 0.5f);
  const double ap =
      average_precision({{detection(kLeft, 0.9f), detection(shifted, 0.8f)}}, {{face(kLeft), face(free)}});
  EXPECT_DOUBLE_EQ(ap, 0.5);
}

TEST(AveragePrecision, DetectionsOfIgnoredFacesCountNeitherWay) {
  const Faces faces{{face(kLeft), face(kRight, true)}};
  EXPECT_DOUBLE_EQ(
      average_precision({{detection(kRight, 0.9f), detection(kRight, 0.8f), detection(kLeft, 0.7f)}}, faces), 1);
}

// MMDetection has ignored truths behind all others.
TEST(AveragePrecision, OfTwoEqualFacesTheOneThatCountsComesFirst) {
  for (const bool first : {true, false}) {
    EXPECT_DOUBLE_EQ(average_precision({{detection(kLeft, 0.9f)}}, {{face(kLeft, first), face(kLeft, !first)}}), 1);
  }
}

TEST(AveragePrecision, IgnoresSmallFacesAndSmallUnmatchedDetections) {
  const Faces faces{{face(kLeft), face({100, 10, 40, 19})}};
  const Detections detections{
      {detection({200, 200, 50, 19}, 0.9f), detection({100, 10, 40, 19}, 0.8f), detection(kLeft, 0.7f)}};
  EXPECT_DOUBLE_EQ(average_precision(detections, faces, 0.5f, 20), 1);
  EXPECT_LT(average_precision(detections, faces, 0.5f, 0), 1);
}

TEST(AveragePrecision, OverlapEqualToTheThresholdIsAMatch) {
  EXPECT_DOUBLE_EQ(average_precision({{detection({0, 0, 10, 10}, 0.9f)}}, {{face({0, 0, 10, 20})}}, 0.5f), 1);
}

TEST(AveragePrecision, EqualsASlowReferenceOnRandomScenes) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Scene scene = random_scene(seed, 6, 6, 12);
    for (const float threshold : {0.3f, 0.5f, 0.75f}) {
      EXPECT_NEAR(average_precision(scene.detections, scene.faces, threshold),
                  slow_average_precision(scene.detections, scene.faces, threshold), 1e-9)
          << "seed " << seed << ", threshold " << threshold;
    }
  }
}

TEST(AveragePrecision, DependsOnOrderOfScoresOnly) {
  Scene scene = random_scene(5, 10, 5, 10);
  const double before = average_precision(scene.detections, scene.faces);
  for (auto& image : scene.detections) {
    for (Detection& d : image) d.score = std::exp(3 * d.score) / 100;
  }
  EXPECT_DOUBLE_EQ(average_precision(scene.detections, scene.faces), before);
}

// Saturated scores, and zeros of both signs: equal ones keep their order, as in a stable sort.
TEST(OrderByScore, IsThatOfAStableSort) {
  std::mt19937 random(5);
  for (const std::size_t count : {3u, 1'000u, 40'000u}) {
    for (const int kind : {0, 1, 2}) {
      std::vector<double> scores(count);
      for (double& score : scores) {
        const double drawn = std::uniform_real_distribution<double>(-1, 1)(random);
        score = kind == 0 ? drawn : kind == 1 ? (drawn > 0 ? 1.0 : drawn) : std::copysign(0.0, drawn);
      }
      std::vector<std::uint32_t> expected(count);
      std::iota(expected.begin(), expected.end(), 0u);
      std::stable_sort(expected.begin(), expected.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return scores[a] > scores[b]; });
      EXPECT_EQ(order_by_score(scores), expected) << count << " of kind " << kind;
    }
  }
}

TEST(AveragePrecision, FallsWhenWrongDetectionsAreAddedInFront) {
  Scene scene = random_scene(6, 10, 5, 10);
  const double before = average_precision(scene.detections, scene.faces);
  scene.detections[0].push_back(detection({5000, 5000, 40, 40}, 2));
  EXPECT_LT(average_precision(scene.detections, scene.faces), before);
}

TEST(AveragePrecision, NamesWhatIsWrong) {
  EXPECT_THROW(average_precision({{}}, {{}, {}}), InputError);
  EXPECT_THROW(average_precision({{detection(kLeft, std::numeric_limits<float>::quiet_NaN())}}, {{face(kLeft)}}),
               InputError);
}

TEST(AveragePrecision, IsNotQuadraticInTheNumberOfDetections) {
  const Scene scene = random_scene(7, 3000, 10, 70);
  std::size_t count = 0;
  for (const auto& image : scene.detections) count += image.size();
  ASSERT_GT(count, 95000u);
  const auto start = std::chrono::steady_clock::now();
  average_precision(scene.detections, scene.faces);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds, 5);  // 0.04 s on a quiet core
}

}  // namespace
}  // namespace hyperfd
