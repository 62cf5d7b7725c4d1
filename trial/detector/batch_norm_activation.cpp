#include "trial/detector/batch_norm_activation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>

#include "trial/detector/vector_clones.h"

namespace hyperfd {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Pixels are taken in tiles of at least this many numbers, so that the inner loops are long even for few channels.
constexpr std::int64_t kTile = 256;
// Single-precision sums go into double ones after so many tiles.
constexpr std::int64_t kTilesPerSum = 16;
// Tiles that are worth a thread of their own.
constexpr std::int64_t kTilesPerThread = 64;

// A channels-last tensor as `count` numbers in which channel c is every number at c, c + channels, c + 2·channels, ….
struct Layout {
  std::int64_t channels, count, tile;

  explicit Layout(const torch::Tensor& tensor)
      : channels(tensor.size(1)), count(tensor.numel()), tile((kTile + channels - 1) / channels * channels) {}
  std::int64_t pixels() const { return count / channels; }
  std::int64_t tiles() const { return (count + tile - 1) / tile; }
  std::int64_t length(std::int64_t index) const { return std::min(tile, count - index * tile); }
};

// One number a channel, repeated over a tile.
std::vector<float> over_tile(const std::vector<double>& values, const Layout& layout) {
  std::vector<float> repeated(static_cast<std::size_t>(layout.tile));
  for (std::size_t i = 0; i < repeated.size(); ++i) repeated[i] = static_cast<float>(values[i % values.size()]);
  return repeated;
}

// bfloat16 is the upper half of float32.
HYPERFD_VECTOR_CLONES
void widen(const std::uint16_t* from, std::int64_t length, float* __restrict to) {
  for (std::int64_t i = 0; i < length; ++i) {
    const std::uint32_t bits = static_cast<std::uint32_t>(from[i]) << 16;
    std::memcpy(&to[i], &bits, sizeof bits);
  }
}

// To the nearest, ties to even.
HYPERFD_VECTOR_CLONES
void narrow(const float* from, std::int64_t length, std::uint16_t* __restrict to) {
  for (std::int64_t i = 0; i < length; ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, &from[i], sizeof bits);
    const std::uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    const bool is_number = (bits & 0x7FFFFFFF) <= 0x7F800000;
    to[i] = static_cast<std::uint16_t>(is_number ? rounded : 0x7FC0);
  }
}

// A tensor's numbers, tile by tile, as float32; those of bfloat16 in a tile of its own, one at a time.
class Tiles {
 public:
  Tiles(const torch::Tensor& tensor, const Layout& layout)
      : is_wide_(tensor.scalar_type() == torch::kFloat),
        data_(tensor.data_ptr()),
        tile_(is_wide_ ? 0 : static_cast<std::size_t>(layout.tile)) {}

  const float* read(std::int64_t offset, std::int64_t length) {
    if (is_wide_) return static_cast<const float*>(data_) + offset;
    widen(static_cast<const std::uint16_t*>(data_) + offset, length, tile_.data());
    return tile_.data();
  }
  // Where new numbers go; write() follows.
  float* target(std::int64_t offset) { return is_wide_ ? static_cast<float*>(data_) + offset : tile_.data(); }
  void write(std::int64_t offset, std::int64_t length) {
    if (!is_wide_) narrow(tile_.data(), length, static_cast<std::uint16_t*>(data_) + offset);
  }

 private:
  bool is_wide_;
  void* data_;
  std::vector<float> tile_;
};

HYPERFD_VECTOR_CLONES
void add_moments(const float* input, const float* pivot, std::int64_t length, float* __restrict sum,
                 float* __restrict squares) {
  for (std::int64_t i = 0; i < length; ++i) {
    const float difference = input[i] - pivot[i];
    sum[i] += difference;
    squares[i] += difference * difference;
  }
}

// `number`, times `slope` unless `sign` is positive. Both parts are there unconditionally, as compilers vectorise a
// product under a condition for processors with masks (AVX-512) alone.
inline float by_slope(float sign, float number, float slope) {
  const float above = sign > 0 ? number : 0.0f, below = sign > 0 ? 0.0f : number;
  return above + slope * below;
}

HYPERFD_VECTOR_CLONES
void normalise_tile(const float* input, const float* scale, const float* shift, float slope, std::int64_t length,
                    float* __restrict output) {
  for (std::int64_t i = 0; i < length; ++i) {
    const float value = input[i] * scale[i] + shift[i];
    output[i] = by_slope(value, value, slope);
  }
}

HYPERFD_VECTOR_CLONES
void add_gradient_moments(const float* gradient, const float* input, const float* scale, const float* shift,
                          const float* mean, float slope, std::int64_t length, float* __restrict sum,
                          float* __restrict products) {
  for (std::int64_t i = 0; i < length; ++i) {
    const float inner = by_slope(input[i] * scale[i] + shift[i], gradient[i], slope);
    sum[i] += inner;
    products[i] += inner * (input[i] - mean[i]);
  }
}

