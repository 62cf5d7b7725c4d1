#include "trial/describe/anchor_pooling.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/trial/detector/reference.h"
#include "trial/detector/anchors.h"

namespace hyperfd {
namespace {

constexpr int kHeight = 90, kWidth = 120, kChannels = 5;
const std::vector<int> kSizes = {12, 20, 32, 48, 64, 90};

// Equation 2 as it reads, anchor by anchor.
std::vector<double> slow_pooling(const std::array<torch::Tensor, 3>& features, std::int64_t image,
                                 const std::vector<Face>& faces, const PoolingOptions& options) {
  const torch::Tensor priors = make_anchors(kHeight, kWidth, kSizes);
  std::vector<reference::Anchor> anchors;
  for (std::int64_t i = 0; i < priors.size(0); ++i) {
    anchors.push_back({priors[i][0].item<double>(), priors[i][1].item<double>(), priors[i][2].item<double>(),
                       priors[i][3].item<double>()});
  }
  const std::vector<reference::Match> matches = reference::match(anchors, faces, {});
  std::vector<double> result;
  std::size_t anchor = 0;
  for (std::size_t level = 0; level < 3; ++level) {
    const int stride = kStrides[level];
    const int rows = (kHeight + stride - 1) / stride, columns = (kWidth + stride - 1) / stride;
    const std::size_t size = kChannels + (options.labels ? 4 : 0);
    std::map<int, std::vector<double>> sums;
    std::map<int, int> counts;
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) {
        for (int which = 0; which < 2; ++which, ++anchor) {
          std::vector<double> vector;
          for (int channel = 0; channel < kChannels; ++channel)
            vector.push_back(features[level][image][channel][row][column].item<double>());
          if (options.labels) {
            const reference::Anchor& a = anchors[anchor];
            if (matches[anchor].label == 1) {
              const Box& box = faces[static_cast<std::size_t>(matches[anchor].face)].box;
              vector.push_back((box.x + box.width / 2 - a.x) / (0.1 * a.width));
              vector.push_back((box.y + box.height / 2 - a.y) / (0.1 * a.height));
              vector.push_back(std::log(box.width / a.width) / 0.2);
              vector.push_back(std::log(box.height / a.height) / 0.2);
            } else {
              vector.resize(size);
            }
          }
          const int group = options.groups ? matches[anchor].label : 0;
          sums[group].resize(size);
          for (std::size_t k = 0; k < size; ++k) sums[group][k] += vector[k];
          ++counts[group];
        }
      }
    }
    std::vector<double> pooled(size);
    for (const auto& [group, sum] : sums) {
      for (std::size_t k = 0; k < size; ++k) pooled[k] += sum[k] / counts[group] / (options.groups ? 3 : 1);
    }
    if (options.pyramid || level == 2) result.insert(result.end(), pooled.begin(), pooled.end());
  }
  return result;
}

class AnchorPooling : public ::testing::Test {
 protected:
  AnchorPooling() {
    torch::manual_seed(1);
    for (std::size_t level = 0; level < 3; ++level) {
      const int stride = kStrides[level];
      features_[level] =
          torch::rand({3, kChannels, (kHeight + stride - 1) / stride, (kWidth + stride - 1) / stride}) * 4 - 1;
    }
    faces_ = {{face({10, 12, 14, 18}), face({60, 30, 40, 44}), face({5, 60, 22, 25})},
              {},
              {face({0, 0, 85, 80}), face({70, 50, 18, 22}), face({100, 5, 9, 9})}};
    faces_[0][2].ignored = true;
  }

  static Face face(const Box& box) {
    Face face;
    face.box = box;
    return face;
  }

  torch::Tensor pool(const PoolingOptions& options) const {
    const torch::Tensor anchors = make_anchors(kHeight, kWidth, kSizes);
    const FaceTensors faces = pack_faces(faces_);
    return pool_anchors(features_, anchors, faces, match(anchors, faces, {}), options);
  }

  void expect_as_slow(const PoolingOptions& options) const {
    const torch::Tensor pooled = pool(options);
    for (std::int64_t image = 0; image < 3; ++image) {
      const std::vector<double> slow = slow_pooling(features_, image, faces_[static_cast<std::size_t>(image)], options);
      ASSERT_EQ(pooled.size(1), pooled_size(kChannels, options));
      ASSERT_EQ(static_cast<std::size_t>(pooled.size(1)), slow.size());
      for (std::size_t i = 0; i < slow.size(); ++i) {
        EXPECT_NEAR(pooled[image][static_cast<std::int64_t>(i)].item<double>(), slow[i], 1e-5)
            << "image " << image << ", number " << i;
      }
    }
  }

  std::array<torch::Tensor, 3> features_;
  std::vector<std::vector<Face>> faces_;
};

TEST_F(AnchorPooling, IsEquation2AnchorByAnchor) {
  expect_as_slow({});
}

TEST_F(AnchorPooling, EachAblationIsAsItReads) {
  expect_as_slow({false, true, true});
  expect_as_slow({true, false, true});
  expect_as_slow({true, true, false});
  expect_as_slow({false, false, false});
}

TEST_F(AnchorPooling, TakesMapsInAnyMemoryOrder) {
  const torch::Tensor plain = pool({});
  for (torch::Tensor& map : features_) map = map.contiguous(torch::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(torch::allclose(plain, pool({}), 1e-6, 1e-6));
}

}  // namespace
}  // namespace hyperfd
