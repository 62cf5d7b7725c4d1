#include "trial/detector/batch_norm_activation.h"

#include <gtest/gtest.h>

namespace hyperfd {
namespace {

struct Case {
  std::int64_t channels, height, width;
  double slope;
  bool training;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.channels << "x" << c.height << "x" << c.width << (c.training ? " training" : " inference");
}

class BatchNormActivation : public ::testing::TestWithParam<Case> {
 protected:
  struct Outcome {
    torch::Tensor output, of_input, of_weight, of_bias, mean, variance;
  };

  // LibTorch's own layers on the same numbers, in double precision, or ours.
  Outcome run(bool ours, torch::Dtype type) {
    torch::manual_seed(7);
    const Case& c = GetParam();
    torch::nn::BatchNorm2d norm(c.channels);
    {
      torch::NoGradGuard no_gradient;
      norm->weight.normal_();
      norm->bias.normal_();
      norm->running_mean.normal_();
      norm->running_var.uniform_(0.5, 2);
    }
    // Channels whose mean is far from zero and from the running one.
    const torch::Tensor numbers =
        torch::randn({3, c.channels, c.height, c.width}) + 30 * torch::randn({1, c.channels, 1, 1});
    const torch::Tensor gradient = torch::randn_like(numbers).to(type).contiguous(torch::MemoryFormat::ChannelsLast);
    const torch::Tensor input =
        numbers.to(type).contiguous(torch::MemoryFormat::ChannelsLast).detach().requires_grad_(true);
    norm->to(type);
    norm->train(c.training);
    EXPECT_EQ(can_fuse_batch_norm(input), type == torch::kFloat);
    const torch::Tensor output =
        ours ? batch_norm_activation(input, *norm, c.slope) : torch::leaky_relu(norm->forward(input), c.slope);
    output.backward(gradient);
    EXPECT_EQ(norm->num_batches_tracked.item<int>(), c.training ? 1 : 0);
    return {output.detach(),   input.grad(),       norm->weight.grad(),
            norm->bias.grad(), norm->running_mean, norm->running_var};
  }
};

TEST_P(BatchNormActivation, AgreesWithTheLayersOneAfterTheOther) {
  const Outcome ours = run(true, torch::kFloat), expected = run(false, torch::kDouble);
  const auto near = [](const torch::Tensor& a, const torch::Tensor& b) {
    return torch::allclose(a.to(torch::kDouble), b, 1e-4, 1e-4);
  };
  EXPECT_TRUE(near(ours.output, expected.output));
  EXPECT_TRUE(near(ours.of_input, expected.of_input));
  EXPECT_TRUE(near(ours.of_weight, expected.of_weight));
  EXPECT_TRUE(near(ours.of_bias, expected.of_bias));
  EXPECT_TRUE(near(ours.mean, expected.mean));
  EXPECT_TRUE(near(ours.variance, expected.variance));
}

TEST_P(BatchNormActivation, IsTheSameOnTwoThreadsUpToRounding) {
  const Outcome one = run(true, torch::kFloat);
  torch::set_num_threads(2);
  const Outcome two = run(true, torch::kFloat);
  torch::set_num_threads(1);
  EXPECT_TRUE(torch::allclose(one.output, two.output, 1e-5, 1e-5));
  EXPECT_TRUE(torch::allclose(one.of_input, two.of_input, 1e-5, 1e-5));
}

INSTANTIATE_TEST_SUITE_P(Shapes, BatchNormActivation,
                         ::testing::Values(Case{8, 40, 40, 0.1, true}, Case{64, 9, 7, 0.1, true},
                                           Case{12, 5, 3, 1, true}, Case{300, 3, 2, 0.1, true},
                                           Case{80, 33, 65, 0.1, true}, Case{16, 20, 20, 0.1, false},
                                           Case{20, 7, 7, 1, false}));

TEST(BatchNormActivationOf, WhatItDoesNotTakeGoesTheUsualWay) {
  EXPECT_FALSE(can_fuse_batch_norm(torch::zeros({2, 8, 4, 4})));  // channels first
  EXPECT_FALSE(can_fuse_batch_norm(torch::zeros({2, 8})));
}

}  // namespace
}  // namespace hyperfd
