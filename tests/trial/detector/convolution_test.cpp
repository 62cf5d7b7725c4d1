#include "trial/detector/convolution.h"

#include <atomic>
#include <thread>

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

namespace hyperfd {
namespace {

struct Case {
  std::int64_t in, out, kernel, stride, groups;
  bool bias;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.in << "to" << c.out << "by" << c.kernel << "stride" << c.stride << "groups" << c.groups
             << (c.bias ? "bias" : "");
}

torch::nn::Conv2dOptions options_of(const Case& c) {
  return torch::nn::Conv2dOptions(c.in, c.out, c.kernel)
      .stride(c.stride)
      .padding(c.kernel / 2)
      .groups(c.groups)
      .bias(c.bias);
}

torch::Tensor numbers(const std::vector<std::int64_t>& sizes) {
  return torch::randn(sizes).contiguous(torch::MemoryFormat::ChannelsLast);
}

// The largest difference, relative to the largest number expected.
double difference(const torch::Tensor& got, const torch::Tensor& expected) {
  return ((got.to(torch::kDouble) - expected).abs().max() / expected.abs().max()).item<double>();
}

// Autocast to bfloat16 for the lifetime of this object.
struct Bfloat16 {
  Bfloat16() {
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_cpu_enabled(true);
  }
  ~Bfloat16() { at::autocast::set_cpu_enabled(false); }
};

class AConvolution : public ::testing::TestWithParam<Case> {
 protected:
  AConvolution() : ours(options_of(GetParam())), libtorch(options_of(GetParam())) {
    torch::manual_seed(3);
    torch::NoGradGuard no_gradient;
    ours->weight.normal_();
    if (GetParam().bias) ours->bias.normal_();
    copy();
  }
  // LibTorch's in double precision, with the same numbers.
  void copy() {
    torch::NoGradGuard no_gradient;
    libtorch->to(torch::kDouble);
    libtorch->weight.copy_(ours->weight);
    if (GetParam().bias) libtorch->bias.copy_(ours->bias);
  }
  void expect_same_gradients(double tolerance) {
    const torch::Tensor image = numbers({3, GetParam().in, 13, 9});
    const torch::Tensor input = image.clone().requires_grad_(), other = image.to(torch::kDouble).requires_grad_();
    const torch::Tensor output = ours->forward(input, 1), expected = libtorch->forward(other);
    EXPECT_LT(difference(output.detach(), expected.detach()), tolerance);
    const torch::Tensor gradient = numbers(expected.sizes().vec());
    output.backward(gradient.to(output.scalar_type()));
    expected.backward(gradient.to(torch::kDouble));
    EXPECT_LT(difference(input.grad(), other.grad()), tolerance);
    EXPECT_LT(difference(ours->weight.grad(), libtorch->weight.grad()), tolerance);
    if (GetParam().bias) {
      EXPECT_LT(difference(ours->bias.grad(), libtorch->bias.grad()), tolerance);
    }
  }

  Convolution ours;
  torch::nn::Conv2d libtorch;
};

TEST_P(AConvolution, HasLibTorchsOutputAndGradients) {
  expect_same_gradients(1e-5);
}

TEST_P(AConvolution, IsNearThemInBfloat16) {
#ifdef __x86_64__
  if (!__builtin_cpu_supports("avx512bf16")) GTEST_SKIP() << "this processor has no bfloat16 instructions";
#endif
  const Bfloat16 precision;
  expect_same_gradients(0.02);
}

TEST_P(AConvolution, TakesTheActivationAlong) {
  ours->eval();
  const torch::Tensor input = numbers({2, GetParam().in, 8, 11});
  const torch::Tensor expected = torch::leaky_relu(libtorch->forward(input.to(torch::kDouble)), 0.1).detach();
  EXPECT_LT(difference(ours->forward(input, 0.1).detach(), expected), 1e-5) << "with gradients";
  torch::NoGradGuard no_gradient;
  EXPECT_LT(difference(ours->forward(input, 0.1), expected), 1e-5) << "without";
  EXPECT_LT(difference(ours->forward(input.contiguous(), 0.1), expected), 1e-5) << "in another layout";
}

TEST_P(AConvolution, SeesThatWeightsOrSizesAreOthers) {
  torch::NoGradGuard no_gradient;
  ours->eval();
  ours->forward(numbers({1, GetParam().in, 7, 7}), 1);
  ours->weight.mul_(2);  // as weights are loaded
  copy();
  for (const std::int64_t side : {7, 10, 7}) {
    const torch::Tensor input = numbers({1, GetParam().in, side, 7});
    EXPECT_LT(difference(ours->forward(input, 1), libtorch->forward(input.to(torch::kDouble))), 1e-5);
  }
  ours->train();
  ours->weight.set_data(torch::randn_like(ours->weight));  // as an optimiser keeps them elsewhere
  ours->weight.data().mul_(3);
  ours->eval();
  copy();
  const torch::Tensor input = numbers({1, GetParam().in, 7, 7});
  EXPECT_LT(difference(ours->forward(input, 1), libtorch->forward(input.to(torch::kDouble))), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(OfKinds, AConvolution,
                         ::testing::Values(Case{3, 8, 3, 2, 1, false}, Case{8, 16, 1, 1, 1, false},
                                           Case{20, 12, 1, 1, 1, true}, Case{64, 32, 3, 1, 1, true},
                                           Case{8, 8, 3, 1, 8, false}, Case{24, 24, 5, 2, 24, false},
                                           Case{24, 24, 7, 1, 24, true}, Case{40, 40, 7, 2, 40, false},
                                           Case{1, 6, 7, 1, 1, true}, Case{12, 12, 3, 1, 4, false}));

TEST(Convolution, MayBeUsedBySeveralThreadsInEvaluation) {
  Convolution convolution(torch::nn::Conv2dOptions(8, 8, 3).padding(1));
  convolution->eval();
  const torch::Tensor small = numbers({1, 8, 9, 9}), large = numbers({1, 8, 20, 30});
  torch::Tensor expected_small, expected_large;
  {
    torch::NoGradGuard no_gradient;
    expected_small = convolution->forward(small, 1);
    expected_large = convolution->forward(large, 1);
  }
  std::atomic<int> wrong{0};
  const auto work = [&](const torch::Tensor& input, const torch::Tensor& expected) {
    torch::NoGradGuard no_gradient;  // of this thread
    for (int i = 0; i < 200; ++i) wrong += !torch::equal(convolution->forward(input, 1), expected);
  };
  std::thread first(work, small, expected_small), second(work, large, expected_large);
  first.join();
  second.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Convolution, LeavesWhatItCannotTakeToLibTorch) {
  Convolution convolution(torch::nn::Conv2dOptions(8, 8, 3));
  EXPECT_THROW(convolution->forward(numbers({1, 8, 2, 2}), 1), c10::Error) << "smaller than the kernel";
  EXPECT_THROW(convolution->forward(numbers({1, 7, 9, 9}), 1), c10::Error) << "other channels";
  convolution->to(torch::kDouble);
  EXPECT_EQ(convolution->forward(numbers({1, 8, 9, 9}).to(torch::kDouble), 1).scalar_type(), torch::kDouble);
}

}  // namespace
}  // namespace hyperfd