HYPERFD_VECTOR_CLONES
void gradient_tile(const float* gradient, const float* input, const float* scale, const float* shift,
                   const float* of_input, const float* constant, float slope, std::int64_t length,
                   float* __restrict output) {
  for (std::int64_t i = 0; i < length; ++i) {
    const float inner = by_slope(input[i] * scale[i] + shift[i], gradient[i], slope);
    output[i] = inner * scale[i] + input[i] * of_input[i] + constant[i];
  }
}

HYPERFD_VECTOR_CLONES
void empty_into(float* __restrict from, std::size_t count, double* __restrict to) {
  for (std::size_t i = 0; i < count; ++i) {
    to[i] += static_cast<double>(from[i]);
    from[i] = 0;
  }
}

// Calls `visit(begin, end)` for ranges of tiles, in parallel.
template <typename Visit>
void for_tiles(const Layout& layout, const Visit& visit) {
  at::parallel_for(0, layout.tiles(), kTilesPerThread, visit);
}

// Two sums a channel over all pixels. `make_add()` gives what one thread calls: `add(offset, length, first, second)`
// adds a tile's numbers to two single-precision tiles.
struct Sums {
  std::vector<double> first, second;
};
template <typename MakeAdd>
Sums sums_of(const Layout& layout, const MakeAdd& make_add) {
  const auto channels = static_cast<std::size_t>(layout.channels), tile = static_cast<std::size_t>(layout.tile);
  std::vector<Sums> parts(static_cast<std::size_t>(at::get_num_threads()));
  for_tiles(layout, [&](std::int64_t begin, std::int64_t end) {
    Sums part{std::vector<double>(tile), std::vector<double>(tile)};
    std::vector<float> first(tile), second(tile);
    auto add = make_add();
    for (std::int64_t i = begin; i < end; ++i) {
      add(i * layout.tile, layout.length(i), first.data(), second.data());
      if ((i - begin) % kTilesPerSum != kTilesPerSum - 1 && i + 1 != end) continue;
      empty_into(first.data(), tile, part.first.data());
      empty_into(second.data(), tile, part.second.data());
    }
    parts[static_cast<std::size_t>(at::get_thread_num())] = std::move(part);
  });
  Sums sums{std::vector<double>(channels), std::vector<double>(channels)};
  for (const Sums& part : parts) {
    for (std::size_t i = 0; i < part.first.size(); ++i) {
      sums.first[i % channels] += part.first[i];
      sums.second[i % channels] += part.second[i];
    }
  }
  return sums;
}

// Without LibTorch's operators: there are hundreds of these a step, and each operator would cost more than its work.
std::vector<double> numbers(const torch::Tensor& tensor) {
  const float* values = tensor.data_ptr<float>();
  return {values, values + tensor.numel()};
}

torch::Tensor tensor_of(const std::vector<double>& values) {
  torch::Tensor tensor = torch::empty({static_cast<std::int64_t>(values.size())}, torch::kFloat);
  std::transform(values.begin(), values.end(), tensor.data_ptr<float>(),
                 [](double value) { return static_cast<float>(value); });
  return tensor;
}

void move_towards(torch::Tensor& running, const std::vector<double>& values, double factor, double share) {
  float* numbers = running.data_ptr<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    numbers[i] = static_cast<float>((1 - share) * static_cast<double>(numbers[i]) + share * factor * values[i]);
}

// What a batch norm does to a channel: (input − mean) · inverse_deviation · weight + bias.
struct Normalisation {
  std::vector<double> mean, inverse_deviation, weight, bias;

  double scale(std::size_t channel) const { return inverse_deviation[channel] * weight[channel]; }
  std::vector<float> scales(const Layout& layout) const {
    std::vector<double> values(mean.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = scale(i);
    return over_tile(values, layout);
  }
  std::vector<float> shifts(const Layout& layout) const {
    std::vector<double> values(mean.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = bias[i] - mean[i] * scale(i);
    return over_tile(values, layout);
  }
};

class Fused : public torch::autograd::Function<Fused> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& input, const torch::Tensor& weight,
                               const torch::Tensor& bias, const torch::Tensor& mean,
                               const torch::Tensor& inverse_deviation, double slope, bool of_batch) {
    context->save_for_backward({input, weight, bias, mean, inverse_deviation});
    context->saved_data["slope"] = slope;
    context->saved_data["of_batch"] = of_batch;
    const Layout layout(input);
    const Normalisation normalisation{numbers(mean), numbers(inverse_deviation), numbers(weight), numbers(bias)};
    const auto scale = normalisation.scales(layout), shift = normalisation.shifts(layout);
    torch::Tensor output = torch::empty_like(input);
    for_tiles(layout, [&](std::int64_t begin, std::int64_t end) {
      Tiles from(input, layout), to(output, layout);
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t offset = i * layout.tile, length = layout.length(i);
        normalise_tile(from.read(offset, length), scale.data(), shift.data(), static_cast<float>(slope), length,
                       to.target(offset));
        to.write(offset, length);
      }
    });
    return output;
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    const tensor_list saved = context->get_saved_variables();
    const torch::Tensor& input = saved[0];
    const auto slope = static_cast<float>(context->saved_data["slope"].toDouble());
    const Layout layout(input);
    const Normalisation normalisation{numbers(saved[3]), numbers(saved[4]), numbers(saved[1]), numbers(saved[2])};
    const auto scale = normalisation.scales(layout), shift = normalisation.shifts(layout);
    const auto mean = over_tile(normalisation.mean, layout);
    const torch::Tensor gradient = gradients[0].contiguous(torch::MemoryFormat::ChannelsLast);

