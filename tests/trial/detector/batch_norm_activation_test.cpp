#include "trial/detector/batch_norm_activation.h"

#include <cmath>
#include <limits>

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

  // LibTorch's own layers, in double precision, or ours, on the same numbers, which `rounded` can hold.
  Outcome run(bool ours, torch::Dtype type, torch::Dtype rounded = torch::kFloat) {
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
    const auto given = [&](const torch::Tensor& tensor) {
      return tensor.to(rounded).to(type).contiguous(torch::MemoryFormat::ChannelsLast);
    };
    const torch::Tensor gradient = given(torch::randn_like(numbers));
    const torch::Tensor input = given(numbers).detach().requires_grad_(true);
    if (type == torch::kDouble) norm->to(type);  // beside bfloat16 its own numbers stay float32
    norm->train(c.training);
    EXPECT_EQ(can_fuse_batch_norm(input), type != torch::kDouble);
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

// Statistics and sums are float32 and better; only what goes in and out is rounded, to 8 bits.
TEST_P(BatchNormActivation, TakesBfloat16) {
  const Outcome ours = run(true, torch::kBFloat16, torch::kBFloat16),
                expected = run(false, torch::kDouble, torch::kBFloat16);
  const auto near = [](const torch::Tensor& a, const torch::Tensor& b, double tolerance) {
    return torch::allclose(a.to(torch::kDouble), b, tolerance, tolerance);
  };
  EXPECT_EQ(ours.output.scalar_type(), torch::kBFloat16);
  EXPECT_EQ(ours.of_input.scalar_type(), torch::kBFloat16);
  EXPECT_EQ(ours.of_weight.scalar_type(), torch::kFloat);
  EXPECT_TRUE(near(ours.output, expected.output, 4e-3));
  EXPECT_TRUE(near(ours.of_input, expected.of_input, 4e-3));
  EXPECT_TRUE(near(ours.of_weight, expected.of_weight, 1e-4));
  EXPECT_TRUE(near(ours.of_bias, expected.of_bias, 1e-4));
  EXPECT_TRUE(near(ours.mean, expected.mean, 1e-4));
  EXPECT_TRUE(near(ours.variance, expected.variance, 1e-4));
}

TEST(BatchNormActivationOf, KeepsNoNumbersOfBfloat16ApartFromNumbers) {
  torch::nn::BatchNorm2d norm(1);
  norm->eval();
  const float infinity = std::numeric_limits<float>::infinity(), none = std::numeric_limits<float>::quiet_NaN();
  const torch::Tensor input = torch::tensor({none, infinity, -infinity, 1.0f}).to(torch::kBFloat16).view({1, 1, 2, 2});
  const torch::Tensor output = batch_norm_activation(input.contiguous(torch::MemoryFormat::ChannelsLast), *norm, 0.5)
                                   .to(torch::kFloat)
                                   .flatten();
  EXPECT_TRUE(std::isnan(output[0].item<float>()));
  EXPECT_EQ(output[1].item<float>(), infinity);
  EXPECT_EQ(output[2].item<float>(), -infinity);
  EXPECT_NEAR(output[3].item<float>(), 1, 1e-2);
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
