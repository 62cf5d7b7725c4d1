#include "trial/detector/depthwise_gradient.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <ATen/Parallel.h>

#include "trial/detector/vector_clones.h"

namespace hyperfd {
namespace {

// Channels that are taken at a time.
constexpr std::int64_t kLanes = 16;
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));

// Images of a batch: `input` has its zero padding around it.
struct Shape {
  std::int64_t images, channels, padded_height, padded_width, height, width, stride;
};

// Not returned: how depends on the processor that a function is compiled for.
__attribute__((always_inline)) inline void load(const float* numbers, std::int64_t count, Lanes* lanes) {
  if (count == kLanes) {
    std::memcpy(lanes, numbers, sizeof *lanes);
  } else {
    *lanes = Lanes{};
    std::memcpy(lanes, numbers, static_cast<std::size_t>(count) * sizeof(float));
  }
}

// sums[k][lane]: of the kernel's row `row`, for `count` channels from where `input` and `gradient` point.
template <int Kernel>
__attribute__((always_inline)) inline void sum_row(const Shape& shape, const float* input, const float* gradient,
                                                   std::int64_t count, std::int64_t row, float* sums) {
  Lanes of[Kernel] = {};
  for (std::int64_t y = 0; y < shape.images * shape.height; ++y) {
    const std::int64_t image = y / shape.height, down = y % shape.height * shape.stride + row;
    const float* from = input + (image * shape.padded_height + down) * shape.padded_width * shape.channels;
    const float* by = gradient + y * shape.width * shape.channels;
    for (std::int64_t x = 0; x < shape.width; ++x) {
      Lanes factor, number;
      load(by + x * shape.channels, count, &factor);
#pragma GCC unroll 8
      for (int k = 0; k < Kernel; ++k) {
        load(from + (x * shape.stride + k) * shape.channels, count, &number);
        of[k] += factor * number;
      }
    }
  }
  std::memcpy(sums, of, sizeof of);
}

template <int Kernel>
__attribute__((always_inline)) inline void sum_row_of(const Shape& shape, const float* input, const float* gradient,
                                                      std::int64_t count, std::int64_t row, float* sums) {
  // Twice, so that the compiler knows the count where it can.
  if (count == kLanes) {
    sum_row<Kernel>(shape, input, gradient, kLanes, row, sums);
  } else {
    sum_row<Kernel>(shape, input, gradient, count, row, sums);
  }
}

HYPERFD_VECTOR_CLONES
void sum_row_of_5(const Shape& shape, const float* input, const float* gradient, std::int64_t count, std::int64_t row,
                  float* sums) {
  sum_row_of<5>(shape, input, gradient, count, row, sums);
}

HYPERFD_VECTOR_CLONES
void sum_row_of_7(const Shape& shape, const float* input, const float* gradient, std::int64_t count, std::int64_t row,
                  float* sums) {
  sum_row_of<7>(shape, input, gradient, count, row, sums);
}

torch::Tensor padded(const torch::Tensor& input, std::int64_t padding) {
  if (padding == 0) return input;
  const std::int64_t height = input.size(2), width = input.size(3), channels = input.size(1);
  const std::int64_t wide = width + 2 * padding, high = height + 2 * padding;
  const torch::Tensor result = torch::zeros({input.size(0), high, wide, channels});
  const float* from = input.data_ptr<float>();
  float* to = result.data_ptr<float>();
  for (std::int64_t image = 0; image < input.size(0); ++image) {
    for (std::int64_t y = 0; y < height; ++y) {
      std::memcpy(to + ((image * high + y + padding) * wide + padding) * channels,
                  from + (image * height + y) * width * channels,
                  static_cast<std::size_t>(width * channels) * sizeof(float));
    }
  }
  return result;
}

}  // namespace

bool has_depthwise_weight_gradient(const torch::Tensor& weight) {
  const std::int64_t kernel = weight.size(2);
  return weight.size(1) == 1 && weight.size(3) == kernel && (kernel == 5 || kernel == 7);
}

torch::Tensor depthwise_weight_gradient(const torch::Tensor& input, const torch::Tensor& gradient,
                                        const torch::Tensor& weight, std::int64_t stride, std::int64_t padding) {
  const torch::Tensor source = padded(input, padding);
  const std::int64_t kernel = weight.size(2), channels = weight.size(0);
  const Shape shape{
      input.size(0),    channels, input.size(2) + 2 * padding, input.size(3) + 2 * padding, gradient.size(2),
      gradient.size(3), stride};
  const auto sum = kernel == 5 ? sum_row_of_5 : sum_row_of_7;
  const torch::Tensor result = torch::empty_like(weight);
  auto to = result.accessor<float, 4>();
  const std::int64_t blocks = (channels + kLanes - 1) / kLanes;
  at::parallel_for(0, blocks * kernel, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> sums(static_cast<std::size_t>(kernel * kLanes));
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i / kernel * kLanes, row = i % kernel, count = std::min(kLanes, channels - first);
      sum(shape, source.data_ptr<float>() + first, gradient.data_ptr<float>() + first, count, row, sums.data());
      for (std::int64_t k = 0; k < kernel; ++k) {
        for (std::int64_t lane = 0; lane < count; ++lane)
          to[first + lane][0][row][k] = sums[static_cast<std::size_t>(k * kLanes + lane)];
      }
    }
  });
  return result;
}

}  // namespace hyperfd
