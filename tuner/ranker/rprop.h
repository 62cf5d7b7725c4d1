#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace hyperfd {

// Gradient ascent by signs alone (Rprop): the step of each parameter grows while its gradient keeps the sign, and
// shrinks when it turns. For parameters that are logarithms.
class Rprop {
 public:
  explicit Rprop(std::size_t size) : last_(size, 0.0f), steps_(size, kFirstStep) {}

  // Moves `place` uphill, within ±kBound. Both have `size` numbers.
  void ascend(const float* gradient, float* place) {
    for (std::size_t k = 0; k < steps_.size(); ++k) {
      float slope = gradient[k];
      if (slope * last_[k] > 0) steps_[k] = std::min(steps_[k] * kLonger, kLongestStep);
      if (slope * last_[k] < 0) {
        steps_[k] = std::max(steps_[k] * kShorter, kShortestStep);
        slope = 0;
      }
      if (slope != 0) place[k] = std::clamp(place[k] + std::copysign(steps_[k], slope), -kBound, kBound);
      last_[k] = slope;
    }
  }

 private:
  static constexpr float kFirstStep = 0.5f, kLongestStep = 1.5f, kShortestStep = 0.02f, kLonger = 1.3f, kShorter = 0.5f;
  static constexpr float kBound = 6;

  std::vector<float> last_, steps_;
};

}  // namespace hyperfd
