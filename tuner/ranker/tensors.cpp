#include "tuner/ranker/tensors.h"

#include <algorithm>
#include <string>

#include <torch/torch.h>

#include "tuner/base/error.h"

namespace hyperfd {

torch::Tensor uniform_tensor(torch::IntArrayRef shape, double bound, Rng& rng) {
  torch::Tensor tensor = torch::empty(shape, torch::kFloat32);
  float* const data = tensor.data_ptr<float>();
  std::generate(data, data + tensor.numel(), [&] { return static_cast<float>(rng.uniform(-bound, bound)); });
  return tensor;
}

torch::Tensor matrix(const std::vector<std::vector<float>>& rows, std::size_t columns) {
  torch::Tensor tensor =
      torch::empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns)}, torch::kFloat32);
  float* out = tensor.data_ptr<float>();
  for (const std::vector<float>& row : rows) out = std::copy(row.begin(), row.end(), out);
  return tensor;
}

std::vector<float> flatten(const std::vector<torch::Tensor>& tensors) {
  std::vector<float> numbers;
  for (const torch::Tensor& tensor : tensors) {
    const torch::Tensor flat = tensor.contiguous();
    numbers.insert(numbers.end(), flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
  }
  return numbers;
}

void unflatten(const std::vector<float>& numbers, const std::vector<torch::Tensor>& tensors) {
  std::size_t expected = 0;
  for (const torch::Tensor& tensor : tensors) expected += static_cast<std::size_t>(tensor.numel());
  if (numbers.size() != expected) {
    throw InputError("weights: " + std::to_string(numbers.size()) + " numbers, expected " + std::to_string(expected));
  }
  const float* next = numbers.data();
  for (const torch::Tensor& tensor : tensors) {
    std::copy(next, next + tensor.numel(), tensor.data_ptr<float>());
    next += tensor.numel();
  }
}

}  // namespace hyperfd
