#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "trial/detector/options.h"
#include "trial/evaluation/detection.h"

// Matching and loss as the definitions read, one anchor at a time: slow and obvious, to test the batched versions
// against.
namespace hyperfd::reference {

struct Anchor {
  double x, y, width, height;  // centre
};

inline double intersection(const Anchor& a, const Box& b) {
  const double width = std::min(a.x + a.width / 2, double{b.right()}) - std::max(a.x - a.width / 2, double{b.x});
  const double height = std::min(a.y + a.height / 2, double{b.bottom()}) - std::max(a.y - a.height / 2, double{b.y});
  return std::max(0.0, width) * std::max(0.0, height);
}

inline double overlap(const Anchor& a, const Box& b) {
  const double shared = intersection(a, b);
  return shared / (a.width * a.height + double{b.width} * b.height - shared);
}

struct Match {
  int label = 0;  // 1, 0 or −1
  int face = -1;
};

inline std::vector<Match> match(const std::vector<Anchor>& anchors, const std::vector<Face>& faces,
                                const MatchingOptions& options) {
  std::vector<Match> matches(anchors.size());
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    double best = 0;
    for (std::size_t j = 0; j < faces.size(); ++j) {
      if (faces[j].ignored) continue;
      const double iou = overlap(anchors[i], faces[j].box);
      if (iou > best) {
        best = iou;
        matches[i].face = static_cast<int>(j);
      }
    }
    bool on_ignored = false;
    for (const Face& face : faces) {
      if (!face.ignored) continue;
      on_ignored = on_ignored || intersection(anchors[i], face.box) >= 0.5 * anchors[i].width * anchors[i].height ||
                   overlap(anchors[i], face.box) >= options.negative_iou;
    }
    if (best >= options.positive_iou) {
      matches[i].label = 1;
    } else if (best >= options.negative_iou || on_ignored) {
      matches[i].label = -1;
    }
  }
  for (std::size_t j = 0; j < faces.size(); ++j) {
    if (faces[j].ignored) continue;
    std::size_t best = 0;
    for (std::size_t i = 1; i < anchors.size(); ++i) {
      if (overlap(anchors[i], faces[j].box) > overlap(anchors[best], faces[j].box)) best = i;
    }
    if (overlap(anchors[best], faces[j].box) >= options.minimum_best_iou) matches[best] = {1, static_cast<int>(j)};
  }
  return matches;
}

inline double smooth_l1(double difference) {
  const double size = std::abs(difference);
  return size < 1 ? size * size / 2 : size - 0.5;
}

struct Prediction {
  double background = 0, face = 0;
  double box[4] = {};
  double landmarks[10] = {};
};

struct Loss {
  double classification = 0, location = 0, landmarks = 0;
};

// Of a whole batch: image i has predictions[i] and faces[i].
inline Loss loss(const std::vector<Anchor>& anchors, const std::vector<std::vector<Prediction>>& predictions,
                 const std::vector<std::vector<Face>>& faces, const MatchingOptions& matching,
                 const LossOptions& options) {
  Loss sum;
  int positives = 0, annotated = 0;
  for (std::size_t image = 0; image < faces.size(); ++image) {
    const std::vector<Match> matches = match(anchors, faces[image], matching);
    std::vector<double> negatives;
    int positives_here = 0;
    for (std::size_t i = 0; i < anchors.size(); ++i) {
      const Prediction& said = predictions[image][i];
      const double normaliser = std::log(std::exp(said.background) + std::exp(said.face));
      if (matches[i].label == 0) negatives.push_back(normaliser - said.background);
      if (matches[i].label != 1) continue;
      ++positives_here;
      sum.classification += normaliser - said.face;
      const Face& face = faces[image][static_cast<std::size_t>(matches[i].face)];
      const double target[4] = {(face.box.x + face.box.width / 2 - anchors[i].x) / (0.1 * anchors[i].width),
                                (face.box.y + face.box.height / 2 - anchors[i].y) / (0.1 * anchors[i].height),
                                std::log(face.box.width / anchors[i].width) / 0.2,
                                std::log(face.box.height / anchors[i].height) / 0.2};
      for (int k = 0; k < 4; ++k) sum.location += smooth_l1(said.box[k] - target[k]);
      if (!face.landmarks) continue;
      ++annotated;
      for (std::size_t k = 0; k < 5; ++k) {
        const Point& point = (*face.landmarks)[k];
        sum.landmarks += smooth_l1(said.landmarks[2 * k] - (point.x - anchors[i].x) / (0.1 * anchors[i].width));
        sum.landmarks += smooth_l1(said.landmarks[2 * k + 1] - (point.y - anchors[i].y) / (0.1 * anchors[i].height));
      }
    }
    std::sort(negatives.begin(), negatives.end(), std::greater<>());
    const int wanted =
        std::max(static_cast<int>(std::floor(options.negative_ratio * static_cast<float>(positives_here))),
                 options.minimum_negatives);
    negatives.resize(std::min(negatives.size(), static_cast<std::size_t>(wanted)));
    for (const double negative : negatives) sum.classification += negative;
    positives += positives_here;
  }
  sum.classification /= std::max(positives, 1);
  sum.location /= std::max(positives, 1);
  sum.landmarks /= std::max(annotated, 1);
  return sum;
}

}  // namespace hyperfd::reference
