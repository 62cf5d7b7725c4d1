#include "tuner/ranker/tensors.h"

#include <algorithm>

#include <torch/torch.h>

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

}  // namespace hyperfd