    const auto channels = static_cast<std::size_t>(layout.channels);
    std::vector<double> of_weight(channels), of_bias(channels), of_input(channels), constant(channels);
    const bool of_batch = context->saved_data["of_batch"].toBool();
    if (of_batch || saved[1].requires_grad() || saved[2].requires_grad()) {
      const Sums sums = sums_of(layout, [&] {
        return [&, given = Tiles(gradient, layout), from = Tiles(input, layout)](
                   std::int64_t offset, std::int64_t length, float* first, float* second) mutable {
          add_gradient_moments(given.read(offset, length), from.read(offset, length), scale.data(), shift.data(),
                               mean.data(), slope, length, first, second);
        };
      });
      for (std::size_t i = 0; i < channels; ++i) {
        of_weight[i] = sums.second[i] * normalisation.inverse_deviation[i];
        of_bias[i] = sums.first[i];
        if (!of_batch) continue;
        // The batch's mean and deviation depend on the input, too.
        const double each = normalisation.scale(i) / static_cast<double>(layout.pixels());
        of_input[i] = -each * of_weight[i] * normalisation.inverse_deviation[i];
        constant[i] = -each * of_bias[i] - of_input[i] * normalisation.mean[i];
      }
    }
    torch::Tensor result = torch::empty_like(input);
    const auto input_factor = over_tile(of_input, layout), offset_of_all = over_tile(constant, layout);
    for_tiles(layout, [&](std::int64_t begin, std::int64_t end) {
      Tiles given(gradient, layout), from(input, layout), to(result, layout);
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t offset = i * layout.tile, length = layout.length(i);
        gradient_tile(given.read(offset, length), from.read(offset, length), scale.data(), shift.data(),
                      input_factor.data(), offset_of_all.data(), slope, length, to.target(offset));
        to.write(offset, length);
      }
    });
    return {result, tensor_of(of_weight), tensor_of(of_bias), {}, {}, {}, {}};
  }
};

}  // namespace

bool can_fuse_batch_norm(const torch::Tensor& input) {
  return input.device().is_cpu() && (input.scalar_type() == torch::kFloat || input.scalar_type() == torch::kBFloat16) &&
         input.dim() == 4 && input.is_contiguous(torch::MemoryFormat::ChannelsLast);
}

torch::Tensor batch_norm_activation(const torch::Tensor& input, torch::nn::BatchNorm2dImpl& norm, double slope) {
  const double epsilon = norm.options.eps();
  if (!norm.is_training()) {
    const torch::Tensor inverse_deviation = (norm.running_var + epsilon).rsqrt();
    return Fused::apply(input, norm.weight, norm.bias, norm.running_mean, inverse_deviation, slope, false);
  }
  const Layout layout(input);
  // Differences from a pixel of the batch: the sums of squares stay near the variance.
  Tiles first_tile(input, layout);
  const float* pixel = first_tile.read(0, layout.channels);
  const std::vector<double> pivot(pixel, pixel + layout.channels);
  const auto tile = over_tile(pivot, layout);
  const Sums sums = sums_of(layout, [&] {
    return [&, from = Tiles(input, layout)](std::int64_t offset, std::int64_t length, float* first,
                                            float* second) mutable {
      add_moments(from.read(offset, length), tile.data(), length, first, second);
    };
  });
  const auto pixels = static_cast<double>(layout.pixels());
  std::vector<double> mean(pivot.size()), variance(pivot.size()), inverse_deviation(pivot.size());
  for (std::size_t i = 0; i < pivot.size(); ++i) {
    const double difference = sums.first[i] / pixels;
    mean[i] = pivot[i] + difference;
    variance[i] = std::max(0.0, sums.second[i] / pixels - difference * difference);
    inverse_deviation[i] = 1 / std::sqrt(variance[i] + epsilon);
  }
  const double momentum = norm.options.momentum().value();
  move_towards(norm.running_mean, mean, 1, momentum);
  move_towards(norm.running_var, variance, pixels / std::max(1.0, pixels - 1), momentum);
  norm.num_batches_tracked.add_(1);  // an integer, unless somebody has cast the module
  return Fused::apply(input, norm.weight, norm.bias, tensor_of(mean), tensor_of(inverse_deviation), slope, true);
}

}  // namespace hyperfd
